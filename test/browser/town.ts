/**
 * The town that the journeys happen in: a provider, the real Autopay and Lön in this process, and one browser.
 * Whatever a browser complains about on any page, and every request that leaves the page's own host, is kept.
 */
import { randomBytes } from 'node:crypto';
import type { Page } from 'playwright-core';
import { type RunningAutopay, startAutopay } from '../../autopay/app.ts';
import { type AppName, loadAutopaySettings } from '../../autopay/settings.ts';
import { clientSchema } from '../../src/clients/schema.ts';
import { addSecret } from '../../src/clients/secrets.ts';
import { applyClient } from '../../src/clients/clients.ts';
import { type Chromium, type PersonOptions, startChromium } from '../rig/browser.ts';
import { freePort } from '../rig/free-port.ts';
import { type Hemma, type HemmaOptions, startHemma } from '../rig/hemma.ts';

export interface Town {
  hemma: Hemma;
  autopay: string;
  lon: string;
  /** A person with a browser profile of their own. */
  newPerson(options?: PersonOptions): Promise<Page>;
  /** Another tab of the same person. */
  newTab(of: Page): Promise<Page>;
  /** What browsers have complained about since it was last asked; a good day leaves none. */
  complaints(): string[];
  stop(): Promise<void>;
}

const names: Record<AppName, string> = { autopay: 'Autopay', lon: 'Lön' };

/** Registers one of the two applications by the product's own functions, and starts it. */
async function open(hemma: Hemma, app: AppName): Promise<RunningAutopay> {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const description = clientSchema.parse({
    id: app,
    name: names[app],
    type: 'web',
    firstParty: true,
    redirectUris: [`${origin}/callback`],
    postLogoutRedirectUris: [`${origin}/signed-out`],
    backchannelLogoutUri: `${origin}/back-channel-logout`,
    launchUrl: origin,
  });
  await applyClient(hemma.db, description);
  const read = loadAutopaySettings({
    AUTOPAY_APP: app,
    AUTOPAY_ORIGIN: origin,
    AUTOPAY_ISSUER: hemma.issuer,
    AUTOPAY_CLIENT_SECRET: await addSecret(hemma.db, app, 'test'),
    AUTOPAY_COOKIE_SECRET: randomBytes(32).toString('base64url'),
  });
  if (!read.ok) throw new Error(read.faults.join('\n'));
  return startAutopay(read.settings);
}

/** A refused form is answered with a 4xx page, and Chromium says so of every document; that is no fault. */
const refusedPage = /^Failed to load resource: the server responded with a status of 4\d\d/;

/** The browser's own notes on what went as it should: a header that it obeyed, a field that was typed in early. */
const note = /^(Clear-Site-Data header on .*: Cleared data types|Autofocus processing was blocked because)/;

function listen(page: Page, complaints: string[]): void {
  page.on('console', (message) => {
    if (message.type() === 'info' && note.test(message.text())) return;
    const aboutPage = message.location().url === page.url() || message.location().url.startsWith(page.url());
    if (aboutPage && refusedPage.test(message.text())) return;
    complaints.push(`${page.url()} said ${message.type()}: ${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (fault) => complaints.push(`${page.url()} threw: ${fault.message}`));
  page.on('request', (request) => {
    if (request.isNavigationRequest() || /^(data|blob):/.test(request.url())) return;
    const [from, to] = [page.url(), request.url()].map((url) => new URL(url).origin);
    if (from !== to) complaints.push(`${page.url()} asked ${request.url()}`);
  });
  page.on('response', (response) => {
    const { status, url } = { status: response.status(), url: response.url() };
    if (status >= 500 || (status >= 400 && !response.request().isNavigationRequest()))
      complaints.push(`${url} answered ${status}`);
  });
}

/** Starts the town for one test file; call `stop` in `afterAll`. */
export async function startTown(options: HemmaOptions = {}): Promise<Town> {
  const hemma = await startHemma(options);
  const [autopay, lon] = [await open(hemma, 'autopay'), await open(hemma, 'lon')];
  const chromium: Chromium = await startChromium();
  const complaints: string[] = [];
  return {
    hemma,
    autopay: autopay.origin,
    lon: lon.origin,
    async newPerson(person) {
      const page = await chromium.newPerson(person);
      listen(page, complaints);
      return page;
    },
    async newTab(of) {
      const page = await of.context().newPage();
      listen(page, complaints);
      return page;
    },
    complaints: () => complaints.splice(0),
    async stop() {
      await chromium.stop();
      await Promise.all([autopay.stop(), lon.stop()]);
      await hemma.stop();
    },
  };
}
