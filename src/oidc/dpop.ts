import { decodeJwt } from 'jose';
import type { Context } from 'koa';
import type { Configuration, KoaContextWithOIDC } from 'oidc-provider';
import { errors, Provider } from 'oidc-provider';
import type { Encryption } from '../crypto/encryption.ts';

/**
 * Tokens bound to a key of the application's (RFC 9449): whoever sends a proof gets them, and a proof must carry a nonce
 * of ours (§8), so that none is made ahead. The nonces follow from the secret keys: all processes give and take the same.
 */
export const configureDpop = (encryption: Encryption): NonNullable<Configuration['features']>['dPoP'] => ({
  enabled: true,
  nonceSecret: Buffer.from(encryption.mac('dpop', 'nonce'), 'base64url'),
  requireNonce: () => true,
});

const getJti = (jwt: unknown): string | undefined => {
  try {
    return decodeJwt(String(jwt)).jti;
  } catch {
    return undefined;
  }
};

const getClientAssertion = (ctx: Partial<KoaContextWithOIDC>): unknown => ctx.oidc?.params?.client_assertion;

/**
 * Gives a repeated proof its own error (RFC 9449 §5): the library calls it an invalid grant, and who hears that of a
 * refresh token throws it away and signs the person out. Only the word is ours, for anybody can write a number into a
 * header; whether it was used already is the library's to say.
 */
export function reportReplayedProofs(provider: Provider): void {
  const { ReplayDetection } = provider;
  const unique = ReplayDetection.unique.bind(ReplayDetection);
  ReplayDetection.unique = async (iss, jti, exp) => {
    if (await unique(iss, jti, exp)) return true;
    const { ctx } = Provider;
    if (ctx && jti === getJti(ctx.get('DPoP')) && jti !== getJti(getClientAssertion(ctx)))
      throw new errors.InvalidDpopProof('the DPoP proof was used already');
    return false;
  };
}

/**
 * The same word where another request was first with it by a hair; undefined where it may have been an assertion:
 * whoever sends both makes both anew.
 */
export function toReplayedProofError(ctx: Context): { error: string; status: number } | undefined {
  if (ctx.get('DPoP') === '' || getClientAssertion(ctx) !== undefined) return undefined;
  const error = 'invalid_dpop_proof';
  if (ctx.path !== '/me') return { error, status: 400 };
  ctx.set('WWW-Authenticate', `DPoP error="${error}"`);
  return { error, status: 401 };
}
