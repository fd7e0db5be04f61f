/** Strangers who lock people out, or who lie about where they come from. A proxy stands before this provider. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { back, hours, runOn, seconds, stopClock, travel } from '../rig/clock.ts';
import { fillIn } from '../rig/forms.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { auditOf } from './audit.ts';
import { asForm } from './hostile.ts';
import { gotIn, newPerson, nextStep, provePassword, refusalOn, signIn } from './sign-in.ts';

let hemma: Hemma;
let party: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma({ env: { HEMMA_TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8' } });
  party = await startRelyingParty({ hemma });
});
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});
beforeEach(() => nextStep());
afterEach(back);

const from = (address: string) => newVisitor({ headers: { 'x-forwarded-for': address } });

/** Wrong passwords for distinct names, twenty at a time. */
async function stuff(stranger: Visitor, names: number, address: string): Promise<void> {
  await stranger.visit((await party.begin()).url);
  for (let first = 1; first <= names; first += 20) {
    const guesses = Array.from({ length: 20 }, (_none, at) => {
      const fields = { email: `nobody${first + at}@example.com`, password: 'wrong' };
      const { action, body } = fillIn(stranger.screen.page, stranger.screen.url, fields);
      const headers = { ...asForm, 'sec-fetch-site': 'same-origin', 'x-forwarded-for': address };
      return stranger.request(action, { method: 'POST', body: body.toString(), headers });
    });
    for (const { status } of await Promise.all(guesses)) expect(status).toBe(422);
  }
}

/** Wrong passwords until the budget of the address is spent. */
async function besiege(email: string, stranger: Visitor): Promise<void> {
  await stranger.visit((await party.begin()).url);
  for (let guess = 1; guess <= 11; guess++) await stranger.submit({ email, password: `wrong ${guess}` });
  expect(refusalOn(stranger)).toBe('throttled');
}

test("T4 strangers' wrong passwords do not keep out a browser that signed in before", async () => {
  const astrid = await newPerson(
    hemma,
    party,
    { email: 'astrid@example.com' },
    { headers: { 'x-forwarded-for': '192.0.2.1' } },
  );
  await besiege(astrid.email, from('198.51.100.7'));
  await signIn(astrid.browser, party, astrid, { prompt: 'login' });
  expect(gotIn(astrid.browser)).toBe(true);
});

test('T4 strangers who share the address with it do not keep out a browser that signed in before', async () => {
  const office = '192.0.2.50';
  const headers = { 'x-forwarded-for': office };
  const fia = await newPerson(hemma, party, { email: 'fia@example.com' }, { headers });
  const stranger = from(office);
  // The network's budget does not recover while the guesses are hashed.
  stopClock();
  await stuff(stranger, 200, office);
  await stranger.submit({ email: 'one.more@example.com', password: 'wrong' });
  expect(refusalOn(stranger)).toBe('throttled');
  runOn();
  await provePassword(fia.browser, party, fia.email, { prompt: 'login' });
  expect(refusalOn(fia.browser)).toBeUndefined();
  expect(fia.browser.screen.step).toBe('totp');
  // Two hundred guesses, each with its full hashing.
}, 120_000);

test('T4 a browser that never signed in waits for the pause, and gets in after it', async () => {
  const bodil = await newPerson(hemma, party, { email: 'bodil@example.com' });
  await besiege(bodil.email, from('198.51.100.8'));
  const borrowed = from('192.0.2.2');
  await provePassword(borrowed, party, bodil.email);
  expect(borrowed.screen).toMatchObject({ status: 429, step: 'password' });
  travel(seconds(Number(borrowed.screen.headers['retry-after'])));
  await signIn(borrowed, party, bodil);
  expect(gotIn(borrowed)).toBe(true);
});

test('T4 a made-up device cookie, or one of another account, buys a stranger no guesses', async () => {
  const cecilia = await newPerson(hemma, party, { email: 'cecilia@example.com' });
  const malin = await newPerson(hemma, party, { email: 'malin@example.com' });
  await besiege(cecilia.email, from('198.51.100.9'));
  const devices = malin.browser.cookies.all().filter(({ name }) => name.includes('device'));
  expect(devices).toHaveLength(1);
  const thieves = [newVisitor({ stolen: devices }), newVisitor(), newVisitor()];
  thieves[1]?.cookies.plant(new URL(hemma.issuer), devices[0]?.name ?? '', 'x');
  thieves[2]?.cookies.plant(new URL(hemma.issuer), devices[0]?.name ?? '', 'A'.repeat(43));
  for (const thief of thieves) {
    await provePassword(thief, party, cecilia.email);
    expect(thief.screen.status).toBe(429);
  }
});

test('T4 a stolen device cookie has a budget of its own, which ends', async () => {
  const doris = await newPerson(hemma, party, { email: 'doris@example.com' });
  const thief = newVisitor({
    stolen: doris.browser.cookies.all().filter(({ name }) => name.includes('device')),
    headers: { 'x-forwarded-for': '198.51.100.10' },
  });
  await besiege(doris.email, thief);
  // Without the cookie, the owner's other browsers are not touched by it.
  await signIn(from('192.0.2.4'), party, doris);
  travel(hours(1));
  await signIn(doris.browser, party, doris, { prompt: 'login' });
  expect(gotIn(doris.browser)).toBe(true);
});

test.each([
  ['203.0.113.9', '203.0.113.9'],
  ['1.2.3.4, 203.0.113.9', '203.0.113.9'],
  ['127.0.0.1, 203.0.113.9, 10.1.2.3', '203.0.113.9'],
  ['203.0.113.9, 127.0.0.1', '203.0.113.9'],
  ['unknown, 203.0.113.9', '203.0.113.9'],
  ['203.0.113.9, <script>', '127.0.0.1'],
  ['2001:db8::7', '2001:db8::7'],
  ['::ffff:203.0.113.9', '203.0.113.9'],
  ['', '127.0.0.1'],
])(
  'T5 behind a trusted proxy "%s" comes from the right-most hop that is not trusted',
  async (header, address) => {
    const email = `hop${Buffer.from(header).toString('hex').slice(0, 40)}@example.com`;
    await hemma.account({ email });
    const visitor = from(header);
    await visitor.visit((await party.begin()).url);
    await visitor.submit({ email, password: 'wrong' });
    const rows = await auditOf(hemma, email);
    expect(rows.find(({ event }) => event === 'password.wrong')?.address).toBe(address);
  },
);

test('T5 what others than the proxy write is not believed, even behind it', async () => {
  const { email } = await hemma.account({ email: 'elsa@example.com' });
  const visitor = newVisitor({
    headers: {
      'x-forwarded-for': '203.0.113.77',
      'x-real-ip': '192.0.2.99',
      forwarded: 'for=192.0.2.98',
      'true-client-ip': '192.0.2.97',
      'cf-connecting-ip': '192.0.2.96',
    },
  });
  await visitor.visit((await party.begin()).url);
  await visitor.submit({ email, password: `not ${PASSWORD}` });
  const rows = await auditOf(hemma, email);
  expect(rows.find(({ event }) => event === 'password.wrong')?.address).toBe('203.0.113.77');
});
