/**
 * Signing in on a device without a browser (RFC 8628), and those who would talk people into it or guess codes.
 * Longer than usual: one provider serves all of it.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { addMember, createGroup } from '../../src/users/groups.ts';
import { discardMail } from '../../src/mail/outbox.ts';
import { disableUser } from '../../src/users/search.ts';
import { parseClient } from '../../src/clients/connectivity-check.ts';
import { type ClientDescription, clientSchema } from '../../src/clients/schema.ts';
import { createClient } from '../../src/clients/clients.ts';
import { back, minutes, seconds, travel } from '../rig/clock.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor } from '../rig/visitor.ts';
import { call, resourceOf, somebodyWith } from '../api/callers.ts';
import { auditOf } from '../threats/audit.ts';
import { type Device, deviceGrant, newDevice, type } from './devices.ts';
import { newPerson, type Person } from './people.ts';
import { get, post } from './requests.ts';

let hemma: Hemma;
let tv: RelyingParty;
let printer: RelyingParty;
const parties: RelyingParty[] = [];
const party = async (description: Parameters<typeof startRelyingParty>[0]['description']) => {
  const made = await startRelyingParty({ hemma, description: { deviceFlow: true, ...description } });
  parties.push(made);
  return made;
};
/** Keeps no secret and has no address to come back to. */
const onDevice: Partial<ClientDescription> = {
  type: 'native',
  redirectUris: [],
  postLogoutRedirectUris: [],
  firstParty: false,
  consent: 'remembered',
};
beforeAll(async () => {
  hemma = await startHemma({ env: { HEMMA_TRUSTED_PROXIES: '127.0.0.1' } });
  tv = await party({ ...onDevice, name: 'Tv:n', scopes: ['profile', 'email', 'offline_access'] });
  printer = await party({ name: 'Skrivaren' });
});
afterEach(back);
afterAll(async () => {
  await Promise.all(parties.map((one) => one.stop()));
  await hemma.stop();
});

const newcomer = () => newPerson(hemma, { twoStep: false });
const refused = (error: string) => ({ status: 400, json: { error } });
const bearer = (token: unknown) => ({ authorization: `Bearer ${String(token)}` });
const allow = 'confirm=yes';

/** Types the code, says yes, and answers every page of the sign-in. */
async function letIn(person: Person, { code }: Device) {
  await type(hemma, person.visitor, code);
  expect(person.visitor.screen.step).toBe('device-confirm');
  return person.answer(await person.visitor.submit({}, allow));
}

describe('a device', () => {
  test('is signed in by a code that its person types in any spelling, once', async () => {
    const device = await newDevice(hemma, tv, { scope: 'openid profile offline_access' });
    expect(device.answer).toMatchObject({
      status: 200,
      json: { verification_uri: hemma.url('/device'), expires_in: 600, interval: 5 },
    });
    expect(device.code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
    expect(await device.ask()).toMatchObject(refused('authorization_pending'));
    const person = await newcomer();
    const { visitor } = person;
    await type(hemma, visitor, ` ${device.code.toLowerCase().replace('-', ' ')} `);
    expect(visitor.screen).toMatchObject({
      step: 'device-confirm',
      heading: expect.stringContaining('Tv:n'),
    });
    expect(visitor.screen.text).toContain(device.code);
    expect(visitor.screen.text).toContain('Fortsätt bara om du själv nyss började');
    expect(visitor.screen.text).toContain('på samma nätverk som du');
    const screen = await person.answer(await visitor.submit({}, allow));
    expect(person.steps).toEqual(['password', 'consent']);
    expect(screen).toMatchObject({ step: 'device-allowed', status: 200 });
    const { status, json } = await device.ask();
    expect(status).toBe(200);
    expect(decodeJwt(String(json['id_token']))).toMatchObject({
      aud: tv.clientId,
      sub: person.account.id,
      acr: 'urn:hemma:1',
      amr: ['pwd'],
      auth_time: expect.any(Number),
    });
    expect((await get(hemma.url('/me'), bearer(json['access_token']))).status).toBe(200);
    expect(await device.ask()).toMatchObject(refused('invalid_grant'));
  });

  test('is told of to its person, who disconnects it like any other application', async () => {
    const device = await newDevice(hemma, tv, { scope: 'openid offline_access' });
    const person = await newcomer();
    await letIn(person, device);
    const { json } = await device.ask();
    const { email } = person.account;
    const mail = await hemma.mail.mailTo(email, /Tv:n/);
    expect(mail.text).toContain(hemma.url('/account'));
    expect(mail.text).not.toContain(device.code);
    const events = (await auditOf(hemma, email)).map(({ event }) => event);
    expect(events).toContain('device.allowed');
    // Waiting is no refusal.
    expect(events).not.toContain('token.refused');
    await person.visitor.visit(hemma.url('/account'));
    expect(person.visitor.screen.text).toContain('Tv:n');
    await person.visitor.submit({}, `disconnect=${tv.clientId}`);
    expect((await get(hemma.url('/me'), bearer(json['access_token']))).status).toBe(401);
    const renewal = { grant_type: 'refresh_token', refresh_token: String(json['refresh_token']) };
    expect(await post(hemma.url('/token'), { ...renewal, client_id: tv.clientId })).toMatchObject(
      refused('invalid_grant'),
    );
  });

  test.each([
    ['the person says no', async () => printer, ['abort=yes'], 'device-not-allowed'],
    ['the person does not consent', async () => tv, [allow, PASSWORD, 'choice=deny'], 'device-not-allowed'],
    ['the person is in none of its groups', forMembers, [allow, PASSWORD, ''], 'device-not-allowed'],
  ] as const)('is refused where %s, and told access_denied once', async (_why, of, buttons, end) => {
    const one = await of();
    const device = await newDevice(hemma, one);
    const { visitor, account } = await newcomer();
    await type(hemma, visitor, device.code);
    for (const button of buttons) {
      if (button === PASSWORD) await visitor.submit({ email: account.email, password: PASSWORD });
      else await visitor.submit({}, button || undefined);
    }
    expect(visitor.screen.step).toBe(end);
    expect(visitor.screen.text).toContain('08-123 45 67');
    expect(await device.ask()).toMatchObject(refused('access_denied'));
    expect(await device.ask()).toMatchObject(refused('invalid_grant'));
    const rows = await auditOf(hemma);
    expect(rows.filter(({ event }) => event === 'device.refused').length).toBeGreaterThan(0);
  });

  async function forMembers() {
    const made = await createGroup(hemma.db, `Fasta ${Date.now()}`, {});
    if ('refusal' in made) throw new Error(made.refusal);
    return party({ allowedGroups: [made.group.id] });
  }

  test('of an application for some groups lets their people in, and requires two steps where it does', async () => {
    const made = await createGroup(hemma.db, 'Nattskiftet', {});
    if ('refusal' in made) throw new Error(made.refusal);
    const strict = await party({ allowedGroups: [made.group.id], requiredAcr: 'urn:hemma:2' });
    const person = await newcomer();
    await addMember(hemma.db, person.account.id, made.group, {});
    await person.signInTo(printer);
    const device = await newDevice(hemma, strict);
    expect((await letIn(person, device)).step).toBe('device-allowed');
    expect(person.steps).toEqual(['password', 'enrollment', 'new-recovery-code']);
    const { json } = await device.ask();
    expect(decodeJwt(String(json['id_token']))).toMatchObject({
      acr: 'urn:hemma:2',
      amr: ['pwd', 'otp', 'mfa'],
    });
  });

  test('of an application that registered itself says so where its person is asked', async () => {
    const about = { ...onDevice, id: 'reg-tv', name: 'Egen tv', deviceFlow: true, scopes: ['profile'] };
    await createClient(hemma.db, clientSchema.parse(about), { registeredWith: 'Supplier' });
    const asked = await post(hemma.url('/device/auth'), { client_id: 'reg-tv', scope: 'openid profile' });
    const { visitor, account } = await newcomer();
    await type(hemma, visitor, String(asked.json['user_code']));
    await visitor.submit({}, allow);
    await visitor.submit({ email: account.email, password: PASSWORD });
    expect(visitor.screen.step).toBe('consent');
    expect(visitor.screen.page.querySelector('[data-registered-itself]')?.textContent).toContain(
      'på enheten',
    );
    expect((await visitor.submit({}, 'choice=allow')).step).toBe('device-allowed');
  });

  test('of a person who is signed in already asks for the yes alone, and loses its token when they sign out', async () => {
    const person = await newcomer();
    await person.signInTo(printer);
    const device = await newDevice(hemma, printer);
    const screen = await type(hemma, person.visitor, device.code);
    expect(screen.text).toContain(`Den loggas in som ${person.account.email}`);
    expect((await person.visitor.submit({}, allow)).step).toBe('device-allowed');
    const { json } = await device.ask();
    expect((await get(hemma.url('/me'), bearer(json['access_token']))).status).toBe(200);
    await person.visitor.visit(hemma.url('/session/end'));
    await person.visitor.submit({}, 'logout=yes');
    expect((await get(hemma.url('/me'), bearer(json['access_token']))).status).toBe(401);
  });

  test('that is a command line of an administrator opens the interface for programs, with two steps', async () => {
    const tool = await party({ ...onDevice, name: 'Verktyget', apiScopes: ['people:read'] });
    const alma = await somebodyWith(hemma, 'administrator');
    const asked = { scope: 'openid people:read', resource: resourceOf(hemma) };
    const device = await newDevice(hemma, tool, asked);
    expect((await letIn(alma, device)).step).toBe('device-allowed');
    expect(alma.steps).toEqual(expect.arrayContaining(['enrollment', 'consent']));
    const { json } = await device.ask(tool, { resource: asked.resource });
    expect((await call(hemma, '/people', { token: String(json['access_token']) })).status).toBe(200);
  });

  test('T34 gets nothing for an account that was disabled after the yes', async () => {
    const person = await newcomer();
    const device = await newDevice(hemma, printer);
    await letIn(person, device);
    const nothing = () => Promise.resolve();
    const aftermath = { endEverything: nothing, voidHelpDeskCode: () => Promise.resolve(false) };
    await disableUser(hemma.db, discardMail, aftermath, { target: person.account.id, by: 'shell' });
    expect(await device.ask()).toMatchObject(refused('invalid_grant'));
  });

  test('that asks too often is told to slow down, each time more; one that waits is not', async () => {
    const device = await newDevice(hemma, tv);
    const asked: unknown[] = [];
    for (const pause of [0, 5, 1, 10, 5, 15]) {
      travel(seconds(pause));
      asked.push((await device.ask()).json['error']);
    }
    const [wait, slower] = ['authorization_pending', 'slow_down'];
    expect(asked).toEqual([wait, wait, slower, wait, slower, wait]);
    travel(minutes(10));
    expect(await device.ask()).toMatchObject(refused('expired_token'));
  });

  test.each([
    ['an intent', { intent: 'replace_authenticator' }, 'invalid_request'],
    ['a scope that it is not registered with', { scope: 'openid offline_access' }, 'invalid_scope'],
  ])('that comes with %s is refused', async (_what, asked, error) => {
    const { answer } = await newDevice(hemma, printer, { ...asked });
    expect(answer.json['error']).toBe(error);
  });

  test('of another application gets nothing for its secret, nor does one that may not sign in devices', async () => {
    const device = await newDevice(hemma, tv);
    expect(await device.ask(printer)).toMatchObject(refused('invalid_grant'));
    await letIn(await newcomer(), device);
    expect(await device.ask(printer)).toMatchObject(refused('invalid_grant'));
    expect((await device.ask()).status).toBe(200);
    const web = await party({ deviceFlow: false });
    expect((await newDevice(hemma, web)).answer).toMatchObject(refused('invalid_request'));
  });
});

describe('a code', () => {
  test('in a link waits in the field until the person presses the button', async () => {
    const device = await newDevice(hemma, printer);
    const person = await newcomer();
    await person.signInTo(printer);
    const screen = await person.visitor.visit(device.link);
    expect(screen).toMatchObject({ step: 'device', status: 200 });
    expect(screen.page.querySelector('[name=user_code]')?.getAttribute('value')).toBe(device.code);
    expect(screen.page.querySelectorAll('script:not([src])')).toEqual([]);
    expect(screen.text).toContain('Ingen från oss');
    expect(await device.ask()).toMatchObject(refused('authorization_pending'));
    // In the other language it is there still.
    await person.visitor.follow('In English');
    await person.visitor.submit();
    expect(person.visitor.screen).toMatchObject({ step: 'device-confirm', refusal: undefined });
    travel(seconds(6));
    expect(await device.ask()).toMatchObject(refused('authorization_pending'));
  });

  test('in a link is text and nothing else', async () => {
    const link = hemma.url(`/device?user_code=${encodeURIComponent('"><b>x</b>')}`);
    const { page, status } = await newVisitor().visit(link);
    expect(status).toBe(200);
    expect(page.querySelector('main b')).toBeNull();
  });

  test('that is used, in another browser or unknown is told alike; one that ran out is told so', async () => {
    const [done, other, late] = await Promise.all([1, 2, 3].map(() => newDevice(hemma, printer)));
    if (!done || !other || !late) throw new Error('three devices');
    await letIn(await newcomer(), done);
    await type(hemma, newVisitor(), other.code);
    const elsewhere = newVisitor();
    await type(hemma, elsewhere, other.code);
    await elsewhere.submit({}, allow);
    const { visitor } = await newcomer();
    const told = [];
    for (const code of [done.code, other.code, 'BCDF-GHJK']) told.push(await type(hemma, visitor, code));
    for (const screen of told)
      expect(screen).toMatchObject({ status: 422, step: 'device', refusal: 'wrong-user-code' });
    expect(new Set(told.map(({ alert }) => alert)).size).toBe(1);
    expect(await type(hemma, visitor, '')).toMatchObject({ refusal: 'missing-user-code' });
    travel(minutes(11));
    expect(await type(hemma, visitor, late.code)).toMatchObject({ refusal: 'expired-user-code' });
  });

  test('may be typed again by whoever closed the page half-way, and answers once', async () => {
    const device = await newDevice(hemma, printer);
    const person = await newcomer();
    await type(hemma, person.visitor, device.code);
    const left = await person.visitor.submit({}, allow);
    expect(left.step).toBe('password');
    expect((await letIn(person, device)).step).toBe('device-allowed');
    person.visitor.backTo(left);
    await person.visitor.visit(left.url);
    expect((await person.answer(person.visitor.screen)).refusal).toBe('device-sign-in-ended');
    expect((await device.ask()).status).toBe(200);
  });

  test('that ran out during the sign-in lets nothing in', async () => {
    const device = await newDevice(hemma, printer);
    const person = await newcomer();
    await type(hemma, person.visitor, device.code);
    const screen = await person.visitor.submit({}, allow);
    travel(minutes(11));
    expect((await person.answer(screen)).refusal).toBe('expired-user-code');
    // Signed in all the same: the browser is theirs.
    expect((await person.visitor.visit(hemma.url('/account'))).step).toBe('account');
    expect(await device.ask()).toMatchObject(refused('expired_token'));
  });
});

describe('an attacker', () => {
  test('T21 answers for nobody by a form of another site, in any spelling of the address', async () => {
    const device = await newDevice(hemma, printer);
    const person = await newcomer();
    await person.signInTo(printer);
    const screen = await type(hemma, person.visitor, device.code);
    const right = screen.page.querySelector('[name=xsrf]')?.getAttribute('value') ?? '';
    const send = (path: string, xsrf: string, site: string) => {
      person.visitor.backTo(screen);
      const fields = { user_code: device.code, confirm: 'yes', xsrf };
      return person.visitor.post(hemma.url(path), fields, { 'sec-fetch-site': site });
    };
    for (const path of ['/device', '/DEVICE', '/device/'])
      for (const site of ['cross-site', 'same-site', 'none'])
        // An address has one spelling: at another there is nothing.
        expect([path, site, (await send(path, right, site)).status]).toEqual([
          path,
          site,
          path === '/device' ? 403 : 404,
        ]);
    const link = new URLSearchParams({ user_code: device.code, confirm: 'yes', xsrf: right });
    for (const xsrf of ['', 'x'.repeat(right.length)])
      expect(await send('/device', xsrf, 'same-origin')).toMatchObject({
        status: 403,
        refusal: 'form-expired',
      });
    await person.visitor.visit(`${hemma.url('/device')}?${link.toString()}`);
    expect(await device.ask()).toMatchObject(refused('authorization_pending'));
    expect((await letIn(person, device)).step).toBe('device-allowed');
  });

  test.each(['GET /device/x', 'GET /device/auth', 'POST /device'])(
    '%s without any cookie of ours is told so',
    async (asked) => {
      const [method = '', path = ''] = asked.split(' ');
      const told = await newVisitor().request(hemma.url(path), {
        method,
        headers: {
          accept: 'text/html',
          'sec-fetch-site': 'same-origin',
          'content-type': 'application/x-www-form-urlencoded',
        },
        ...(method === 'POST' ? { body: 'user_code=BCDF-GHJK&xsrf=x' } : {}),
      });
      expect(told.status).toBe(400);
      expect(told.body).toContain('data-step="problem"');
    },
  );

  test('T4 guesses twenty codes from one network, and then not even a right one is looked at', async () => {
    const device = await newDevice(hemma, printer);
    const headers = (address: string) => ({ headers: { 'x-forwarded-for': address } });
    const guesser = newVisitor(headers('198.51.100.7'));
    const guess = (n: number) => `BBBB-${'BCDFGHJKLMNPQRSTVWXZ'.at(n) ?? ''}BBB`;
    await guesser.visit(hemma.url('/device'));
    for (let n = 0; n < 20; n++)
      expect((await guesser.submit({ user_code: guess(n) })).refusal).toBe('wrong-user-code');
    expect(await guesser.submit({ user_code: device.code })).toMatchObject({
      status: 429,
      refusal: 'throttled',
    });
    const bystander = newVisitor(headers('198.51.100.8'));
    const seen = await type(hemma, bystander, device.code);
    expect(seen.step).toBe('device-confirm');
    expect(seen.text).toContain('på ett annat nätverk än du');
    travel(minutes(2));
    expect((await type(hemma, guesser, device.code)).step).toBe('device-confirm');
  });

  test('T4 guesses ten codes as one account, from however many networks', async () => {
    const device = await newDevice(hemma, printer);
    const person = await newcomer();
    await person.signInTo(printer);
    const from = (n: number) => ({ 'x-forwarded-for': `203.0.113.${n}` });
    await person.visitor.visit(hemma.url('/device'));
    for (let n = 0; n <= 10; n++) {
      const { page } = person.visitor.screen;
      const xsrf = page.querySelector('[name=xsrf]')?.getAttribute('value') ?? '';
      const code = n < 10 ? 'BBBB-CCCC' : device.code;
      await person.visitor.post(hemma.url('/device'), { xsrf, user_code: code }, from(n));
      expect([n, person.visitor.screen.refusal]).toEqual([n, n < 10 ? 'wrong-user-code' : 'throttled']);
    }
  });

  test('T27 redeems one yes twice at once: one wins, and what it got is ended', async () => {
    const device = await newDevice(hemma, printer);
    await letIn(await newcomer(), device);
    const answers = await Promise.all([device.ask(), device.ask(), device.ask(), device.ask()]);
    const got = answers.filter(({ status }) => status === 200);
    expect(got.length).toBeLessThanOrEqual(1);
    for (const { status, json } of answers.filter((one) => !got.includes(one)))
      expect([status, json['error']]).toEqual([400, 'invalid_grant']);
    for (const { json } of got)
      expect((await get(hemma.url('/me'), bearer(json['access_token']))).status).toBe(401);
  });

  test('T28 answers for one device in two browsers at once: one goes on', async () => {
    const device = await newDevice(hemma, printer);
    const people = await Promise.all([1, 2, 3].map(() => newcomer()));
    for (const person of people) {
      await person.signInTo(printer);
      await type(hemma, person.visitor, device.code);
    }
    const screens = await Promise.all(people.map(({ visitor }) => visitor.submit({}, allow)));
    const winners = people.filter((_one, at) => screens[at]?.step === 'device-allowed');
    expect(winners.map(() => 1)).toEqual([1]);
    const { json } = await device.ask();
    expect(decodeJwt(String(json['id_token'])).sub).toBe(winners[0]?.account.id);
  });

  test('T39 finds no code in the database, and nothing there that redeems one', async () => {
    const device = await newDevice(hemma, printer);
    const person = await newcomer();
    await type(hemma, person.visitor, device.code);
    const screen = await person.visitor.submit({}, allow);
    const { rows } = await hemma.db.query<{ all: string; key: string | null }>(
      `SELECT payload::text AS all, payload->>'deviceCode' AS key FROM oidc_records
       WHERE model IN ('DeviceCode', 'Interaction')`,
    );
    const everything = rows.map(({ all }) => all).join('\n');
    for (const secret of [device.secret, device.code, device.code.replace('-', '')])
      expect(everything).not.toContain(secret);
    await person.answer(screen);
    const keys = rows.flatMap(({ key }) => key ?? []);
    expect(keys.length).toBeGreaterThan(0);
    for (const key of keys)
      expect(
        await post(hemma.url('/token'), {
          grant_type: deviceGrant,
          device_code: key,
          client_id: tv.clientId,
        }),
      ).toMatchObject(refused('invalid_grant'));
    expect(hemma.logs()).not.toContain(device.code);
  });
});

describe('an application', () => {
  const base = { id: 'one', name: 'One', deviceFlow: true };
  test.each([
    ['native', { ...base, type: 'native' }, undefined],
    ['web', { ...base, type: 'web' }, undefined],
    [
      'of a sector',
      { ...base, type: 'native', subjectType: 'pairwise', sector: 'one.example' },
      'device-flow-pairwise',
    ],
    ['web that is none', { ...base, type: 'web', deviceFlow: false }, 'redirect-missing'],
    ['single-page', { ...base, type: 'single-page' }, 'device-flow-in-browser'],
    ['service', { ...base, type: 'service' }, 'not-for-a-service'],
  ])('%s', (_type, described, code) => {
    const checked = parseClient(described);
    expect('faults' in checked ? checked.faults.map((fault) => fault.code) : []).toEqual(
      code === undefined ? [] : [code],
    );
  });
});
