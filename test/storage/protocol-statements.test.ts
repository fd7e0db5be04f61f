/**
 * What each request of the protocol asks of the database: statements and journeys, counted, so that they cannot creep up.
 * Applications and their secrets are known by then, as they are to a process that is at work.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { clientSchema } from '../../src/clients/schema.ts';
import { addSecret } from '../../src/clients/secrets.ts';
import { applyClient } from '../../src/clients/clients.ts';
import { resourceServerSchema } from '../../src/clients/resource-servers/schema.ts';
import { createResourceServer } from '../../src/clients/resource-servers/resource-servers.ts';
import type { Database } from '../../src/db/database.ts';
import { createBatcher } from '../../src/db/batch.ts';
import { newPerson, type Person } from '../protocol/people.ts';
import { basic, basicOf, get, post } from '../protocol/requests.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';

let hemma: Hemma;
let web: RelyingParty;
let person: Person;
let service: { authorization: string };
let tokens: { access: string; refresh: string };

const resource = 'https://api.example.com/';

beforeAll(async () => {
  // Nothing of its own accord: a test counts what it asked for.
  hemma = await startHemma({ env: { HEMMA_LOG_LEVEL: 'silent', HEMMA_SMTP_URL: '' } });
  const scopes = ['profile', 'email', 'offline_access'];
  web = await startRelyingParty({ hemma, description: { scopes } });
  await applyClient(hemma.db, clientSchema.parse({ id: 'service', name: 'Service', type: 'service' }));
  service = basic('service', (await addSecret(hemma.db, 'service', 'first')) ?? '');
  person = await newPerson(hemma, { twoStep: false });
  const wanted = { scope: 'openid profile offline_access', prompt: 'consent' };
  const signedIn = await person.signInTo(web, wanted);
  tokens = { access: signedIn.tokens.access_token, refresh: signedIn.tokens.refresh_token ?? '' };
  await post(hemma.url('/token'), { grant_type: 'client_credentials' }, service);
  await get(hemma.url('/me'), bearer());
  // The note that a secret was used, once a minute.
  await new Promise((done) => setTimeout(done, 300));
});
afterAll(async () => {
  await web.stop();
  await hemma.stop();
});

const bearer = () => ({ authorization: `Bearer ${tokens.access}` });

/** The fewest of several turns: what the process does besides, every few seconds, is not this request's. */
async function counted(turn: () => Promise<void>): Promise<{ statements: number; roundTrips: number }> {
  const { tally } = hemma.db as Database;
  const seen: { statements: number; roundTrips: number }[] = [];
  for (let time = 0; time < 8; time += 1) {
    const before = { ...tally };
    await turn();
    seen.push({
      statements: tally.statements - before.statements,
      roundTrips: tally.roundTrips - before.roundTrips,
    });
  }
  return seen.toSorted((a, b) => a.statements - b.statements)[0] ?? { statements: NaN, roundTrips: NaN };
}

/** Someone who is signed in already goes to an application without being asked anything. */
async function silently(): Promise<{ begun: Awaited<ReturnType<RelyingParty['begin']>>; back: URL }> {
  const begun = await web.begin({ prompt: 'none' });
  const { status, headers } = await person.visitor.request(begun.url);
  expect(status).toBe(303);
  return { begun, back: new URL(headers.location ?? '') };
}

const requests: Record<string, { statements: number; turn: () => Promise<void> }> = {
  'client credentials': {
    statements: 1,
    async turn() {
      const answer = await post(hemma.url('/token'), { grant_type: 'client_credentials' }, service);
      expect(answer.status).toBe(200);
    },
  },
  userinfo: {
    statements: 1,
    async turn() {
      expect((await get(hemma.url('/me'), bearer())).status).toBe(200);
    },
  },
  introspection: {
    statements: 1,
    async turn() {
      const url = hemma.url('/token/introspection');
      const answer = await post(url, { token: tokens.access }, basicOf(web));
      expect(answer.json['active']).toBe(true);
    },
  },
  'a refresh token, rotated': {
    statements: 2,
    async turn() {
      const body = { grant_type: 'refresh_token', refresh_token: tokens.refresh };
      const answer = await post(hemma.url('/token'), body, basicOf(web));
      expect(answer.status).toBe(200);
      tokens = { access: String(answer.json['access_token']), refresh: String(answer.json['refresh_token']) };
    },
  },
  'single sign-on': {
    statements: 2,
    async turn() {
      expect((await silently()).back.searchParams.has('code')).toBe(true);
    },
  },
  'single sign-on and its code': {
    statements: 4,
    async turn() {
      const { begun, back } = await silently();
      await web.redeem(begun, back);
    },
  },
  'discovery and keys': {
    statements: 0,
    async turn() {
      for (const path of ['/.well-known/openid-configuration', '/jwks'])
        expect((await get(hemma.url(path))).status).toBe(200);
    },
  },
};

describe('what a request asks of the database', () => {
  test.each(Object.entries(requests))('%s', async (_name, { statements, turn }) => {
    expect(await counted(turn)).toEqual({ statements, roundTrips: statements });
  });

  test('a JWT access token of a service asks for nothing; the audit hears of it behind the answer', async () => {
    const server = { id: resource, name: 'Payments', scopes: [{ name: 'pay', description: 'Pay' }] };
    await createResourceServer(hemma.db, resourceServerSchema.parse({ ...server, tokenFormat: 'jwt' }), {});
    const payer = { id: 'payer', name: 'Payer', type: 'service', resources: [{ resource, scopes: ['pay'] }] };
    await applyClient(hemma.db, clientSchema.parse(payer));
    const secret = basic('payer', (await addSecret(hemma.db, 'payer', 'first')) ?? '');
    const body = { grant_type: 'client_credentials', scope: 'pay', resource };
    const ask = async () => {
      const answer = await post(hemma.url('/token'), body, secret);
      expect([answer.status, String(answer.json['access_token']).split('.').length]).toEqual([200, 3]);
    };
    await ask();
    await new Promise((done) => setTimeout(done, 300));
    // Many at once, and one statement for all of them at most.
    const { statements } = await counted(
      async () => void (await Promise.all(Array.from({ length: 10 }, ask))),
    );
    expect(statements).toBeLessThanOrEqual(1);
  });
});

describe('requests that come together', () => {
  test('share batches, of what touches different things, and a batch that is held up holds up no other', async () => {
    const batches: { pieces: readonly string[]; done: () => void }[] = [];
    const work = createBatcher(
      (pieces: readonly string[]) =>
        new Promise<string[]>((done) => {
          batches.push({ pieces, done: () => done(pieces.map((piece) => `${piece}!`)) });
        }),
      { most: 3, abreast: 1, touches: (piece) => [piece] },
    );
    const answers = ['a', 'b', 'b', 'c', 'd', 'e'].map((piece) => work(piece));
    const begun = async (count: number) => {
      while (batches.length < count) await new Promise((done) => setTimeout(done, 5));
    };
    // The second `b` is not in one batch with the first; and the first batch, which takes its time, lets others by.
    await begun(2);
    expect(batches.map(({ pieces }) => pieces)).toEqual([
      ['a', 'b', 'c'],
      ['b', 'd', 'e'],
    ]);
    for (const { done } of batches) done();
    expect(await Promise.all(answers)).toEqual(['a!', 'b!', 'b!', 'c!', 'd!', 'e!']);
  });

  test('do not share a fault: the one that the database refuses fails, and the others do not', async () => {
    await applyClient(hemma.db, clientSchema.parse({ id: 'poison', name: 'Poison', type: 'service' }));
    const poison = basic('poison', (await addSecret(hemma.db, 'poison', 'first')) ?? '');
    await hemma.db.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN IF new.payload->>'clientId' = 'poison' THEN RAISE EXCEPTION 'refused'; END IF; RETURN new; END $$`);
    await hemma.db.query(
      'CREATE TRIGGER refuse BEFORE INSERT ON oidc_records FOR EACH ROW EXECUTE FUNCTION refuse()',
    );
    try {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_one, at) =>
          post(hemma.url('/token'), { grant_type: 'client_credentials' }, at % 5 === 0 ? poison : service),
        ),
      );
      expect(answers.map(({ status }) => status)).toEqual(
        answers.map((_one, at) => (at % 5 === 0 ? 500 : 200)),
      );
      expect(answers[0]?.body).not.toContain('access_token');
    } finally {
      await hemma.db.query('DROP TRIGGER refuse ON oidc_records');
    }
  });
});
