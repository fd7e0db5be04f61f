/**
 * Every page of the console, for everybody: WCAG 2.2 AA by axe, in Swedish by day and in English by night, and no
 * sideways scroll on a phone or a desk. The pages of applications are looked at in clients-scripts.test.ts.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { createInitialAccessToken } from '../../src/oidc/registration/initial-access-tokens.ts';
import { resourceServerSchema } from '../../src/clients/resource-servers/schema.ts';
import { createResourceServer } from '../../src/clients/resource-servers/resource-servers.ts';
import { changeAttributes } from '../../src/users/attributes.ts';
import { defineCustomClaim } from '../../src/oidc/claims/custom-claims.ts';
import { violations } from '../rig/axe.ts';
import { type Chromium, startChromium } from '../rig/browser.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { group, operator, type OperatorAtWork, putInto } from './town.ts';

let hemma: Hemma;
let chromium: Chromium;
let alma: OperatorAtWork;
let paths: Record<string, string>;
beforeAll(async () => {
  hemma = await startHemma();
  chromium = await startChromium();
  const bakery = await group(hemma, 'Norrlands Bageri AB');
  const { id: haulier } = await group(hemma, 'Söderströms Åkeri');
  const email = 'anna-karin.osterberg-lindqvist@norrlandsbageri.example';
  const anna = await hemma.account({ email, name: 'Anna-Karin Österberg-Lindqvist', twoStepRequired: false });
  await putInto(hemma, anna, bakery);
  alma = await operator(hemma, 'alma@example.com', 'administrator');
  const orders = await resourceServer('https://api.norrlandsbageri.example/bestallningar/v2');
  await alma.visitor.visit(hemma.url('/admin/people/invite'));
  const invited = (await alma.visitor.submit({ name: 'Dagny Dahl', email: 'dagny@example.com' })).url
    .pathname;
  const person = `/admin/people/${anna.id}`;
  const token = await initialAccessToken();
  const claim = await claimsOf(anna.id);
  const [open, closed] = [await caseOf(anna.id), await caseOf(anna.id, new Date())];
  const deeds = ['disable', 'enable', 'end-sessions', 'require-two-step', 'role', 'groups'];
  paths = {
    people: '/admin/people',
    'nobody found': '/admin/people?q=zzz',
    invite: '/admin/people/invite',
    import: '/admin/people/import',
    person,
    invited,
    itself: `/admin/people/${alma.id}`,
    'resend-invitation': `${invited}/resend-invitation`,
    ...Object.fromEntries(deeds.map((deed) => [deed, `${person}/${deed}`])),
    cases: '/admin/cases',
    'closed cases': '/admin/cases?closed=yes',
    case: `/admin/cases/${open}`,
    'closed case': `/admin/cases/${closed}`,
    ...Object.fromEntries(
      ['send', 'begin-anew', 'close'].map((deed) => [deed, `/admin/cases/${open}/${deed}`]),
    ),
    'all groups': '/admin/groups',
    group: `/admin/groups/${haulier}`,
    'group to remove': `/admin/groups/${haulier}/delete`,
    'initial access tokens': '/admin/clients/-/initial-access-tokens',
    'new initial access token': '/admin/clients/-/initial-access-tokens/new',
    'initial access token to revoke': `/admin/clients/-/revoke-initial-access-token/${token}`,
    'resource servers': '/admin/resource-servers',
    'a new resource server': '/admin/resource-servers/-/new',
    'a resource server': `/admin/resource-servers/${orders}`,
    'a resource server to change': `/admin/resource-servers/${orders}/edit`,
    'a resource server to remove': `/admin/resource-servers/${orders}/delete`,
    'an application that calls it': '/admin/clients/-/new/service',
    attributes: `${person}/attributes`,
    claims: '/admin/claims',
    'new claim': '/admin/claims/new',
    claim: `/admin/claims/${claim}`,
    'claim to remove': `/admin/claims/${claim}/delete`,
    audit: '/admin/audit',
    'nothing found': '/admin/audit?since=2020-01-01&until=2020-01-02',
    'nobody asked for': '/admin/audit?account=nobody@example.com',
    'what is not there': '/admin/people/00000000-0000-4000-8000-000000000000',
  };
});
afterAll(async () => {
  await chromium.stop();
  await hemma.stop();
});

/** A token for an application with a long name, whose name is long too. */
async function initialAccessToken(): Promise<string> {
  const name = 'Bokföringsleverantören i Norrland AB, förvaltning';
  const limits = { types: ['web', 'single-page'], hosts: ['inloggning.bokforingsleverantoren.example'] };
  const made = await createInitialAccessToken(hemma.db, { name, ...limits }, {});
  return 'id' in made ? made.id : '';
}

async function resourceServer(id: string): Promise<string> {
  const scopes = [
    { name: 'bestallningar:lasa', description: 'läsa dina beställningar' },
    { name: 'bestallningar:andra', description: 'ändra dina beställningar och när de ska levereras' },
  ];
  const described = resourceServerSchema.parse({ id, name: 'Beställningar', scopes });
  const made = await createResourceServer(hemma.db, described, {});
  return 'number' in made ? made.number : '';
}

/** Claims of the house's own with long names, and somebody who has values for them. */
async function claimsOf(account: string): Promise<string> {
  const name = 'https://norrlandsbageri.example/claims/cost-centre-of-the-department';
  const made = [
    { name, scope: 'cost-centres-of-departments', label: { sv: 'Kostnadsställe', en: 'Cost centre' } },
    { name: 'roles', scope: 'staff', label: { sv: 'Roller', en: 'Roles' }, multi: true },
  ].map((one) => defineCustomClaim(hemma.db, { multi: false, ...one }, {}));
  const [first] = await Promise.all(made);
  const given = { [name]: '4711', roles: ['bagare', 'skyddsombud'] };
  await changeAttributes(hemma.db, { target: account, by: 'shell', given });
  return first && 'claim' in first ? first.claim.id : '';
}

/** A case with a tick and a note by somebody who is here no more. */
async function caseOf(account: string, closedAt?: Date): Promise<string> {
  const id = randomUUID();
  const done = { by: randomUUID(), at: new Date().toISOString() };
  await hemma.db.query(
    `INSERT INTO help_desk_cases (id, number, account_id, opened_at, checks, notes, closed_at, outcome)
     VALUES ($1, $2, $3, $4, $5::text::jsonb, $6::text::jsonb, $7, $8)`,
    [
      id,
      closedAt ? '000-0002' : '000-0001',
      account,
      new Date(),
      JSON.stringify([{ name: 'call-back', ...done }]),
      JSON.stringify([{ text: 'Ringde upp på numret i registret.', ...done }]),
      closedAt ?? null,
      closedAt ? 'left-alone' : null,
    ],
  );
  return id;
}

/** The same operator in a real browser: their cookies, taken over. */
async function browserOf({ visitor }: OperatorAtWork, javaScript = true): Promise<Page> {
  const page = await chromium.newPerson({ javaScript, reducedMotion: true });
  const cookies = (visitor.cookies.headerFor(new URL(hemma.issuer)) ?? '').split('; ').map((pair) => {
    const at = pair.indexOf('=');
    return { name: pair.slice(0, at), value: pair.slice(at + 1), url: hemma.issuer };
  });
  await page.context().addCookies(cookies);
  return page;
}

const looks = { day: [320, 'light', 1280], night: [1280, 'dark', 320] } as const;

/** What axe finds in one look, and what scrolls sideways in either width: nothing. */
async function faultsOf(page: Page, time: keyof typeof looks): Promise<string[]> {
  const [width, colorScheme, other] = looks[time];
  const found: string[] = [];
  for (const size of [other, width]) {
    await page.setViewportSize({ width: size, height: 800 });
    const wider = await page.evaluate<number>(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
    if (wider > 0) found.push(`${size}: scrolls ${wider} px sideways`);
  }
  await page.emulateMedia({ colorScheme });
  return [...found, ...(await violations(page)).map((fault) => `${width} ${colorScheme}: ${fault}`)];
}
test.each([
  ['sv', 'day'],
  ['en', 'night'],
] as const)(
  'every page of the console serves everybody, on any screen: %s by %s',
  async (language, time) => {
    const page = await browserOf(alma);
    const found: string[] = [];
    for (const [name, path] of Object.entries(paths)) {
      const url = new URL(path, hemma.issuer);
      url.searchParams.set('ui_locales', language);
      await page.goto(url.href);
      if ((await page.locator('html').getAttribute('lang')) !== language)
        found.push(`${name}: wrong language`);
      if ((await page.locator('h1').count()) !== 1) found.push(`${name}: not one heading`);
      found.push(...(await faultsOf(page, time)).map((fault) => `${name} ${fault}`));
    }
    await page.goto(hemma.url('/admin/people/import'));
    const buffer = Buffer.from('email,name\nastrid@example.com,Astrid\nno-address,Bo\n');
    await page
      .locator('input[type=file]')
      .setInputFiles({ name: 'people.csv', mimeType: 'text/csv', buffer });
    await page.locator('main form button').first().click();
    await page.locator('main[data-step=import-checked]').waitFor();
    found.push(...(await faultsOf(page, time)).map((fault) => `checked file ${fault}`));
    if (time === 'night') {
      await page.locator('main form button').first().click();
      await page.locator('main[data-step=imported]').waitFor();
      found.push(...(await faultsOf(page, time)).map((fault) => `imported file ${fault}`));
    }
    expect(found).toEqual([]);
  },
  120_000,
);

test('without scripts an administrator finds a person, disables them and is told so', async () => {
  const page = await browserOf(alma, false);
  await page.goto(hemma.url('/admin/people?ui_locales=en'));
  await page.getByLabel('Search by email address or name').fill('lindqvist');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.getByRole('link', { name: 'Anna-Karin Österberg-Lindqvist' }).click();
  await page.getByRole('link', { name: 'Disable the account' }).click();
  await page.getByLabel("Type the person's email address").fill('anna');
  await page.getByRole('button', { name: 'Disable the account' }).click();
  expect(await page.locator('[role=alert]').innerText()).toContain('Type it just as it stands');
  await page
    .getByLabel("Type the person's email address")
    .fill('anna-karin.osterberg-lindqvist@norrlandsbageri.example');
  await page.getByRole('button', { name: 'Disable the account' }).click();
  expect(await page.locator('[role=status]').innerText()).toBe('The account is disabled.');
  expect(await page.locator('[data-section=access]').innerText()).toContain('The account is disabled since');
});

test('the page of the first administrator serves everybody too', async () => {
  const empty = await startHemma();
  const page = await chromium.newPerson({ reducedMotion: true });
  await page.goto(empty.url('/admin/bootstrap'));
  expect([...(await faultsOf(page, 'day')), ...(await faultsOf(page, 'night'))]).toEqual([]);
  await empty.stop();
});
