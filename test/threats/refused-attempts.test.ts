/**
 * Refused attempts leave one audit event per actor, route and minute, with a count (R86). Longer than usual: one provider
 * serves all of it.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { findAuditEvents } from '../../src/audit/audit-log.ts';
import type { Database } from '../../src/db/database.ts';
import { call, machineToken, service, somebodyWith, tokenOf as tokenOfUser } from '../api/callers.ts';
import { operator, tokenOf } from '../console/town.ts';
import { newDevice } from '../protocol/devices.ts';
import { post } from '../protocol/requests.ts';
import { exchange } from '../rig/exchange.ts';
import { back, holdTimers, minutes, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';

const deadline = 180_000;

let hemma: Hemma;
let party: RelyingParty;

beforeAll(async () => {
  hemma = await startHemma({ env: { HEMMA_TRUSTED_PROXIES: '127.0.0.1' } });
  party = await startRelyingParty({ hemma, description: { deviceFlow: true } });
});
afterEach(async () => {
  back();
  await hemma.db.query('DELETE FROM refused_attempts');
});
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});

interface Refused {
  actor: string | null;
  program: string | null;
  address: string | null;
  request: string | null;
  detail: { route: string; count: number; reason: string; minute: string; overflow?: boolean };
}

/** The events of one actor once their minute is over, the newest first. */
async function refusedOf(
  wanted: (row: Refused) => boolean,
  count = 1,
  { db }: { db: Hemma['db'] } = hemma,
): Promise<Refused[]> {
  travel(minutes(4));
  for (let turn = 0; turn < 1200; turn += 1) {
    const all = (await findAuditEvents(db, {
      event: 'request.refused',
      limit: 1000,
    })) as unknown as Refused[];
    const rows = all.filter(wanted);
    if (rows.length >= count) return rows;
    await pause(50);
  }
  throw new Error('no such event within a minute');
}

/** Until this process has added what it counted, so that a minute that is over misses nothing. */
async function added(total: number): Promise<void> {
  for (let turn = 0; turn < 1200; turn += 1) {
    const { rows } = await hemma.db.query<{ total: number }>(
      'SELECT coalesce(sum(count), 0)::int AS total FROM refused_attempts',
    );
    if ((rows[0]?.total ?? 0) >= total) return;
    await pause(50);
  }
  throw new Error(`${total} attempts were not counted within a minute`);
}

let networks = 0;
/** A network that nothing else of this file comes from. */
const elsewhere = () => {
  networks += 1;
  return `198.18.${Math.floor(networks / 256)}.${networks % 256}`;
};
const from = (address: string) => ({ 'x-forwarded-for': address });
const by = (address: string) => (row: Refused) => row.address === address && row.actor === null;

/** At the beginning of a minute, so that all attempts of a test are in one. */
function atMinute(later = 0): void {
  travel(60_000 - (Date.now() % 60_000) + 100 + minutes(later));
}

async function times(count: number, attempt: () => Promise<{ status: number }>): Promise<number[]> {
  const statuses: number[] = [];
  while (statuses.length < count) statuses.push((await attempt()).status);
  return [...new Set(statuses)];
}

/** Asks one of several processes that serve the same issuer. */
const askProcess = ({ port }: Hemma, address: string) =>
  exchange(new URL(`http://localhost:${port}/api/people`), {
    headers: { host: new URL(hemma.issuer).host, authorization: `Bearer ${forged}`, ...from(address) },
  });

const forged = 'forged-0123456789abcdefghijklmnopqrstuvwxyzABCDEF';

describe('the admin API', () => {
  test(
    'counts forged tokens of one network as one event per route, the throttled ones included',
    async () => {
      const address = elsewhere();
      atMinute();
      const ask = (path: string) => () => call(hemma, path, { token: forged, headers: from(address) });
      await times(3, ask('/groups'));
      await times(110, ask('/people/0b5c1f3e-0000-4000-8000-000000000000'));
      // A request without a token asks, and attempts nothing.
      await call(hemma, '/people', { headers: from(address) });
      await added(113);
      const rows = await refusedOf(by(address), 2);
      expect(rows.map(({ detail: { route, count } }) => `${route} ${count}`).toSorted()).toEqual([
        '/api/groups 3',
        '/api/people/{id} 110',
      ]);
      expect(rows.map(({ detail: { reason } }) => reason).toSorted()).toEqual([
        'invalid-token',
        'invalid-token, too-many-requests',
      ]);
      expect(JSON.stringify(rows)).not.toContain(forged);
      expect(JSON.stringify(rows)).not.toContain('0b5c1f3e');
    },
    deadline,
  );

  test(
    'names the service account or the operator whose token is refused',
    async () => {
      const machine = await service(hemma, 'reader', ['groups:write']);
      const token = await machineToken(hemma, machine, ['groups:write']);
      const api = await startRelyingParty({
        hemma,
        description: { apiScopes: ['people:read', 'people:write'] },
      });
      const agent = await somebodyWith(hemma, 'help-desk');
      const theirs = await tokenOfUser(hemma, api, agent, ['people:read']);
      atMinute();
      await times(4, () => call(hemma, '/people', { token }));
      await times(2, () => call(hemma, '/people/0b5c1f3e-0000-4000-8000-000000000000', { token: theirs }));
      await added(6);
      await api.stop();
      const [ofMachine] = await refusedOf(({ program, actor }) => program === 'reader' && actor === null);
      expect(ofMachine?.detail).toMatchObject({
        route: '/api/people',
        count: 4,
        reason: 'insufficient-scope',
      });
      const [ofAgent] = await refusedOf(({ actor }) => actor === agent.account.id);
      expect(ofAgent).toMatchObject({
        program: api.clientId,
        detail: { route: '/api/people/{id}', count: 2, reason: 'not-found' },
      });
    },
    deadline,
  );
});

describe('the console', () => {
  test(
    'counts what an operator may not open or send, and shows it in both languages and to the API',
    async () => {
      const admin = await operator(hemma, 'admin@example.com', 'administrator');
      const agent = await operator(hemma, 'agent@example.com', 'help-desk');
      atMinute();
      const open = (path: string) => () => agent.visitor.visit(hemma.url(path));
      expect(await times(3, open('/admin/clients'))).toEqual([404]);
      expect(await times(2, open('/admin/people/0b5c1f3e-0000-4000-8000-000000000000'))).toEqual([404]);
      const { screen } = admin.visitor;
      expect(
        await times(2, () => admin.visitor.post(hemma.url('/admin/audit/export'), { token: 'x' })),
      ).toEqual([403]);
      await added(7);
      const ofAgent = await refusedOf(({ actor }) => actor === agent.id, 2);
      expect(
        ofAgent.map(({ detail: { route, count, reason } }) => `${route} ${count} ${reason}`).toSorted(),
      ).toEqual(['/admin/clients 3 not-found', '/admin/people/:id 2 not-found']);
      const [ofAdmin] = await refusedOf(({ actor }) => actor === admin.id);
      expect(ofAdmin?.detail).toMatchObject({
        route: '/admin/audit/export',
        count: 2,
        reason: 'form-expired',
      });
      back();
      const list = hemma.url('/admin/audit?event=request.refused&operator=agent@example.com');
      admin.visitor.backTo(screen);
      await admin.visitor.visit(list);
      expect(admin.visitor.screen.page.querySelectorAll('[data-event="request.refused"]')).toHaveLength(2);
      expect(admin.visitor.screen.text).toContain('Förfrågningar utan behörighet nekades');
      expect(admin.visitor.screen.text).toContain('route: /admin/clients');
      await admin.visitor.visit(`${list}&ui_locales=en`);
      expect(admin.visitor.screen.text).toContain('Requests without permission were refused');
      const reader = await service(hemma, 'auditor', ['audit:read']);
      const token = await machineToken(hemma, reader, ['audit:read']);
      const { json } = await call(hemma, '/audit?event=request.refused&limit=100', { token });
      const items = json['items'] as { operator: string; detail: Refused['detail'] }[];
      expect(items.filter((item) => item.operator === agent.id)).toHaveLength(2);
    },
    deadline,
  );

  test(
    'counts a signed-in user without a role, and no stranger who is sent to sign in',
    async () => {
      const { id, email } = await hemma.account({ email: 'user@example.com', twoStepRequired: false });
      const user = newVisitor();
      await user.visit(hemma.url('/account'));
      await user.submit({ email, password: 'en stilla sjö i augusti' });
      atMinute();
      await newVisitor({ headers: from(elsewhere()) }).visit(hemma.url('/admin/people'));
      expect(await times(2, () => user.visit(hemma.url('/admin/people')))).toEqual([404]);
      await added(2);
      const rows = await refusedOf(({ actor }) => actor === id);
      expect(rows.map(({ detail }) => [detail.route, detail.count])).toEqual([['/admin/people', 2]]);
    },
    deadline,
  );
});

describe('forms', () => {
  const crossSite = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
  const ownPage = { 'sec-fetch-site': 'same-origin' };

  test(
    'of other sites, and with tokens of other sessions, are counted wherever they are sent',
    async () => {
      const address = elsewhere();
      const browser = newVisitor({ headers: from(address) });
      await browser.visit((await party.begin()).url);
      const signIn = browser.screen.url.href;
      const device = await newDevice(hemma, party);
      atMinute();
      const send = (url: string, fields: Record<string, string>, site: Record<string, string>) => () =>
        browser.request(url, {
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded', ...from(address), ...site },
          body: new URLSearchParams(fields).toString(),
        });
      const foreign = [
        signIn,
        ...['/account', '/help-desk/stop', '/device', '/session/end/confirm'].map((path) => hemma.url(path)),
      ];
      for (const url of foreign)
        expect([url, await times(2, send(url, {}, crossSite))]).toEqual([url, [403]]);
      expect(
        await times(3, send(signIn, { token: tokenOf(browser.screen).replace(/^./, '_') }, ownPage)),
      ).toEqual([403]);
      await browser.request(hemma.url('/device'), { headers: from(address) });
      await send(hemma.url('/device'), { user_code: device.code, xsrf: 'forged' }, ownPage)();
      await added(13);
      const rows = await refusedOf(by(address), 5);
      const seen = rows.map(({ detail: { route, count, reason } }) => `${route} ${count} ${reason}`);
      expect(seen.toSorted()).toEqual([
        '/account 2 foreign-form',
        '/device 3 foreign-form, form-expired',
        '/help-desk/stop 2 foreign-form',
        '/interaction/:uid/password 5 form-expired, foreign-form',
        '/session/end/confirm 2 foreign-form',
      ]);
      // Neither the number of the sign-in nor a token is in them.
      expect(JSON.stringify(rows)).not.toContain(signIn.split('/')[4]);
    },
    deadline,
  );

  test(
    'a forged form token of My details is counted for the user whose session it is sent in',
    async () => {
      const { id, email } = await hemma.account({ email: 'resident@example.com', twoStepRequired: false });
      const user: Visitor = newVisitor();
      await user.visit(hemma.url('/account'));
      await user.submit({ email, password: 'en stilla sjö i augusti' });
      atMinute();
      expect(
        await times(3, () => user.post(hemma.url('/account'), { token: 'forged', locale: 'en' })),
      ).toEqual([403]);
      await added(3);
      const [row] = await refusedOf(({ actor }) => actor === id);
      expect(row?.detail).toMatchObject({ route: '/account', count: 3, reason: 'form-expired' });
      // It is no news to the user.
      await user.visit(hemma.url('/account'));
      expect(user.screen.page.querySelector('[data-event="request.refused"]')).toBeNull();
    },
    deadline,
  );
});

test(
  'refusals that cost nothing are counted; of a client that exists the first of a minute is also recorded',
  async () => {
    const address = elsewhere();
    const browser = newVisitor({ headers: from(address) });
    const email = 'throttled@example.com';
    await hemma.account({ email });
    atMinute();
    await browser.visit((await party.begin()).url);
    for (let guess = 0; guess < 14; guess += 1) await browser.submit({ email, password: 'wrong' });
    const begin = (client: string) => () =>
      exchange(new URL(hemma.url(`/auth?client_id=${client}&response_type=code`)), {
        headers: from(address),
      });
    await times(3, begin('none'));
    await times(4, begin(party.clientId));
    const forgedCode = { grant_type: 'authorization_code', client_id: 'none', code: 'forged' };
    await times(2, () => post(hemma.url('/token'), forgedCode, from(address)));
    await added(12);
    const { rows } = await hemma.db.query<{ event: string; count: number }>(
      `SELECT event, count(*)::int AS count FROM audit
       WHERE address = $1 AND event IN ('password.throttled', 'sign-in.refused', 'token.refused') GROUP BY event`,
      [address],
    );
    expect(rows.map(({ event, count }) => `${event} ${count}`).toSorted()).toEqual([
      'password.throttled 1',
      'sign-in.refused 1',
    ]);
    const refused = await refusedOf(by(address), 3);
    expect(refused.map(({ detail: { route, count } }) => `${route} ${count}`).toSorted()).toEqual([
      '/auth 6',
      '/interaction/:uid/password 4',
      '/token 2',
    ]);
  },
  deadline,
);

test('a forged initial access token at the registration endpoint is counted', async () => {
  const address = elsewhere();
  atMinute();
  const attempt = () => post(hemma.url('/reg'), {}, { authorization: `Bearer ${forged}`, ...from(address) });
  expect(await times(2, attempt)).toEqual([401]);
  await added(2);
  const [row] = await refusedOf(by(address));
  expect(row?.detail).toMatchObject({ route: '/reg', count: 2, reason: 'invalid-token' });
});

describe('a flood', () => {
  const attempt = (address: string) => () =>
    call(hemma, '/people', { token: forged, headers: from(address) });

  test(
    'from 300 networks leaves at most 100 events and one for all others of the route, and loses no attempt',
    async () => {
      atMinute();
      for (let number = 0; number < 300; number += 1)
        await attempt(`203.0.${Math.floor(number / 100)}.${number % 100}`)();
      await added(300);
      const mine = ({ address, detail }: Refused) =>
        address?.startsWith('203.0.') === true || detail.overflow === true;
      const rows = await refusedOf(mine, 101);
      expect(rows.length).toBeLessThanOrEqual(101);
      expect(rows.reduce((sum, { detail: { count } }) => sum + count, 0)).toBe(300);
      const overflow = rows.filter(({ detail }) => detail.overflow);
      expect(overflow).toMatchObject([
        { actor: null, address: null, detail: { route: '/api/people', count: 200 } },
      ]);
    },
    deadline,
  );

  test(
    'of one network leaves room for others: ten routes of it, and the rest together',
    async () => {
      const [loud, quiet] = [elsewhere(), elsewhere()];
      const paths = 'people groups cases audit clients claims resource-servers initial-access-tokens'.split(
        ' ',
      );
      const more = 'people/1 people/1/events cases/1 clients/1 clients/1/secrets nothing'.split(' ');
      // Not in a minute of another test, which has an overflow, too.
      atMinute(30);
      for (const path of [...paths, ...more])
        await call(hemma, `/${path}`, { token: forged, headers: from(loud) });
      await attempt(quiet)();
      await added(15);
      const rows = await refusedOf(({ address, detail }) => address === loud || detail.overflow === true, 11);
      expect(rows.filter(({ address }) => address === loud)).toHaveLength(10);
      const { minute } = rows.find(({ address }) => address === loud)?.detail ?? {};
      // The flood of the test before may have been in the same minute, as this clock tells it.
      const overflow = rows.filter(
        ({ detail }) => detail.overflow && detail.minute === minute && detail.route !== '/api/people',
      );
      expect(overflow.reduce((sum, { detail: { count } }) => sum + count, 0)).toBe(4);
      expect(await refusedOf(by(quiet))).toHaveLength(1);
    },
    deadline,
  );

  test(
    'asks the database for nothing request by request',
    async () => {
      const { tally } = hemma.db as Database;
      const foreign = () =>
        post(
          hemma.url('/help-desk/stop'),
          { code: 'x' },
          { 'sec-fetch-site': 'cross-site', ...from(elsewhere()) },
        );
      await times(5, foreign);
      // Nothing in the background begins from here on; what is under way by now takes some statements more.
      const timers = holdTimers();
      try {
        const before = tally.statements;
        await times(400, foreign);
        expect(tally.statements - before).toBeLessThan(40);
      } finally {
        timers.release();
      }
    },
    deadline,
  );
});

test(
  'what a process counted in its last second is not lost when it stops, and is audited by the next',
  async () => {
    const address = elsewhere();
    atMinute();
    const other = await startHemma({ beside: hemma.env });
    expect(await times(3, () => askProcess(other, address))).toEqual([401]);
    await other.stop();
    const [row] = await refusedOf(by(address));
    expect(row?.detail).toMatchObject({ route: '/api/people', count: 3 });
  },
  deadline,
);

test(
  'two processes add to one event of a minute',
  async () => {
    const address = elsewhere();
    const other = await startHemma({ beside: hemma.env });
    atMinute();
    await Promise.all([hemma, other].map((one) => times(10, () => askProcess(one, address))));
    await added(20);
    const rows = await refusedOf(by(address));
    expect(rows.map(({ detail: { count } }) => count)).toEqual([20]);
    await other.stop();
  },
  deadline,
);
