/** More passwords at once than can be verified (T39): whoever would wait too long is told so at once, and charged nothing. */
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { clientSchema } from '../../src/clients/schema.ts';
import { addSecret } from '../../src/clients/secrets.ts';
import { createClient } from '../../src/clients/clients.ts';
import { resourceServerSchema } from '../../src/clients/resource-servers/schema.ts';
import { createResourceServer } from '../../src/clients/resource-servers/resource-servers.ts';
import { askToken, call, isProblem, machineToken, type Service, service } from '../api/callers.ts';
import { at } from '../rig/ceremony.ts';
import type { Answer } from '../rig/exchange.ts';
import { exchange } from '../rig/exchange.ts';
import { fillIn } from '../rig/forms.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { until } from '../storage/until.ts';

const ORDERS = 'https://orders.example/api';

let hemma: Hemma;
let party: RelyingParty;
let robot: Service;
let shop: Service;
let apiToken: string;

beforeAll(async () => {
  hemma = await startHemma({
    // The rig's own connection is a proxy, so that a crowd can come from many networks.
    env: { HEMMA_HASH_THREADS: '1', HEMMA_HASH_WAIT: '1', HEMMA_TRUSTED_PROXIES: '127.0.0.1' },
  });
  party = await startRelyingParty({ hemma });
  const scopes = [{ name: 'orders:read', description: 'read your orders' }];
  await createResourceServer(
    hemma.db,
    resourceServerSchema.parse({ id: ORDERS, name: 'Orders', scopes }),
    {},
  );
  const resources = [{ resource: ORDERS, scopes: ['orders:read'] }];
  robot = await service(hemma, 'robot', ['people:write']);
  await createClient(
    hemma.db,
    clientSchema.parse({ id: 'shop', name: 'Shop', type: 'service', resources }),
    {},
  );
  shop = { id: 'shop', secret: (await addSecret(hemma.db, 'shop', 'test')) ?? '' };
  apiToken = await machineToken(hemma, robot, ['people:write']);
});
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});

/** The form in front of the person as it is sent from a network of its own. */
function send(visitor: Visitor, email: string, place: number, language: string): Promise<Answer> {
  const fields = { email, password: 'inte det här lösenordet' };
  const { action, body } = fillIn(visitor.screen.page, visitor.screen.url, fields);
  const headers = {
    accept: 'text/html',
    'accept-language': language,
    'content-type': 'application/x-www-form-urlencoded',
    'sec-fetch-site': 'same-origin',
    'x-forwarded-for': `10.${place}.0.1`,
  };
  return visitor.request(action, { method: 'POST', headers, body: body.toString() });
}

/** Attempts that were counted: one leaves an audit event where it was verified, and is counted as refused where throttled. */
async function counted(): Promise<number> {
  const { rows } = await hemma.db.query<{ count: number }>(
    `SELECT (SELECT count(*) FROM audit WHERE event = 'password.wrong' AND address LIKE '10.%')::int
       + (SELECT coalesce(sum((reasons->>'throttled')::int), 0) FROM refused_attempts)::int
       + (SELECT coalesce(sum((detail->>'count')::int), 0) FROM audit
          WHERE event = 'request.refused' AND detail->>'reason' = 'throttled')::int AS count`,
  );
  return rows[0]?.count ?? 0;
}

/** What was counted once the process has added it to the database, which it does every second. */
async function countedAll(expected: number): Promise<number> {
  for (let turn = 0; turn < 200 && (await counted()) < expected; turn += 1) await wait(50);
  return counted();
}

const turnedAwaySoFar = async () => {
  const { body } = await exchange(new URL('/metrics', hemma.issuer));
  return Number(/^hemma_hash_turned_away_total (\d+)$/m.exec(body)?.[1]);
};

/** What tells one page from another, but for what was typed and when to come again. */
const face = ({ body }: Answer) => body.replaceAll(/value="[^"]*"|\d+ (seconds|sekunder)/g, '');

/** Keeps the house full until it is told to stop: everybody sends again what was answered. */
function crowdOf(size: number, ask: (place: number) => Promise<Answer>) {
  const answers: Answer[] = [];
  const over = new AbortController();
  const lines = Array.from({ length: size }, async (_none, place) => {
    while (!over.signal.aborted) {
      answers.push(await ask(place));
      await wait(100);
    }
  });
  return {
    answers,
    async end() {
      over.abort();
      await Promise.all(lines);
    },
  };
}

/** Asks until the house is full: in between, a place becomes free every moment. */
async function untilBusy<T extends { status: number }>(ask: () => Promise<T>): Promise<T> {
  for (let time = 0; time < 20; time += 1) {
    const answer = await ask();
    if (answer.status === 503) return answer;
  }
  throw new Error('nobody was turned away');
}

test('T39 a crowd: who would wait too long gets a 503 and the form back, known or not, while programs are served', async () => {
  const { email } = await hemma.account({ email: 'astrid@example.com' });
  const [visitor, late] = [newVisitor(), newVisitor()];
  for (const one of [visitor, late]) at('password', await one.visit((await party.begin()).url));
  const crowd = crowdOf(100, (place) =>
    send(visitor, place % 8 === 0 ? email : `nobody${place}@example.com`, place, place % 3 ? 'en' : 'sv'),
  );
  await until('somebody was turned away', () => crowd.answers.some(({ status }) => status === 503), 10_000);
  const token = await askToken(hemma, shop, { resource: ORDERS, scope: 'orders:read' });
  let sven = 0;
  const invited = await untilBusy(() => {
    const json = { email: `sven${(sven += 1)}@example.com`, name: 'Sven Norrman' };
    return call(hemma, '/people', { method: 'POST', token: apiToken, json });
  });
  const bertil = { email: 'bertil@example.com', password: PASSWORD };
  const person = await untilBusy(() => late.submit(bertil));
  await crowd.end();
  const busy = crowd.answers.filter(({ status }) => status === 503);

  expect(person.alert).toContain('Inget har gått förlorat');
  expect(isProblem(invited, 'unavailable')).toBe(true);
  expect([token.status, token.json['access_token']]).toEqual([200, expect.stringMatching(/^ey.*\..*\./)]);
  for (const { headers } of [invited, ...busy]) expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  for (const { body } of busy) {
    expect(body).toMatch(/data-refusal="busy".*value="[a-z0-9]+@example.com"/s);
    expect(body).not.toContain('inte det här lösenordet');
  }
  // Of each language one page, whether somebody has the address or not.
  expect(busy.some(({ body }) => body.includes('Nothing is lost'))).toBe(true);
  expect(busy.some(({ body }) => body.includes(`value="${email}"`))).toBe(true);
  expect(new Set(busy.map(face)).size).toBe(2);
  // Whoever was turned away is charged nothing, and what the page kept goes on from there.
  const charged = crowd.answers.length - busy.length;
  expect(await countedAll(charged)).toBe(charged);
  expect(await turnedAwaySoFar()).toBe(busy.length + 2);
  await hemma.account({ email: bertil.email });
  at('enrollment', await late.submit({ password: PASSWORD }));
});
