/** A provider, the real Autopay in this process, and one browser whose complaints are kept. */
import { randomBytes } from 'node:crypto';
import type { Page } from 'playwright-core';
import { startAutopay } from '../../autopay/app.ts';
import { loadAutopaySettings } from '../../autopay/settings.ts';
import { clientSchema } from '../../src/clients/schema.ts';
import { addSecret } from '../../src/clients/secrets.ts';
import { applyClient } from '../../src/clients/clients.ts';
import { type PersonOptions, startChromium } from '../rig/browser.ts';
import { connectPhone, type Kept, typePassword } from '../rig/ceremony.ts';
import { freePort } from '../rig/free-port.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { newVisitor } from '../rig/visitor.ts';

export interface Town {
  hemma: Hemma;
  /** Autopay's address. */
  autopay: string;
  newPerson(options?: PersonOptions): Promise<Page>;
  /** What browsers have complained about since it was last asked; a good day leaves none. */
  complaints(): string[];
  stop(): Promise<void>;
}

/** Registers Autopay as the demo does, with "Ny telefon?" in its menu, and starts it. */
async function openAutopay(hemma: Hemma) {
  const origin = `http://localhost:${await freePort()}`;
  const description = clientSchema.parse({
    id: 'autopay',
    name: 'Autopay',
    type: 'web',
    firstParty: true,
    redirectUris: [`${origin}/callback`],
    postLogoutRedirectUris: [`${origin}/signed-out`],
    backchannelLogoutUri: `${origin}/back-channel-logout`,
    launchUrl: origin,
    allowedIntents: ['replace_authenticator', 'step_up'],
  });
  await applyClient(hemma.db, description);
  const read = loadAutopaySettings({
    AUTOPAY_ORIGIN: origin,
    AUTOPAY_ISSUER: hemma.issuer,
    AUTOPAY_CLIENT_SECRET: await addSecret(hemma.db, 'autopay', 'test'),
    AUTOPAY_COOKIE_SECRET: randomBytes(32).toString('base64url'),
  });
  if (!read.ok) throw new Error(read.faults.join('\n'));
  return startAutopay(read.settings);
}

/** A header that the browser obeyed, and a field that was typed in before it could be focused. */
const note = /^(Clear-Site-Data header on .*: Cleared data types|Autofocus processing was blocked because)/;
/** A refused form is answered with a 4xx page, and Chromium says so of every document; that is no fault. */
const refusedPage = /^Failed to load resource: the server responded with a status of 4\d\d/;

function listen(page: Page, complaints: string[]): void {
  page.on('console', (message) => {
    if (note.test(message.text())) return;
    if (refusedPage.test(message.text()) && message.location().url.startsWith(page.url())) return;
    complaints.push(`${page.url()} said ${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (fault) => complaints.push(`${page.url()} threw: ${fault.message}`));
  page.on('response', (response) => {
    if (response.status() >= 500) complaints.push(`${response.url()} answered ${response.status()}`);
  });
}

/** Starts the town for one test file; call `stop` in `afterAll`. */
export async function startTown(): Promise<Town> {
  const hemma = await startHemma();
  const autopay = await openAutopay(hemma);
  const chromium = await startChromium();
  const complaints: string[] = [];
  return {
    hemma,
    autopay: autopay.origin,
    async newPerson(options) {
      const page = await chromium.newPerson(options);
      listen(page, complaints);
      return page;
    },
    complaints: () => complaints.splice(0),
    async stop() {
      await chromium.stop();
      await autopay.stop();
      await hemma.stop();
    },
  };
}

/** Somebody who has connected a phone already, elsewhere and earlier. */
export async function enrolled({ hemma, autopay }: Town, email: string): Promise<Kept> {
  await hemma.account({ email });
  const visitor = newVisitor();
  await visitor.visit(`${autopay}/sign-in`);
  await typePassword(visitor, email);
  return connectPhone(visitor);
}

/** Waits until the page in front of the person is this step of Hemma's. */
export const isAt = (page: Page, step: string): Promise<void> =>
  page.locator(`main[data-step="${step}"]`).waitFor();

/** Waits until the page in front of the person is this page of Autopay. */
export const isAtAutopay = (page: Page, name: string): Promise<void> =>
  page.locator(`main[data-page="${name}"]`).waitFor();

/** The recovery code as it is read from the page. */
export const readCode = async (page: Page): Promise<string> =>
  (await page.locator('.recovery-code').innerText()).replaceAll(/\s/g, '');

/** The key that the camera finds in the QR code: the one that stands beside it as text. */
export const scanned = async (page: Page): Promise<string> =>
  (await page.locator('[data-key]').getAttribute('data-key')) ?? '';
