/** The two scripts of the applications' pages: addresses judged while they are typed, and values that are copied. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { recordClientError } from '../../src/oidc/client-errors.ts';
import { violations } from '../rig/axe.ts';
import { type Chromium, startChromium } from '../rig/browser.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { startRelyingParty, type RelyingParty } from '../rig/relying-party.ts';
import { operator, type OperatorAtWork } from './town.ts';

let hemma: Hemma;
let chromium: Chromium;
let alma: OperatorAtWork;
let party: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma();
  chromium = await startChromium();
  alma = await operator(hemma, 'alma@hemma.example', 'administrator');
  party = await startRelyingParty({ hemma });
  const address = `https://app.norrlandsbageri.example/${'quite-long'.repeat(9)}`;
  const refused = {
    endpoint: 'authorization',
    error: 'invalid_redirect_uri',
    detail: 'redirect_uri',
    address,
  } as const;
  await recordClientError(hemma.db, party.clientId, refused);
});
afterAll(async () => {
  await chromium.stop();
  await party.stop();
  await hemma.stop();
});

/** The operator's own session, in a real browser. */
async function sit(options: Parameters<Chromium['newPerson']>[0] = {}): Promise<Page> {
  const page = await chromium.newPerson(options);
  const header = alma.visitor.cookies.headerFor(new URL(hemma.issuer)) ?? '';
  const cookies = header.split('; ').map((one) => {
    const [name = '', ...rest] = one.split('=');
    return { name, value: rest.join('='), url: hemma.issuer };
  });
  await page.context().addCookies(cookies);
  return page;
}

describe('the form of an application', () => {
  test('says of each address, while it is typed, whether it may be registered', async () => {
    const page = await sit();
    const errors: string[] = [];
    page.on('console', (message) => void (message.type() === 'error' && errors.push(message.text())));
    await page.goto(hemma.url('/admin/clients/-/new/web'));
    await page.locator('#redirectUris').fill('https://app.example/back\nhttp://app.example/back');
    const told = page.locator('#redirectUris + .checked li');
    await told.nth(1).waitFor();
    expect(await told.allTextContents()).toEqual([
      'https://app.example/back – Adressen går bra.',
      expect.stringContaining('http://app.example/back – Använd https.'),
    ]);
    expect(await told.nth(1).getAttribute('data-checked')).toBe('address-not-https');
    await page.locator('#redirectUris').fill('https://app.example/back');
    await told.nth(1).waitFor({ state: 'detached' });
    expect(errors).toEqual([]);
    expect(await violations(page)).toEqual([]);
  });

  test('works without scripts, and a refusal is clean for everybody', async () => {
    const page = await sit({ javaScript: false, width: 320, locale: 'en-GB' });
    await page.goto(hemma.url('/admin/clients/-/new/web?ui_locales=en'));
    await page.locator('#name').fill('By hand');
    await page.locator('#id').fill('by-hand');
    await page.locator('#redirectUris').fill('https://app.example/#x');
    await page.getByRole('button', { name: 'Create the application' }).click();
    expect(await page.locator('[role=alert]').textContent()).toContain('An address must not have a #.');
    await page.locator('#redirectUris').fill('https://app.example/x');
    await page.getByRole('button', { name: 'Create the application' }).click();
    expect(await page.locator('main').getAttribute('data-step')).toBe('client');
  });
});

describe('a value to copy', () => {
  test('has a button that copies it and says so; without scripts there is no such button', async () => {
    const page = await sit();
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: hemma.issuer });
    await page.goto(hemma.url(`/admin/clients/${party.clientId}/connect`));
    const button = page.locator('[data-endpoint=discovery] [data-copy]');
    await button.click();
    await button.and(page.getByText('Kopierat')).waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(
      hemma.url('/.well-known/openid-configuration'),
    );
    const plain = await sit({ javaScript: false });
    await plain.goto(hemma.url(`/admin/clients/${party.clientId}/connect`));
    expect(await plain.locator('[data-copy]:visible').count()).toBe(0);
    expect(await plain.locator('[data-endpoint=token]').textContent()).toContain(hemma.url('/token'));
  });
});

test.each([
  '',
  '/connect',
  '/secrets',
  '/secrets/new',
  '/try?person=alma@hemma.example',
  '/delete',
  '/sign-out',
])('the page …%s is for everybody: axe finds nothing, and 320 pixels are enough', async (below) => {
  const page = await sit({ reducedMotion: true });
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.setViewportSize({ width: 320, height: 800 });
  await page.goto(hemma.url(`/admin/clients/${party.clientId}${below}`));
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320);
  expect(await violations(page)).toEqual([]);
});
