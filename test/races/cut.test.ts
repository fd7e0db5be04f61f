/**
 * The connection to PostgreSQL is cut in the middle of each one-time deed (T39), at every commit of it, before it is sent and
 * after it was done: nothing is half done or done twice, and whoever sends the form again gets on.
 * Longer than usual: one provider behind one door serves all deeds, in one table.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createInitialAccessToken } from '../../src/oidc/registration/initial-access-tokens.ts';
import type { AuditEventType } from '../../src/audit/audit-log.ts';
import { deskAt, type Desk } from '../help-desk/desk.ts';
import { at } from '../rig/ceremony.ts';
import { back } from '../rig/clock.ts';
import { type Answer, exchange } from '../rig/exchange.ts';
import { fillIn, type Fields } from '../rig/forms.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newDatabase } from '../rig/template.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Screen, type Visitor } from '../rig/visitor.ts';
import { newDevice, type as typeOnPage } from '../protocol/devices.ts';
import {
  codeOn,
  deedUrl,
  keyOn,
  mailedCodeTo,
  newPerson,
  nextStep,
  pageOf,
  type Person,
  proveByCode,
  provePassword,
} from '../new-phone-threats/people.ts';
import { recorded } from '../new-phone-threats/recorded.ts';
import { ask, said } from '../storage/busy-day.ts';
import { type Cutter, type Moment, startCutter } from './cutter.ts';

let database: Awaited<ReturnType<typeof newDatabase>>;
let cutter: Cutter;
let hemma: Hemma;
let party: RelyingParty;
let desk: Desk;
/** Somebody who is signed in, for the deeds that take nothing away for good. */
let resident: Person;

beforeAll(async () => {
  database = await newDatabase();
  const there = new URL(database.url);
  cutter = await startCutter({ host: there.hostname, port: Number(there.port) });
  there.port = String(cutter.port);
  hemma = await startHemma({ beside: { DATABASE_URL: there.href } });
  party = await startRelyingParty({
    hemma,
    description: { deviceFlow: true, scopes: ['profile', 'email', 'offline_access'] },
  });
  await party.configuration();
  desk = await deskAt(hemma);
  resident = await person('boende');
});
afterEach(back);
afterAll(async () => {
  await party.stop();
  await hemma.stop();
  await cutter.stop();
  await database.drop();
});

/** One time that a deed is done. */
interface Once {
  deed(): Promise<{ status: number }>;
  /** What its doer does next, whether they were answered or not; throws where that leads nowhere. */
  goOn(moment: Moment): Promise<void>;
  /** How often it is on record as done. */
  times(): Promise<number>;
  /** What it takes to do it once more. */
  finish?(): Promise<void>;
}

interface Case {
  name: string;
  /** Somebody for whom everything up to the deed can be arranged again and again. */
  begin(): Promise<() => Promise<Once>>;
}

const people = new Map<string, number>();
function addressOf(name: string): string {
  people.set(name, (people.get(name) ?? 0) + 1);
  return `${name}${people.get(name)}@example.com`;
}
const person = (name: string): Promise<Person> => newPerson(hemma, party, addressOf(name));

/** Makes some at once, since mails leave once a second, and more where those are not enough. */
async function ready<T>(count: number, make: () => Promise<() => Promise<T>>): Promise<() => Promise<T>> {
  const made = await Promise.all(Array.from({ length: count }, make));
  return async () => (made.shift() ?? (await make()))();
}

/** Sends the form in front of the person and follows nothing. */
function press(visitor: Visitor, fields: Fields, button?: string): () => Promise<Answer> {
  const { page, url } = visitor.screen;
  const { action, body } = fillIn(page, url, fields, button);
  const headers = {
    accept: 'text/html',
    'content-type': 'application/x-www-form-urlencoded',
    'sec-fetch-site': 'same-origin',
  };
  return () => visitor.request(action, { method: 'POST', headers, body: body.toString() });
}

/** The step of a sign-in, or the page behind it. */
const whereNow = ({ step, url }: Screen) => step ?? url.pathname;

interface Leading {
  to: string;
  /** Where it leads when it was done and the response was lost, with the cookie that the first factor brings. */
  toWhenLost?: string;
  event: AuditEventType;
  id: string;
  button?: string;
}

/** A form whose repetition leads to a page, and which is recorded. */
async function page(
  visitor: Visitor,
  fields: Fields,
  { to, toWhenLost = to, event, id, button }: Leading,
): Promise<Once> {
  const before = await recorded(hemma, event, id);
  const deed = press(visitor, fields, button);
  const form = visitor.screen;
  return {
    deed,
    async goOn() {
      const done = (await recorded(hemma, event, id)) > before;
      visitor.backTo(form);
      expect(whereNow(await visitor.submit(fields, button))).toBe(done ? toWhenLost : to);
    },
    times: async () => (await recorded(hemma, event, id)) - before,
  };
}

const token = (fields: Record<string, string>) => ask(hemma.issuer, '/token', fields, party);

/** A code for somebody who is signed in, and what redeems it. */
async function codeFor(visitor: Visitor, offline = false) {
  const asked = { scope: 'openid offline_access', prompt: 'consent' };
  const begun = await party.begin(offline ? asked : {});
  await visitor.visit(begun.url);
  if (offline) await (at('consent', visitor.screen), visitor.submit({}, 'choice=allow'));
  return {
    grant_type: 'authorization_code',
    code: at('back', visitor.screen).url.searchParams.get('code') ?? '',
    redirect_uri: party.redirectUri,
    code_verifier: begun.verifier,
  };
}

/** A program's request that is taken once: sent again it is taken, or refused as used where its answer was lost. */
function taken(deed: () => Promise<Answer>, refusal: string, anew: () => Promise<unknown>): Once {
  let times = 0;
  const noted = async () => {
    const answer = await deed();
    if (answer.status < 400) times += 1;
    return answer;
  };
  return {
    deed: noted,
    async goOn(moment) {
      const { status, headers, body } = await noted();
      if (status < 400) return;
      expect([moment, body + (headers.location ?? '')]).toEqual([
        times === 1 ? moment : 'after it was done',
        expect.stringContaining(refusal),
      ]);
      times = 1;
      await anew();
    },
    times: async () => times,
  };
}

const cases: Case[] = [
  {
    name: 'an authorization code',
    async begin() {
      const { browser } = resident;
      return async () => {
        const fields = await codeFor(browser);
        return taken(
          () => token(fields),
          'invalid_grant',
          async () => expect((await token(await codeFor(browser))).status).toBe(200),
        );
      };
    },
  },
  {
    name: 'a refresh token',
    async begin() {
      const { browser } = resident;
      const offline = async () => said(await token(await codeFor(browser, true)))['refresh_token'];
      return async () => {
        const fields = { grant_type: 'refresh_token', refresh_token: String(await offline()) };
        return taken(
          () => token(fields),
          'invalid_grant',
          async () => expect(await offline()).toEqual(expect.any(String)),
        );
      };
    },
  },
  {
    name: 'a pushed authorization request',
    async begin() {
      const { browser } = resident;
      const pushed = async () => {
        const wanted = Object.fromEntries(new URL((await party.begin()).url).searchParams);
        const { request_uri: uri } = said(await ask(hemma.issuer, '/request', wanted, party));
        const to = new URL('/auth', hemma.issuer);
        to.search = new URLSearchParams({ client_id: party.clientId, request_uri: String(uri) }).toString();
        return () => browser.request(to, { headers: { accept: 'application/json' } });
      };
      return async () =>
        taken(await pushed(), 'invalid_request_uri', async () =>
          expect((await (await pushed())()).status).toBe(303),
        );
    },
  },
  {
    name: 'a device code',
    async begin() {
      const { browser } = resident;
      const allowed = async () => {
        const device = await newDevice(hemma, party, { scope: 'openid' });
        await typeOnPage(hemma, browser, device.code);
        at('device-allowed', await browser.submit({}, 'confirm=yes'));
        return () => device.ask();
      };
      return async () =>
        taken(await allowed(), 'invalid_grant', async () =>
          expect((await (await allowed())()).status).toBe(200),
        );
    },
  },
  {
    name: 'an initial access token',
    async begin() {
      let made = 0;
      const registering = async () => {
        const wanted = { name: `Leverantör ${(made += 1)}` };
        const issued = await createInitialAccessToken(hemma.db, wanted, {});
        if ('refusal' in issued) throw new Error(issued.refusal);
        const body = JSON.stringify({ client_name: 'App', redirect_uris: ['https://app.example/back'] });
        const headers = { authorization: `Bearer ${issued.token}`, 'content-type': 'application/json' };
        return () => exchange(new URL('/reg', hemma.issuer), { method: 'POST', headers, body });
      };
      return async () =>
        taken(await registering(), 'invalid_token', async () =>
          expect((await (await registering())()).status).toBe(201),
        );
    },
  },
  {
    name: 'six digits',
    async begin() {
      const { id, email, key } = resident;
      return async () => {
        nextStep();
        const visitor = newVisitor();
        await provePassword(visitor, (await party.begin()).url, email);
        return page(visitor, { code: sixDigits(key) }, { to: 'back', event: 'totp.right', id });
      };
    },
  },
  {
    name: 'a recovery code that is claimed',
    async begin() {
      const { id, email, recoveryCode } = await person('papper');
      return async () => {
        const visitor = newVisitor();
        await provePassword(visitor, (await party.begin()).url, email);
        await visitor.visit(pageOf(visitor, 'recovery-code'));
        const told = { to: 'new-recovery-code', event: 'recovery-code.right', id } as const;
        return page(visitor, { code: recoveryCode }, { ...told, button: 'phoneGone=no' });
      };
    },
  },
  {
    name: 'a new recovery code that is confirmed',
    async begin() {
      const owner = await person('ny-kod');
      return async () => {
        const visitor = newVisitor();
        await proveByCode(visitor, (await party.begin()).url, owner);
        await visitor.submit({}, 'phoneGone=no');
        owner.recoveryCode = codeOn(visitor.screen);
        const lastGroup = owner.recoveryCode.slice(-4);
        return page(visitor, { lastGroup }, { to: 'back', event: 'recovery-code.issued', id: owner.id });
      };
    },
  },
  {
    name: 'an authenticator that takes the place of another',
    async begin() {
      const owner = await person('telefon');
      return async () => {
        const visitor = newVisitor();
        await proveByCode(visitor, (await party.begin()).url, owner);
        await visitor.submit({}, 'phoneGone=yes');
        const fields = { code: sixDigits(keyOn(visitor.screen)) };
        const told = { to: 'new-recovery-code', event: 'authenticator.replaced', id: owner.id } as const;
        const once = await page(visitor, fields, told);
        return {
          ...once,
          async finish() {
            await visitor.visit(pageOf(visitor, ''));
            owner.recoveryCode = codeOn(visitor.screen);
            at('back', await visitor.submit({ lastGroup: owner.recoveryCode.slice(-4) }));
          },
        };
      };
    },
  },
  {
    name: 'a mailed code',
    async begin() {
      return ready(5, async () => {
        const { id, email } = await hemma.account({ email: addressOf('mejl') });
        const visitor = newVisitor();
        await visitor.visit((await party.begin()).url);
        await visitor.visit(pageOf(visitor, 'forgotten-password'));
        await visitor.submit({ email });
        const code = await mailedCodeTo(hemma, email);
        const leads = { to: 'new-password', toWhenLost: 'password', event: 'mailed-code.right', id } as const;
        return () => page(visitor, { code }, leads);
      });
    },
  },
  {
    name: 'a new password',
    async begin() {
      const { id, email, key } = await person('losenord');
      let password = PASSWORD;
      let turn = 0;
      return async () => {
        nextStep();
        const visitor = newVisitor();
        await provePassword(visitor, deedUrl(hemma, 'change_password'), email, password);
        await visitor.submit({ code: sixDigits(key) });
        at('new-password', visitor.screen);
        password = `en helt annan sjö ${(turn += 1)}`;
        return page(visitor, { password }, { to: 'account', event: 'password.changed', id });
      };
    },
  },
  {
    name: 'a code from the help desk',
    async begin() {
      const agent = await desk.operator('agent');
      const { id, email } = await person('support');
      const code = await desk.codeFor(agent, { id, email });
      // Whoever enters it in another sign-in takes it over.
      return async () => {
        const visitor = newVisitor();
        await provePassword(visitor, (await party.begin()).url, email);
        await visitor.visit(pageOf(visitor, 'recovery-code'));
        const told = { to: 're-enrollment', event: 'help-desk-code.right', id } as const;
        return page(visitor, { code }, { ...told, button: 'phoneGone=yes' });
      };
    },
  },
  {
    name: 'a first phone',
    begin: async () => async () => {
      const { id, email } = await hemma.account({ email: addressOf('forsta') });
      const visitor = newVisitor();
      await provePassword(visitor, (await party.begin()).url, email);
      const fields = { code: sixDigits(keyOn(visitor.screen)) };
      return page(visitor, fields, { to: 'new-recovery-code', event: 'authenticator.connected', id });
    },
  },
];

/** Runs the deed once, cut at that commit; answers whether there was one. */
async function cutAt(once: Once, place: number, moment: Moment): Promise<boolean> {
  cutter.arm(place, moment);
  const { status } = await once.deed();
  const cut = cutter.disarm();
  expect([place, moment, cut, status < 500 || status === 503]).toEqual([place, moment, cut, true]);
  if (!cut) expect(status).toBeLessThan(400);
  return cut;
}

describe('T39 a connection that is cut in the middle of', () => {
  test.each(cases)('$name', async (one) => {
    const again = await one.begin();
    const run = async (place: number, moment: Moment) => {
      const once = await again();
      const cut = await cutAt(once, place, moment);
      if (cut) await once.goOn(moment);
      expect([place, moment, await once.times()]).toEqual([place, moment, 1]);
      await once.finish?.();
      return cut;
    };
    let commits = 0;
    while (await run(commits + 1, 'before it is sent')) commits += 1;
    expect(commits).toBeGreaterThan(0);
    for (let place = 1; place <= commits; place += 1)
      expect([place, await run(place, 'after it was done')]).toEqual([place, true]);
  });
});
