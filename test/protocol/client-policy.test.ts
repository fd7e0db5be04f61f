/** What an application is registered with holds, whatever its requests ask for: strength, groups, consent, PAR. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Group } from '../../src/users/groups.ts';
import { addMember, createGroup, removeMember } from '../../src/users/groups.ts';
import { parseClient } from '../../src/clients/connectivity-check.ts';
import { applyClient } from '../../src/clients/clients.ts';
import { back, travel } from '../rig/clock.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newPerson, type Person } from './people.ts';
import { basicOf, broughtBack, get, post } from './requests.ts';

let hemma: Hemma;
const parties: RelyingParty[] = [];
const party = async (description: Parameters<typeof startRelyingParty>[0]['description']) => {
  const made = await startRelyingParty({ hemma, description: description ?? {} });
  parties.push(made);
  return made;
};
beforeAll(async () => {
  hemma = await startHemma();
});
afterEach(back);
afterAll(async () => {
  await Promise.all(parties.map((one) => one.stop()));
  await hemma.stop();
});

const newcomer = () => newPerson(hemma, { twoStep: false });

describe('an application that requires two steps', () => {
  test('gets two, also from somebody who is signed in with one, and silently none', async () => {
    const strict = await party({ requiredAcr: 'urn:hemma:2' });
    const easy = await party({});
    const person = await newcomer();
    expect((await person.signInTo(easy)).claims.acr).toBe('urn:hemma:1');
    const silent = await strict.begin({ prompt: 'none' });
    expect(broughtBack((await person.visitor.visit(silent.url)).url)['error']).toBe('login_required');
    const { claims } = await person.signInTo(strict);
    expect(claims).toMatchObject({ acr: 'urn:hemma:2', amr: ['pwd', 'otp', 'mfa'] });
    expect(person.steps).toEqual(['password', 'enrollment', 'new-recovery-code']);
  });

  test('is not talked out of it by a request that asks for less', async () => {
    const strict = await party({ requiredAcr: 'urn:hemma:2' });
    const person = await newcomer();
    const { claims } = await person.signInTo(strict, { acr_values: 'urn:hemma:1' });
    expect(claims.acr).toBe('urn:hemma:2');
  });
});

describe('an application for some groups', () => {
  let group: Group;
  let closed: RelyingParty;
  beforeAll(async () => {
    const made = await createGroup(hemma.db, 'Löneavdelningen', {});
    if ('refusal' in made) throw new Error(made.refusal);
    group = made.group;
    closed = await party({
      name: 'Löner',
      allowedGroups: [group.id],
      scopes: ['profile', 'email', 'offline_access'],
    });
  });
  const member = async (): Promise<Person> => {
    const person = await newcomer();
    await addMember(hemma.db, person.account.id, group, {});
    return person;
  };

  test('lets their people in', async () => {
    const { claims } = await (await member()).signInTo(closed);
    expect(claims.acr).toBe('urn:hemma:1');
  });

  test('tells anybody else in words, and the application access_denied when they go back', async () => {
    const person = await newcomer();
    const begun = await closed.begin();
    const screen = await person.signIn(begun.url);
    expect(screen).toMatchObject({ step: 'no-access', heading: 'Du har inte tillgång till Löner' });
    expect(screen.text).toContain(person.account.email);
    expect(screen.text).not.toContain(group.name);
    const { url } = await person.visitor.submit();
    expect(broughtBack(url)).toMatchObject({ error: 'access_denied', state: begun.state });
    expect(url.searchParams.has('code')).toBe(false);
    const silent = await closed.begin({ prompt: 'none' });
    expect(broughtBack((await person.visitor.visit(silent.url)).url)['error']).toBe('access_denied');
  });

  test('the page is English for whoever reads English', async () => {
    const person = await newcomer();
    const { url } = await closed.begin({ ui_locales: 'en' });
    expect((await person.signIn(url)).heading).toBe("You don't have access to Löner");
  });

  test('whoever leaves the group is out at once: no renewal, no userinfo, no living token', async () => {
    const person = await member();
    const { tokens } = await person.signInTo(closed, { scope: 'openid offline_access', prompt: 'consent' });
    const me = () => get(hemma.url('/me'), { authorization: `Bearer ${tokens.access_token}` });
    expect((await me()).status).toBe(200);
    await removeMember(hemma.db, person.account.id, group, {});
    expect((await me()).status).toBe(401);
    const asked = { token: tokens.access_token };
    expect((await post(hemma.url('/token/introspection'), asked, basicOf(closed))).json).toEqual({
      active: false,
    });
    await expect(closed.refresh(tokens.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    expect((await person.visitor.visit((await closed.begin()).url)).step).toBe('no-access');
  });
});

describe('an application with few scopes', () => {
  const claims = JSON.stringify({ id_token: { email: null }, userinfo: { email: null, name: null } });
  const userinfo = async (token: unknown) =>
    (await get(hemma.url('/me'), { authorization: `Bearer ${String(token)}` })).json;

  test('sees no more by asking claim by claim', async () => {
    const narrow = await party({ scopes: ['profile'] });
    const signedIn = await (await newcomer()).signInTo(narrow, { scope: 'openid', claims });
    expect(signedIn.claims).not.toHaveProperty('email');
    const seen = await userinfo(signedIn.tokens.access_token);
    expect(Object.keys(seen).toSorted()).toEqual(['name', 'sub']);
  });

  test('that were more once: tokens of then see what it may see now, and renew where it still may', async () => {
    const shrinks = await party({ scopes: ['profile', 'email', 'offline_access'] });
    const asked = { scope: 'openid email profile offline_access', prompt: 'consent' };
    const { tokens } = await (await newcomer()).signInTo(shrinks, asked);
    await applyClient(hemma.db, { ...shrinks.description, scopes: ['offline_access'] });
    expect(Object.keys(await userinfo(tokens.access_token))).toEqual(['sub']);
    const renewed = await shrinks.refresh(tokens.refresh_token ?? '');
    expect(Object.keys(await userinfo(renewed.access_token))).toEqual(['sub']);
    await applyClient(hemma.db, { ...shrinks.description, scopes: [] });
    await expect(shrinks.refresh(renewed.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    });
  });
});

describe('consent', () => {
  const steps = async (person: Person, to: RelyingParty) => {
    await person.signInTo(to);
    return person.steps;
  };

  test('ask: at every sign-in', async () => {
    const asks = await party({ firstParty: false, consent: 'ask' });
    const person = await newcomer();
    expect(await steps(person, asks)).toEqual(['password', 'consent']);
    expect(await steps(person, asks)).toEqual(['consent']);
    const silent = await asks.begin({ prompt: 'none' });
    expect(broughtBack((await person.visitor.visit(silent.url)).url)['error']).toBe('consent_required');
  });

  test('remembered: once, also for another browser', async () => {
    const remembers = await party({ firstParty: false });
    expect(remembers.description.consent).toBe('remembered');
    const person = await newcomer();
    expect(await steps(person, remembers)).toEqual(['password', 'consent']);
    expect(await steps(person, remembers)).toEqual([]);
    expect(await steps(person.elsewhere(), remembers)).toEqual(['password']);
  });

  test('names what is asked for claim by claim, and so does the list of what was allowed', async () => {
    const asks = await party({ firstParty: false, scopes: ['email'] });
    const person = await newcomer();
    const { url } = await asks.begin({
      scope: 'openid',
      claims: JSON.stringify({ userinfo: { email: null } }),
    });
    await person.visitor.visit(url);
    const page = await person.visitor.submit({ email: person.account.email, password: PASSWORD });
    expect(page).toMatchObject({ step: 'consent' });
    expect(page.text).toContain('se din e-postadress');
    await person.visitor.submit({}, 'choice=allow');
    expect((await person.visitor.visit(hemma.url('/account'))).text).toContain('se din e-postadress');
  });

  test('remembered: a yes lasts thirty days, however often the person comes back meanwhile', async () => {
    const remembers = await party({ firstParty: false });
    const person = await newcomer();
    expect(await steps(person, remembers)).toEqual(['password', 'consent']);
    travel(20 * 86_400_000);
    expect(await steps(person.elsewhere(), remembers)).toEqual(['password']);
    travel(15 * 86_400_000);
    expect(await steps(person.elsewhere(), remembers)).toEqual(['password', 'consent']);
  });

  test('none: never, for applications of the house', async () => {
    expect(await steps(await newcomer(), await party({}))).toEqual(['password']);
  });

  test('none no more: whoever was never asked is asked now', async () => {
    const opened = await party({});
    const person = await newcomer();
    expect(await steps(person, opened)).toEqual(['password']);
    await applyClient(hemma.db, { ...opened.description, firstParty: false, consent: 'remembered' });
    expect(await steps(person, opened)).toEqual(['consent']);
    expect(await steps(person.elsewhere(), opened)).toEqual(['password']);
  });

  test("the house's own may ask, too", async () => {
    const asks = await party({ firstParty: true, consent: 'remembered' });
    expect(await steps(await newcomer(), asks)).toEqual(['password', 'consent']);
  });
});

test('an application that requires pushed requests takes no other', async () => {
  const pushes = await party({ parRequired: true });
  const begun = await pushes.begin();
  const direct = await get(begun.url);
  expect(broughtBack(new URL(direct.headers.location ?? hemma.issuer))['error']).toBe('invalid_request');
  const { searchParams } = new URL(begun.url);
  const pushed = await post(hemma.url('/request'), Object.fromEntries(searchParams), basicOf(pushes));
  expect(pushed.status).toBe(201);
  const query = new URLSearchParams({
    client_id: pushes.clientId,
    request_uri: String(pushed.json['request_uri']),
  });
  const person = await newcomer();
  expect((await person.signIn(hemma.url(`/auth?${query.toString()}`))).step).toBe('back');
});

test('a service asks for no longer token than a service gets', () => {
  const described = (accessToken: number) =>
    parseClient({ id: 'robot', name: 'Robot', type: 'service', lifetimes: { accessToken } });
  expect(described(600)).toHaveProperty('client');
  expect(described(601)).toMatchObject({ faults: [{ code: 'lifetime-out-of-range' }] });
});

describe('an application that was let off PKCE', () => {
  const none = { code_challenge: null, code_challenge_method: null };
  const back = async (one: RelyingParty, parameters: Record<string, string | null>) => {
    const begun = await one.begin(parameters);
    const { url } = await (await newcomer()).signIn(begun.url);
    const fields = { grant_type: 'authorization_code', redirect_uri: one.redirectUri };
    const redeem = (more: Record<string, string>) =>
      post(
        hemma.url('/token'),
        { ...fields, code: url.searchParams.get('code') ?? '', ...more },
        basicOf(one),
      );
    return { begun, url, redeem };
  };

  test('comes without it; no other does', async () => {
    const old = await back(await party({ pkceOptional: true }), none);
    expect((await old.redeem({})).status).toBe(200);
    const usual = await back(await party({}), none);
    expect(usual.url.searchParams.get('error')).toBe('invalid_request');
  });

  test('SECURITY 69, T26 and comes with it is held to it: no verifier, a wrong one, or one without a challenge is refused', async () => {
    const one = await party({ pkceOptional: true });
    const refused = { status: 400, json: { error: 'invalid_grant' } };
    expect(await (await back(one, {})).redeem({})).toMatchObject(refused);
    expect(await (await back(one, {})).redeem({ code_verifier: 'x'.repeat(50) })).toMatchObject(refused);
    expect(await (await back(one, none)).redeem({ code_verifier: 'x'.repeat(50) })).toMatchObject(refused);
    const right = await back(one, {});
    expect((await right.redeem({ code_verifier: right.begun.verifier })).status).toBe(200);
  });

  test.each(['single-page', 'native'])('is never one without a secret (%s)', (type) => {
    const redirectUris = type === 'native' ? ['http://127.0.0.1/back'] : ['https://page.example/back'];
    const checked = parseClient({ id: 'page', name: 'Page', type, redirectUris, pkceOptional: true });
    expect(checked).toMatchObject({ faults: [{ field: 'pkceOptional', code: 'pkce-public' }] });
  });
});
