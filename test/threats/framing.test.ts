/** Pages laid invisibly over a game: every answer forbids every frame, the library's own pages too. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { back, days, travel } from '../rig/clock.ts';
import type { Answer } from '../rig/exchange.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits, wrongDigits } from '../rig/totp.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { connectPhone, gotIn, newPerson, nextStep, provePassword } from './sign-in.ts';

let hemma: Hemma;
let party: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma, description: { firstParty: false } });
});
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});
beforeEach(() => nextStep());
afterEach(back);

function directives({ headers }: Pick<Answer, 'headers'>): Map<string, string> {
  const policy = String(headers['content-security-policy'] ?? '');
  return new Map(
    policy.split(';').map((part) => {
      const [name = '', ...values] = part.trim().split(/\s+/);
      return [name, values.join(' ')] as const;
    }),
  );
}

function expectShielded(what: string, answer: Pick<Answer, 'headers'>): void {
  const policy = directives(answer);
  expect([what, policy.get('frame-ancestors')]).toEqual([what, "'none'"]);
  expect([what, policy.get('default-src'), policy.get('object-src')]).toEqual([what, "'none'", "'none'"]);
  expect([what, policy.get('base-uri')]).toEqual([what, "'none'"]);
  const scripts = `${policy.get('script-src') ?? ''} ${policy.get('style-src') ?? ''}`;
  expect([what, /unsafe|\*|data:|https?:/.test(scripts)]).toEqual([what, false]);
  expect([what, answer.headers['x-frame-options']]).toEqual([what, 'DENY']);
  expect([what, answer.headers['x-content-type-options']]).toEqual([what, 'nosniff']);
  expect([what, answer.headers['referrer-policy']]).toEqual([what, 'no-referrer']);
  expect([what, answer.headers['cross-origin-opener-policy']]).toEqual([what, 'same-origin']);
}

const look = (browser: Visitor, step: string) => {
  expect(browser.screen.step).toBe(step);
  expectShielded(step, browser.screen);
};

test('T22 no page of a sign-in can be framed', async () => {
  const { email } = await hemma.account({ email: 'astrid@example.com' });
  travel(days(8));
  const browser = newVisitor();
  await browser.visit((await party.begin()).url);
  look(browser, 'password');
  await browser.submit({ email, password: 'wrong' });
  look(browser, 'password');
  await browser.submit({ email, password: PASSWORD });
  look(browser, 'mailed-code');
  const code = /\d{4} \d{4}/.exec((await hemma.mail.mailTo(email, /\d{4} \d{4}/)).text)?.[0] ?? '';
  await browser.submit({ code });
  look(browser, 'enrollment');
  const key = browser.screen.page.querySelector('[data-key]')?.getAttribute('data-key') ?? '';
  await browser.submit({ code: sixDigits(key) });
  look(browser, 'new-recovery-code');
  const shown = browser.screen.page.querySelector('[data-recovery-code]')?.getAttribute('data-recovery-code');
  await browser.submit({ lastGroup: shown?.slice(-4) ?? '' });
  look(browser, 'consent');
  await browser.submit({}, 'choice=allow');
  expect(gotIn(browser)).toBe(true);
  await provePassword(browser, party, email, { prompt: 'login' });
  look(browser, 'totp');
  await browser.submit({ code: wrongDigits(key) });
  look(browser, 'totp');
});

test('T22 neither My details, nor the question before another account, nor signing out can be framed', async () => {
  const bodil = await newPerson(hemma, party, { email: 'bodil@example.com' }).catch(() => undefined);
  expect(bodil).toBeDefined();
  const { email } = await hemma.account({ email: 'cecilia@example.com' });
  const browser = bodil?.browser ?? newVisitor();
  await browser.submit({}, 'choice=allow');
  await browser.visit(hemma.url('/account'));
  look(browser, 'account');
  await provePassword(browser, party, email, { prompt: 'login' });
  look(browser, 'other-account');
  await browser.submit({}, 'choice=switch');
  await connectPhone(browser);
  expect(gotIn(browser) || browser.screen.step === 'consent').toBe(true);
  await browser.visit(hemma.url('/session/end'));
  look(browser, 'sign-out');
  await browser.submit({}, 'logout=yes');
  look(browser, 'signed-out');
  await browser.visit(hemma.url('/session/end'));
  expectShielded('signing out without a session', browser.screen);
});

test('T22 an answer by form_post cannot be framed', async () => {
  const browser = newVisitor();
  const { url } = await party.begin({ response_mode: 'form_post', prompt: 'none' });
  const answer = await browser.request(url);
  expect(answer.body).toContain('login_required');
  expectShielded('form_post', answer);
});

test('T22 no redirect, problem page, file or machine answer can be framed', async () => {
  const browser = newVisitor();
  const paths = [
    '/',
    '/account',
    '/auth',
    '/auth?client_id=nobody',
    '/nowhere',
    '/interaction/x/password',
    '/%E0%A4%A',
    '/public/nothing.css',
    '/public/favicon.svg',
    '/health/live',
    '/health/ready',
    '/token',
    '/jwks',
    '/me',
    '/session/end',
    '/session/end/success',
    '/session/end/confirm',
    '/request',
    '/token/introspection',
    '/.well-known/openid-configuration',
    '/interaction/%00/password',
    '/dev/mail',
    '/admin',
    '/api/people',
  ];
  for (const path of paths) {
    for (const method of ['GET', 'POST', 'OPTIONS']) {
      const headers = { accept: 'text/html', 'content-type': 'application/x-www-form-urlencoded' };
      const answer = await browser.request(`${hemma.issuer}${path}`, { method, headers });
      expectShielded(`${method} ${path}`, answer);
      expect([method, path, answer.status < 500 || answer.status === 501]).toEqual([method, path, true]);
    }
  }
  const foreign = await browser.request(hemma.issuer, { headers: { host: 'evil.example' } });
  expect(foreign.status).toBe(421);
  expectShielded('a foreign host', foreign);
});
