/** T34: whoever is disabled is out at the next request, wherever they were in. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { disableUser as disableAccount } from '../../src/users/search.ts';
import { discardMail } from '../../src/mail/outbox.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { shellWith } from '../command-line/shell.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newPerson, type Person } from './people.ts';
import { basicOf, broughtBack, get, post } from './requests.ts';

let hemma: Hemma;
let autopay: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma();
  autopay = await startRelyingParty({
    hemma,
    description: { scopes: ['profile', 'email', 'offline_access'] },
  });
});
afterAll(async () => {
  await autopay.stop();
  await hemma.stop();
});

async function signedIn() {
  const person = await newPerson(hemma, { twoStep: false });
  const asked = { scope: 'openid profile offline_access', prompt: 'consent' };
  const { tokens } = await person.signInTo(autopay, asked);
  return { person, access: tokens.access_token, refresh: tokens.refresh_token ?? '' };
}

/** Disabled, and nothing more: that its sessions and tokens are ended besides is not what refuses them here. */
const disable = async ({ account }: Person) => {
  const nothing = () => Promise.resolve();
  const aftermath = { endEverything: nothing, voidHelpDeskCode: () => Promise.resolve(false) };
  const deed = { target: account.id, by: 'shell' } as const;
  expect(await disableAccount(hemma.db, discardMail, aftermath, deed)).toBeUndefined();
};
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const token = (fields: Record<string, string>) => post(hemma.url('/token'), fields, basicOf(autopay));
const refused = { status: 400, json: { error: 'invalid_grant' } };

describe('a disabled account', () => {
  test('T34 is refused with its access token', async () => {
    const { person, access } = await signedIn();
    await disable(person);
    expect((await get(hemma.url('/me'), bearer(access))).status).toBe(401);
  });

  test('T34 is refused with its refresh token', async () => {
    const { person, refresh } = await signedIn();
    await disable(person);
    expect(await token({ grant_type: 'refresh_token', refresh_token: refresh })).toMatchObject(refused);
  });

  test('T34 has tokens that introspection calls dead', async () => {
    const { person, access, refresh } = await signedIn();
    await disable(person);
    for (const one of [access, refresh]) {
      const answer = await post(hemma.url('/token/introspection'), { token: one }, basicOf(autopay));
      expect(answer.json).toEqual({ active: false });
    }
  });

  test('T34 is refused with a code that it got a moment before', async () => {
    const { person } = await signedIn();
    const begun = await autopay.begin();
    const { url } = await person.signIn(begun.url);
    await disable(person);
    const fields = {
      grant_type: 'authorization_code',
      code: url.searchParams.get('code') ?? '',
      redirect_uri: autopay.redirectUri,
      code_verifier: begun.verifier,
    };
    expect(await token(fields)).toMatchObject(refused);
  });

  test('T34 has no session any more: prompt=none, the account page, and a new sign-in', async () => {
    const { person } = await signedIn();
    await disable(person);
    const silent = await person.visitor.visit((await autopay.begin({ prompt: 'none' })).url);
    expect(broughtBack(silent.url)).toMatchObject({ error: 'login_required' });
    expect((await person.visitor.visit(hemma.url('/account'))).step).toBe('password');
    await person.visitor.visit((await autopay.begin()).url);
    const screen = await person.visitor.submit({ email: person.account.email, password: PASSWORD });
    expect(screen).toMatchObject({ step: 'password', status: 422 });
  });

  test('T34 that is disabled between two steps of a sign-in does not finish it', async () => {
    const person = await newPerson(hemma);
    await person.visitor.visit((await autopay.begin()).url);
    await person.visitor.submit({ email: person.account.email, password: PASSWORD });
    expect(person.visitor.screen.step).toBe('enrollment');
    await disable(person);
    expect((await person.visitor.submit({ code: '123456' })).step).toBe('password');
  });

  test('T34 leaves its browser to somebody else, who signs in as themselves', async () => {
    const { person } = await signedIn();
    await disable(person);
    const other = await newPerson(hemma, { twoStep: false });
    const begun = await autopay.begin();
    await person.visitor.visit(begun.url);
    let screen = await person.visitor.submit({ email: other.account.email, password: PASSWORD });
    if (screen.step === 'other-account') screen = await person.visitor.submit({}, 'choice=switch');
    // Signing the other one out is a form that a browser's script sends by itself.
    if (screen.step === undefined) screen = await person.visitor.submit();
    const { id_token: idToken = '' } = await autopay.redeem(begun, screen.url);
    expect(decodeJwt(idToken).sub).toBe(other.account.id);
  });

  test('T34 enabled again signs in anew; what it had before stays dead', async () => {
    const { person, access, refresh } = await signedIn();
    const { email } = person.account;
    const shell = (word: string) => shellWith(hemma.env)(['accounts', word, email]);
    expect((await shell('disable')).code).toBe(0);
    expect((await shell('enable')).code).toBe(0);
    expect((await get(hemma.url('/me'), bearer(access))).status).toBe(401);
    expect(await token({ grant_type: 'refresh_token', refresh_token: refresh })).toMatchObject(refused);
    const silent = await person.visitor.visit((await autopay.begin({ prompt: 'none' })).url);
    expect(broughtBack(silent.url)).toMatchObject({ error: 'login_required' });
    expect((await person.signInTo(autopay)).claims.sub).toBe(person.account.id);
  });
});
