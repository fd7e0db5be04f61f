/** Trying an application out from the console: a real sign-in by its rules, and what it would be told of somebody. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { signInFirst } from '../rig/ceremony.ts';
import { addMember } from '../../src/users/groups.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor, type Screen, type Visitor } from '../rig/visitor.ts';
import { setDisabled } from '../../src/users/users.ts';
import { group, operator, type OperatorAtWork } from './town.ts';

let hemma: Hemma;
let alma: OperatorAtWork;
let visitor: Visitor;
const parties: RelyingParty[] = [];
const party = async (description: Parameters<typeof startRelyingParty>[0]['description']) => {
  const made = await startRelyingParty({ hemma, description: description ?? {} });
  parties.push(made);
  return made;
};
beforeAll(async () => {
  hemma = await startHemma();
  alma = await operator(hemma, 'alma@hemma.example', 'administrator');
  visitor = alma.visitor;
});
afterAll(async () => {
  await Promise.all(parties.map((one) => one.stop()));
  await hemma.stop();
});

const tryPage = (id: string, query = '') => visitor.visit(hemma.url(`/admin/clients/${id}/try${query}`));
const begin = 'Börja provinloggningen';

test('the page of an application says who came in last, also whoever typed nothing, and a trial is no visit', async () => {
  const shop = await party({ name: 'Butiken' });
  await hemma.account({ email: 'stina@hemma.example', name: 'Stina' });
  const stina = newVisitor();
  const { key } = await signInFirst(stina, (await shop.begin()).url, 'stina@hemma.example');
  expect(key).not.toBe('');
  await tryPage(shop.clientId);
  await visitor.submit({}, begin);
  const overview = () => visitor.visit(hemma.url(`/admin/clients/${shop.clientId}`));
  expect((await overview()).text).toContain('Ingen har loggat in än.');
  for (let visit = 0; visit < 2; visit += 1) {
    const begun = await shop.begin();
    await shop.redeem(begun, (await stina.visit(begun.url)).url);
  }
  const rows = (await overview()).page.querySelectorAll('[data-section=arrivals] tbody tr');
  expect(rows.map((row) => row.querySelector('td')?.textContent)).toEqual(
    Array.from({ length: 2 }, () => 'stina@hemma.example'),
  );
  expect((await visitor.follow('stina@hemma.example')).heading).toBe('Stina');
});

/** Claims of the page by their place and name. */
const claimsOn = (screen: Screen) =>
  Object.fromEntries(
    screen.page.querySelectorAll('tbody tr').map((row) => {
      const [name, value, where] = row.querySelectorAll('td').map((cell) => cell.textContent);
      return [`${where} ${name}`, value];
    }),
  );

describe('a test sign-in', () => {
  test('goes through the provider by the rules of the application and shows what it would have got', async () => {
    const { clientId } = await party({
      signingAlg: 'ES256',
      lifetimes: { accessToken: 240 },
      authMethod: 'client_secret_jwt',
      dpopRequired: true,
    });
    const page = await tryPage(clientId);
    expect(page.text).toContain('dess egen adress och hemlighet provas inte');
    const screen = await visitor.submit({}, begin);
    expect(screen).toMatchObject({ step: 'client-trial-result', heading: 'Provinloggningen lyckades' });
    expect(screen.text).toContain('ES256');
    expect(screen.text).toContain('240 sekunder');
    expect(claimsOn(screen)).toMatchObject({
      'ID-token sub': alma.id,
      'ID-token acr': 'urn:hemma:2',
      'ID-token iss': hemma.issuer,
      'userinfo-svaret email': alma.email,
    });
    expect(screen.headers['cache-control']).toBe('no-store');
    expect(screen.body).not.toMatch(/eyJ[A-Za-z0-9_-]{20}/);
  });

  test('asks what the application asks, and an answer works once', async () => {
    const { clientId } = await party({ firstParty: false });
    await tryPage(clientId);
    expect((await visitor.submit({}, begin)).step).toBe('consent');
    const screen = await visitor.submit({}, 'choice=allow');
    expect(screen.step).toBe('client-trial-result');
    const again = await visitor.visit(screen.url);
    expect(again.heading).toBe('Provinloggningen blev inte av');
    expect(again.text).toContain('Svaret är redan använt');
    // What was allowed to the trial is allowed to nobody else, and no page lists it.
    expect((await visitor.visit(hemma.url('/account'))).page.querySelector('[data-application]')).toBeNull();
  });

  test('tells why nothing came of it', async () => {
    const closed = await group(hemma, 'Slutet sällskap');
    const { clientId } = await party({ allowedGroups: [closed.id] });
    await tryPage(clientId);
    expect((await visitor.submit({}, begin)).step).toBe('no-access');
    const screen = await visitor.submit();
    expect(screen.page.querySelector('[data-trial-error]')?.getAttribute('data-trial-error')).toBe(
      'access_denied',
    );
  });

  test('can be done as somebody else, who then sees nothing but their own sign-in', async () => {
    const { clientId } = await party({});
    const browser = newVisitor();
    const admin = await operator(hemma, 'abel@hemma.example', 'administrator');
    await hemma.account({ email: 'bo@example.com', name: 'Bo Lind', twoStepRequired: false });
    await admin.visitor.visit(hemma.url(`/admin/clients/${clientId}/try`));
    expect((await admin.visitor.submit({ anew: 'yes' }, begin)).step).toBe('password');
    expect((await admin.visitor.submit({ email: 'bo@example.com', password: PASSWORD })).step).toBe(
      'other-account',
    );
    const screen = await admin.visitor.submit({}, 'Fortsätt som bo@example.com');
    expect(screen.text).toContain('Bo Lind loggade in med styrkan urn:hemma:1.');
    expect((await admin.visitor.visit(hemma.url('/admin/clients'))).status).toBe(404);
    // Another browser has no ticket: the same address shows it nothing.
    expect((await browser.visit(screen.url)).status).toBe(404);
  });

  test('belongs to administrators: nobody else may ask for a trial by a link of their own', async () => {
    const { clientId } = await party({});
    const query = new URLSearchParams({
      client_id: `hemma-trial:${clientId}`,
      response_type: 'code',
      scope: 'openid',
      redirect_uri: 'https://evil.example/',
      code_challenge: 'x'.repeat(43),
      code_challenge_method: 'S256',
    });
    expect((await newVisitor().visit(hemma.url(`/auth?${query.toString()}`))).status).toBe(400);
    const form = await tryPage(clientId);
    const answer = await newVisitor().request(form.url, { method: 'POST', body: 'token=x' });
    expect(answer.status).toBe(303);
    expect(answer.headers.location).toMatch(/client_id=hemma-admin/);
  });

  test('is not offered for a service or an application that is switched off', async () => {
    const { clientId } = await party({ id: 'off-for-now' });
    await visitor.visit(hemma.url(`/admin/clients/${clientId}/disable`));
    await visitor.submit();
    await tryPage(clientId);
    expect(visitor.screen.text).toContain('Öppna den för att prova');
    expect(visitor.screen.page.querySelector('main form[method=post]')).toBeNull();
  });
});

describe('the preview of claims', () => {
  test('shows what the scopes open, and says what only a sign-in decides', async () => {
    const { clientId } = await party({ scopes: ['email'] });
    const person = await hemma.account({ email: 'cecilia@example.com', name: 'Cecilia Ek', locale: 'sv' });
    const screen = await tryPage(clientId, '?person=CECILIA@example.com');
    expect(claimsOn(screen)).toMatchObject({
      'ID-token sub': person.id,
      'ID-token acr': 'bestäms vid inloggningen',
      'userinfo-svaret email': 'cecilia@example.com',
      'userinfo-svaret email_verified': 'true',
    });
    expect(claimsOn(screen)).not.toHaveProperty('userinfo-svaret name');
    expect(screen.page.querySelector('[data-verdict]')?.getAttribute('data-verdict')).toBe('allowed');
  });

  test('says who may not use the application, and who is not there', async () => {
    const some = await group(hemma, 'Några få');
    const { clientId } = await party({ allowedGroups: [some.id], requiredAcr: 'urn:hemma:2' });
    const inside = await hemma.account({ email: 'inside@example.com' });
    await addMember(hemma.db, inside.id, some, {});
    await hemma.account({ email: 'outside@example.com' });
    const gone = await hemma.account({ email: 'gone@example.com' });
    await setDisabled(hemma.db, gone.id, true);
    const verdicts = async (email: string) =>
      (await tryPage(clientId, `?person=${email}`)).page
        .querySelectorAll('[data-verdict]')
        .map((one) => one.getAttribute('data-verdict'));
    expect(await verdicts('inside@example.com')).toEqual(['allowed', 'needs-phone']);
    expect(await verdicts('outside@example.com')).toEqual(['outside', 'needs-phone']);
    expect(await verdicts('gone@example.com')).toEqual(['disabled', 'needs-phone']);
    const nobody = await tryPage(clientId, '?person=nobody@example.com');
    expect([nobody.status, nobody.refusal]).toEqual([422, 'nobody']);
  });
});

describe('connecting', () => {
  test('shows every endpoint as discovery has it, and examples with the application’s own values', async () => {
    const scopes = ['email', 'offline_access'] as const;
    const { clientId, clientSecret, redirectUri } = await party({ scopes: [...scopes] });
    const { page, body } = await visitor.visit(hemma.url(`/admin/clients/${clientId}/connect`));
    const discovered = (await (await fetch(hemma.url('/.well-known/openid-configuration'))).json()) as Record<
      string,
      string
    >;
    const shown = page.querySelectorAll('[data-endpoint] .copyable').map((one) => one.textContent);
    for (const name of [
      'issuer',
      'authorization_endpoint',
      'token_endpoint',
      'userinfo_endpoint',
      'jwks_uri',
      'end_session_endpoint',
      'pushed_authorization_request_endpoint',
      'introspection_endpoint',
      'revocation_endpoint',
    ])
      expect(shown).toContain(discovered[name]);
    const snippets = page.querySelectorAll('.snippet pre').map((one) => one.textContent);
    expect(snippets.length).toBe(7);
    for (const text of snippets) {
      expect(text).toContain(clientId);
      expect(text).toContain(hemma.issuer);
      // Without it nobody gets the refresh token that the application is registered for.
      expect(text).toMatch(/prompt.{0,6}consent/i);
    }
    expect(snippets.join('\n')).toContain(redirectUri);
    // On plain http the library says no by itself.
    expect(snippets[0]).toContain('execute: [client.allowInsecureRequests]');
    expect(body).not.toContain(clientSecret);
  });

  test('whoever runs in the browser gets the example for browsers, and none that asks for a secret', async () => {
    const { clientId } = await party({ type: 'single-page', scopes: ['profile', 'offline_access'] });
    const { page } = await visitor.visit(hemma.url(`/admin/clients/${clientId}/connect`));
    const [example = '', ...more] = page.querySelectorAll('.snippet pre').map((one) => one.textContent);
    expect(more).toEqual([]);
    expect(example).toContain(`authority: '${hemma.issuer}'`);
    expect(example).toContain(`client_id: '${clientId}'`);
    expect(example).toContain("prompt: 'consent'");
    expect(example).not.toMatch(/secret/i);
  });

  test('an address with an apostrophe stays a text in the examples', async () => {
    const { clientId } = await party({ redirectUris: ["https://app.example/x');alert('"] });
    const { page } = await visitor.visit(hemma.url(`/admin/clients/${clientId}/connect`));
    const [example = ''] = page.querySelectorAll('.snippet pre').map((one) => one.textContent);
    expect(example).toContain("redirect_uri: 'https://app.example/x\\');alert(\\'',");
  });
});
