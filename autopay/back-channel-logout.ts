import { bodyParser } from '@koa/bodyparser';
import { Router } from '@koa/router';
import { errors, jwtVerify, type JWTPayload } from 'jose';
import { z } from 'zod';

import type { Provider } from './provider.ts';
import type { AutopayContext } from './visit.ts';

const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const ALGORITHMS = ['RS256', 'ES256', 'PS256', 'EdDSA'];
const CLOCK_TOLERANCE_SECONDS = 15;
const MAX_CACHED_TOKEN_IDS = 10_000;

const logoutForm = z.object({ logout_token: z.string().min(1).max(16_000) });

/** The claims of OpenID Connect Back-Channel Logout 1.0 §2.4 that are not those of every JWT. */
const logoutTokenClaims = z
  .object({
    iss: z.string(),
    jti: z.string().min(1).max(512),
    iat: z.number(),
    exp: z.number(),
    sub: z.string().min(1).optional(),
    sid: z.string().min(1).optional(),
    events: z.looseObject({ [LOGOUT_EVENT]: z.looseObject({}) }),
    // §2.4: prohibited, so that no logout token passes for an ID token.
    nonce: z.never().optional(),
  })
  .refine(({ sub, sid }) => sub !== undefined || sid !== undefined, 'sub or sid must be present');

type LogoutToken = z.infer<typeof logoutTokenClaims>;
type LogoutTokenResult = { ok: true; token: LogoutToken } | { ok: false; error: string; description: string };

/**
 * The provider's word that sessions have ended, sent from server to server: no cookie and no CSRF token,
 * the signature is what is believed (§2.6). Answers 200, or 400 with a JSON error (§2.8).
 */
export function backChannelLogoutRouter(site: AutopayContext): Router {
  const router = new Router();
  const isFirst = createReplayCheck();
  // A body that cannot be read is left empty, and refused like one without a token.
  const parse = bodyParser({ enableTypes: ['form'], formLimit: '32kb', onError: () => undefined });

  router.post('/back-channel-logout', parse, async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    const verdict = await verifyLogoutToken(site, ctx.request.body);
    const answer = verdict.ok && !isFirst(verdict.token) ? rejectToken('the token was used before') : verdict;
    if (!answer.ok) {
      site.log(`logout token refused: ${answer.description}`);
      ctx.status = 400;
      ctx.body = { error: answer.error, error_description: answer.description };
      return;
    }
    site.sessions.endByProvider({ sid: answer.token.sid, sub: answer.token.sub });
    ctx.status = 200;
    ctx.body = '';
  });

  return router;
}

/** §2.6, step by step: signature, issuer, audience, times, then the claims of a logout token. */
async function verifyLogoutToken(site: AutopayContext, body: unknown): Promise<LogoutTokenResult> {
  const posted = logoutForm.safeParse(body);
  if (!posted.success) return rejectToken('logout_token is missing');
  let provider: Provider;
  try {
    provider = await site.findProvider();
  } catch {
    return { ok: false, error: 'temporarily_unavailable', description: 'the provider cannot be reached' };
  }
  try {
    const { payload } = await jwtVerify(posted.data.logout_token, provider.keys, {
      typ: 'logout+jwt',
      algorithms: ALGORITHMS,
      issuer: provider.config.serverMetadata().issuer,
      audience: site.settings.clientId,
      requiredClaims: ['iss', 'aud', 'iat', 'exp', 'jti', 'events'],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      // A token's life is at most minutes (§4); this also refuses an `iat` in the future.
      maxTokenAge: '1h',
    });
    return parseLogoutClaims(payload);
  } catch (error) {
    if (!(error instanceof errors.JOSEError) || error instanceof errors.JWKSTimeout) {
      return {
        ok: false,
        error: 'temporarily_unavailable',
        description: "the provider's keys cannot be read",
      };
    }
    const claim = error instanceof errors.JWTClaimValidationFailed ? ` (${error.claim})` : '';
    return rejectToken(error.code + claim);
  }
}

function parseLogoutClaims(payload: JWTPayload): LogoutTokenResult {
  const claims = logoutTokenClaims.safeParse(payload);
  if (claims.success) return { ok: true, token: claims.data };
  const places = claims.error.issues.map(({ path, message }) => path.join('.') || message);
  return rejectToken(`not a logout token: ${places.join(', ')}`);
}

function rejectToken(description: string): LogoutTokenResult {
  return { ok: false, error: 'invalid_request', description };
}

/** Each token works once: its `jti` is remembered until it has expired. Only signed tokens come this far. */
function createReplayCheck(): (token: LogoutToken) => boolean {
  const used = new Map<string, number>();
  return ({ jti, exp }) => {
    const now = Date.now() / 1000;
    for (const [known, until] of used) if (until < now) used.delete(known);
    if (used.has(jti)) return false;
    const [oldest] = used.keys();
    if (oldest !== undefined && used.size >= MAX_CACHED_TOKEN_IDS) used.delete(oldest);
    used.set(jti, exp + CLOCK_TOLERANCE_SECONDS);
    return true;
  };
}
