/** Requests that no browser of ours sends: they are refused in words, and the process and its log stay whole. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { back } from '../rig/clock.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor } from '../rig/visitor.ts';
import { auditOf } from './audit.ts';
import { asForm } from './hostile.ts';
import { newPerson, nextStep } from './sign-in.ts';

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
