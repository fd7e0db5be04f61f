/** Requests that no browser of ours sends: they are refused in words, and the process and its log stay whole. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { back, minutes, travel } from '../rig/clock.ts';
import { fillIn } from '../rig/forms.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor } from '../rig/visitor.ts';
import { auditOf } from './audit.ts';
import { asForm } from './hostile.ts';
import { gotIn, newPerson, nextStep, provePassword } from './sign-in.ts';

let hemma: Hemma;
let party: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma });
});
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});
beforeEach(() => nextStep());
afterEach(back);

test.each(['state', 'nonce', 'login_hint', 'ui_locales', 'acr_values', 'scope', 'client_id'])(
  'R81 a NUL character in %s is refused or left out, never a fault',
  async (name) => {
    const { url } = await party.begin({
      [name]: 'a\u0000b',
      ...(name === 'ui_locales' ? { [name]: 'sv \u0000' } : {}),
    });
    const answer = await newVisitor().request(url, { headers: { accept: 'text/html' } });
    expect(answer.status).toBeLessThan(500);
  },
);

test('R81 a NUL character, a repeated field or an object in a form is refused, never a fault', async () => {
  const browser = newVisitor();
  const { email } = await hemma.account({ email: 'astrid@example.com' });
  await browser.visit((await party.begin()).url);
  const { url, page } = browser.screen;
  const token = encodeURIComponent(page.querySelector('[name=token]')?.getAttribute('value') ?? '');
  const good = `token=${token}&password=${encodeURIComponent(PASSWORD)}`;
  const bodies = [
    ...['email=a%00b@example.com', 'email=%00', `email=${email}%00`, 'email=%ED%A0%80', 'email=%F0%9F'].map(
      (one) => `${good}&${one}`,
    ),
    ...[`email=${email}&email=b`, `email[a]=${email}`, `email[]=${email}`, `email=${email}&password=x`].map(
      (one) => `${good}&${one}`,
    ),
    ...['email[__proto__][x]=1', '__proto__[email]=x', 'constructor[prototype][email]=x'].map(
      (one) => `${good}&${one}`,
    ),
    `token=${token}&email=${email}&password=%00`,
    `${good}&email=${'a'.repeat(2000)}`,
    `${good}&email=${'%61'.repeat(20_000)}`,
    `${good}&${'a[b]'.repeat(200)}=1`,
    `${good}&${Array.from({ length: 1500 }, (_, number) => `x${number}=1`).join('&')}`,
    '%',
    '',
  ];
  const accepted: unknown[] = [];
  for (const body of bodies) {
    const headers = { ...asForm, 'sec-fetch-site': 'same-origin', accept: 'text/html' };
    const answer = await browser.request(url, { method: 'POST', body, headers });
    if (answer.status < 400 || answer.status > 499) accepted.push([answer.status, body.slice(-60)]);
  }
  expect(accepted).toEqual([]);
  await browser.submit({ email, password: PASSWORD });
  expect(browser.screen.step).toBe('enrollment');
});

test('R81 a NUL character or half a letter in a request of somebody signed in is refused, never a fault', async () => {
  const bodil = await newPerson(hemma, party, { email: 'bodil@example.com' });
  const half = JSON.stringify({ id_token: { acr: { values: ['\\ud800', '\\u0000'] } } }).replaceAll(
    '\\\\',
    '\\',
  );
  const { url } = await party.begin({ claims: half });
  const requests = [
    url,
    hemma.url('/session/end?state=%00'),
    hemma.url('/session/end?ui_locales=%00'),
    hemma.url('/account?saved=%00&ui_locales=%00'),
    hemma.url('/%00'),
  ];
  const faults: string[] = [];
  for (const address of requests) {
    const { status } = await bodil.browser.request(address, { headers: { accept: 'text/html' } });
    if (status >= 500) faults.push(new URL(address).pathname + new URL(address).search.slice(0, 20));
  }
  expect(faults).toEqual([]);
  const { page } = await bodil.browser.visit(hemma.url('/account'));
  const token = page.querySelector('main [name=token]')?.getAttribute('value') ?? '';
  const { status } = await bodil.browser.post(hemma.url('/account'), { token, forget: 'a\u0000b' });
  expect(status).toBeLessThan(500);
});

test('R87 an address with line breaks forges no line of the log and no row of the audit', async () => {
  const { email } = await hemma.account({ email: 'cecilia@example.com' });
  const browser = newVisitor({ userAgent: 'x {"event":"sign-in.finished"}' });
  await browser.visit((await party.begin()).url);
  const forged = `${email}\r\n{"level":"info","event":"password.right","msg":"forged"}`;
  await browser.submit({ email: forged, password: PASSWORD });
  await browser.visit(
    `${hemma.issuer}/nowhere%0d%0a%7b%22level%22%3a%22info%22%2c%22msg%22%3a%22forged%22%7d`,
  );
  const lines = hemma.logs().trim().split('\n');
  for (const line of lines) expect(() => JSON.parse(line) as unknown).not.toThrow();
  expect(lines.filter((line) => (JSON.parse(line) as { msg?: string }).msg === 'forged')).toEqual([]);
  expect(await auditOf(hemma, email)).toEqual([expect.objectContaining({ event: 'account.created' })]);
});

/** What a thief would like the application to have asked for instead. */
const instead = {
  client_id: 'hemma-account',
  response_type: 'id_token token',
  response_mode: 'fragment',
  redirect_uri: 'https://evil.example/',
  scope: 'openid offline_access',
  state: 'other',
  nonce: 'other',
  prompt: 'none',
  acr_values: 'urn:hemma:1',
  intent: 'delete_account',
  code_challenge: 'other',
  code_challenge_method: 'plain',
};
const query = `?${new URLSearchParams(instead).toString()}`;

test('SECURITY 10 nothing that is added to the addresses and forms of a sign-in changes what was asked for', async () => {
  const doris = await newPerson(hemma, party, { email: 'doris@example.com' });
  nextStep();
  const browser = newVisitor();
  const begun = await party.begin({ acr_values: 'urn:hemma:2' });
  await browser.visit(begun.url);
  const send = async (fields: Record<string, string>) => {
    await browser.visit(browser.screen.url.href + query);
    const { action, body } = fillIn(browser.screen.page, browser.screen.url, fields);
    for (const [name, value] of Object.entries(instead)) body.append(name, value);
    const headers = { ...asForm, 'sec-fetch-site': 'same-origin' };
    const answer = await browser.request(action.href + query, {
      method: 'POST',
      body: body.toString(),
      headers,
    });
    expect(answer.status).toBe(303);
    return browser.visit(new URL((answer.headers.location ?? '') + query, action));
  };
  await send({ email: doris.email, password: PASSWORD });
  expect(browser.screen.step).toBe('totp');
  await send({ code: sixDigits(doris.key) });
  expect(gotIn(browser)).toBe(true);
  expect(browser.screen.url.href.startsWith(party.redirectUri)).toBe(true);
  // State, nonce, redirect address and challenge are checked here by the application's library.
  const tokens = await party.redeem(begun, browser.screen.url);
  expect(tokens.refresh_token).toBeUndefined();
  expect(decodeJwt(tokens.id_token ?? '')).toMatchObject({ aud: party.clientId, acr: 'urn:hemma:2' });
});

test('SECURITY 10 a sign-in that has run out is not begun anew by any address, with other wishes or without', async () => {
  const elsa = await newPerson(hemma, party, { email: 'elsa@example.com' });
  const browser = newVisitor();
  await provePassword(browser, party, elsa.email);
  const { url } = browser.screen;
  const uid = url.pathname.split('/')[2] ?? '';
  travel(minutes(31));
  for (const path of [url.pathname, `/interaction/${uid}/`, `/interaction/${uid}/password`, `/auth/${uid}`]) {
    for (const address of [path, path + query]) {
      await browser.visit(hemma.url(address));
      expect([address, browser.screen.step, browser.screen.chain.length]).toEqual([address, 'problem', 1]);
      expect(browser.screen.status).toBeLessThan(500);
      expect(browser.screen.body).not.toContain('href="https://evil.example');
    }
  }
});
