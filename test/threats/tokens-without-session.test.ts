/** Tokens that name no session end like those of any other, where a change of factors keeps no session (ASVS 7.4.3). */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { gotIn, provePassword } from '../new-phone-threats/people.ts';
import { get } from '../protocol/requests.ts';
import { signInFirst } from '../rig/ceremony.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor } from '../rig/visitor.ts';

const deadline = 120_000;

let hemma: Hemma;
/** Renews tokens without a session. */
let party: RelyingParty;
let plain: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({
    hemma,
    description: { scopes: ['profile', 'email', 'offline_access'], consent: 'remembered', firstParty: false },
  });
  plain = await startRelyingParty({ hemma });
}, deadline);
afterAll(async () => {
  await party.stop();
  await plain.stop();
  await hemma.stop();
});

test(
  'a first authenticator ends the access token of a grant whose refresh token names no session',
  async () => {
    const { id, email } = await hemma.account({ email: 'astrid@example.com', twoStepRequired: false });
    const thief = newVisitor();
    const begun = await party.begin({ scope: 'openid offline_access', prompt: 'consent' });
    await provePassword(thief, begun.url, email);
    await thief.submit({}, 'choice=allow');
    expect(gotIn(thief)).toBe(true);
    const tokens = await party.redeem(begun, thief.screen.url);
    const answer = async () =>
      (await get(hemma.url('/me'), { authorization: `Bearer ${tokens.access_token}` })).status;
    await hemma.db.query(
      `UPDATE oidc_records SET payload = payload - 'sessionUid'
       WHERE account_id = $1 AND model IN ('AuthorizationCode', 'RefreshToken', 'AccessToken')`,
      [id],
    );
    expect(await answer()).toBe(200);
    await hemma.db.query('UPDATE accounts SET two_step_required = true WHERE id = $1', [id]);
    // The browser has no session before, so none is kept.
    const owner = newVisitor();
    await signInFirst(owner, (await plain.begin()).url, email);
    expect(await answer()).toBe(401);
  },
  deadline,
);
