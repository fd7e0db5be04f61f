/** Addresses that were removed from a client while something that leads to them was under way. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { applyClient } from '../../src/clients/clients.ts';
import { listClientErrors } from '../../src/oidc/client-errors.ts';
import { newPerson } from '../protocol/people.ts';
import { basicOf, post } from '../protocol/requests.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';

let hemma: Hemma;
let party: RelyingParty;
let asking: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma });
  asking = await startRelyingParty({ hemma, description: { firstParty: false, consent: 'ask' } });
});
const whole = ({ description }: RelyingParty) => applyClient(hemma.db, description);
afterEach(() => Promise.all([party, asking].map(whole)));
afterAll(async () => {
  await Promise.all([party, asking].map((one) => one.stop()));
  await hemma.stop();
});

/** Takes the addresses away that the client has, and leaves others at the same host. */
const remove = ({ description, redirectUri }: RelyingParty) =>
  applyClient(hemma.db, {
    ...description,
    redirectUris: [`${redirectUri}-since`],
    postLogoutRedirectUris: [],
  });

/** A code for the client, not redeemed yet. */
async function codeFor(one: RelyingParty) {
  const person = await newPerson(hemma, { twoStep: false });
  const begun = await one.begin();
  const { url } = await person.signIn(begun.url);
  const redeem = () =>
    post(
      hemma.url('/token'),
      {
        grant_type: 'authorization_code',
        code: url.searchParams.get('code') ?? '',
        redirect_uri: one.redirectUri,
        code_verifier: begun.verifier,
      },
      basicOf(one),
    );
  return { person, redeem };
}

describe('a code', () => {
  test('is refused where its redirect URI was removed since, and the refusal is recorded', async () => {
    const { person, redeem } = await codeFor(party);
    await remove(party);
    expect(await redeem()).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
    const { rows } = await hemma.db.query<{ detail: unknown }>(
      "SELECT detail FROM audit WHERE event = 'token.refused' AND client_id = $1",
      [party.clientId],
    );
    const reason = 'authorization code redirect_uri is no longer registered';
    expect(rows.map(({ detail }) => detail)).toEqual([{ error: 'invalid_grant', reason }]);
    expect(await listClientErrors(hemma.db, party.clientId)).toMatchObject([
      { endpoint: 'token', error: 'invalid_grant', cause: 'code-address', detail: reason },
    ]);
    const issued = await hemma.db.query(
      "SELECT 1 FROM oidc_records WHERE model = 'AccessToken' AND account_id = $1",
      [person.account.id],
    );
    expect(issued.count).toBe(0);
  });

  test('that was redeemed before ends its tokens when it comes again, as always', async () => {
    const { redeem } = await codeFor(party);
    const { json } = await redeem();
    await remove(party);
    expect(await redeem()).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
    const about = { token: String(json['access_token']) };
    expect((await post(hemma.url('/token/introspection'), about, basicOf(party))).json).toEqual({
      active: false,
    });
  });
});

describe('a sign-in that began before', () => {
  test('ends on a page, and no code is made', async () => {
    const person = await newPerson(hemma, { twoStep: false });
    await person.visitor.visit((await party.begin()).url);
    await remove(party);
    const screen = await person.answer(person.visitor.screen);
    expect([screen.status, screen.step]).toEqual([400, 'problem']);
    expect(screen.chain.some(({ url }) => url.startsWith(party.redirectUri))).toBe(false);
    const codes = await hemma.db.query(
      "SELECT 1 FROM oidc_records WHERE model = 'AuthorizationCode' AND account_id = $1",
      [person.account.id],
    );
    expect(codes.count).toBe(0);
    expect(await listClientErrors(hemma.db, party.clientId)).toContainEqual(
      expect.objectContaining({ cause: 'redirect-address', address: party.redirectUri }),
    );
  });

  test('and is declined redirects to no removed address either', async () => {
    const person = await newPerson(hemma, { twoStep: false });
    const declined = await person.signIn((await asking.begin()).url, { consent: 'deny' });
    expect(declined.url.href).toContain('error=access_denied');
    const again = await newPerson(hemma, { twoStep: false });
    await again.visitor.visit((await asking.begin()).url);
    await remove(asking);
    const screen = await again.answer(again.visitor.screen, { consent: 'deny' });
    expect([screen.status, screen.step]).toEqual([400, 'problem']);
    expect(screen.chain.some(({ url }) => url.startsWith(asking.redirectUri))).toBe(false);
  });

  test('by a pushed request is refused', async () => {
    const url = new URL((await party.begin()).url);
    const pushed = await post(hemma.url('/request'), Object.fromEntries(url.searchParams), basicOf(party));
    expect(pushed.status).toBe(201);
    await remove(party);
    const query = { client_id: party.clientId, request_uri: String(pushed.json['request_uri']) };
    const person = await newPerson(hemma, { twoStep: false });
    const screen = await person.signIn(hemma.url(`/auth?${new URLSearchParams(query).toString()}`));
    expect([screen.status, screen.step]).toEqual([400, 'problem']);
  });
});

test('a sign-out whose way back was removed since ends here', async () => {
  const person = await newPerson(hemma, { twoStep: false });
  const { tokens } = await person.signInTo(party);
  const back = party.description.postLogoutRedirectUris[0] ?? '';
  const url = await party.endSessionUrl({
    id_token_hint: tokens.id_token ?? '',
    post_logout_redirect_uri: back,
  });
  const signOut = async (before: () => Promise<unknown>) => {
    await person.visitor.visit(url);
    await before();
    return person.visitor.submit({}, 'logout=yes');
  };
  expect((await signOut(() => Promise.resolve())).url.href).toContain(back);
  await person.signInTo(party);
  const screen = await signOut(() => remove(party));
  expect([screen.url.origin, screen.step]).toEqual([new URL(hemma.issuer).origin, 'signed-out']);
});
