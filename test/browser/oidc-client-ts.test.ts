/** A client that nobody here wrote, in the browser: the program of docs/connect/browser.md, as it is printed there. */
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { applyClient } from '../../src/clients/clients.ts';
import { programOf, registrationOf } from '../foreign/guide.ts';
import { type Chromium, startChromium } from '../rig/browser.ts';
import { connectPhone, typePassword } from '../rig/ceremony.ts';
import { back, seconds, travelTo } from '../rig/clock.ts';
import { freePort } from '../rig/free-port.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor } from '../rig/visitor.ts';

const email = 'astrid@example.com';
let hemma: Hemma;
let chromium: Chromium;
let server: Server;
let origin: string;
let key: string;

/** The library as its makers build it for pages without a bundler. */
const library = join(
  dirname(createRequire(import.meta.url).resolve('oidc-client-ts/package.json')),
  'dist/browser/oidc-client-ts.min.js',
);

beforeAll(async () => {
  hemma = await startHemma();
  const port = await freePort();
  origin = `http://localhost:${port}`;
  const here = { hemma: hemma.issuer, app: origin };
  const html = 'text/html; charset=utf-8';
  const script = 'text/javascript; charset=utf-8';
  const files = new Map([
    ['/', { type: html, text: await programOf('browser', 'index.html', here) }],
    ['/app.js', { type: script, text: await programOf('browser', 'app.js', here) }],
    ['/oidc-client-ts.min.js', { type: script, text: await readFile(library, 'utf8') }],
  ]);
  server = createServer(({ url = '/' }, response) => {
    const file = files.get(new URL(url, origin).pathname);
    response.writeHead(file ? 200 : 404, { 'content-type': file?.type ?? 'text/plain' }).end(file?.text);
  });
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  await applyClient(hemma.db, await registrationOf('browser', here));
  chromium = await startChromium();
  // Somebody who has connected a phone, elsewhere and earlier.
  await hemma.account({ email });
  const visitor = newVisitor();
  await visitor.visit(hemma.url('/account'));
  await typePassword(visitor, email);
  ({ key } = await connectPhone(visitor));
});
afterAll(async () => {
  back();
  await chromium.stop();
  server.close();
  await hemma.stop();
});

const nextDigits = () => {
  travelTo(new Date((Math.floor(Date.now() / seconds(30)) + 1) * seconds(30)));
  return sixDigits(key);
};

/** The pages of the provider, as far as they are asked. */
async function answer(page: Page, ...steps: ('password' | 'totp' | 'sign-out')[]): Promise<void> {
  for (const step of steps) {
    await page.locator(`main[data-step="${step}"]`).waitFor();
    await page.waitForLoadState('load');
    if (step === 'totp') {
      const box = page.locator('input[name=rememberDevice]');
      if (await box.isVisible()) await box.check();
      await page.locator('input[name=code]').pressSequentially(nextDigits());
      continue;
    }
    if (step === 'password') {
      await page.getByLabel('Email address').fill(email);
      await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    }
    const button = step === 'password' ? 'Sign in' : 'Sign out';
    await page.getByRole('button', { name: button, exact: true }).click();
  }
}

test('signs in, signs out, steps up, and notices a sign-out elsewhere', async () => {
  const page = await chromium.newPerson({ locale: 'en-GB' });
  const faults: string[] = [];
  page.on('pageerror', ({ message }) => faults.push(message));
  page.on('console', (message) => message.type() === 'warning' && faults.push(message.text()));
  const press = (name: string) => page.getByRole('button', { name, exact: true }).click();

  await page.goto(origin);
  await press('Sign in');
  await answer(page, 'password', 'totp');
  // The name is the userinfo endpoint's, which the script asked by itself.
  await page.getByText('Hello Astrid Lind!').waitFor();
  expect(page.url()).toBe(`${origin}/`);

  await press('Sign out');
  await answer(page, 'sign-out');
  await page.waitForURL(`${origin}/`);
  expect(await page.locator('main').innerText()).toBe('Sign in');

  // The device is remembered by now: the password is enough to come in, and not to pay.
  await press('Sign in');
  await answer(page, 'password');
  await press('Pay');
  await answer(page, 'password', 'totp');
  await page.getByText('Hello Astrid Lind! Paid.').waitFor();

  const other = await page.context().newPage();
  await other.goto(hemma.url('/session/end'));
  await answer(other, 'sign-out');
  await other.locator('main[data-step="signed-out"]').waitFor();
  await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
  await page.getByText('You have been signed out.').waitFor();
  await page.reload();
  expect(await page.locator('main').innerText()).toBe('Sign in');
  expect(faults).toEqual([]);
});

test('an answer that nobody here asked for signs nobody in', async () => {
  const page = await chromium.newPerson({ locale: 'en-GB' });
  await page.goto(`${origin}/?code=somebody-elses&state=unheard-of&iss=${encodeURIComponent(hemma.issuer)}`);
  await page.getByText('The sign-in failed. Please try again.').waitFor();
  expect(await page.locator('main').innerText()).toMatch(/Sign in$/);
  expect(page.url()).toBe(`${origin}/`);
});
