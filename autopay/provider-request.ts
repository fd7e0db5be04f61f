import * as client from 'openid-client';

import { createPendingSignIn, type SignInRequest } from './pending-sign-ins.ts';
import { describeProviderError, UNREACHABLE } from './provider-faults.ts';
import type { Provider } from './provider.ts';
import { renderSignInFailure } from './sign-in-failures.tsx';
import { STEP_UP } from './step-up.ts';
import { redirectSeeOther, type AutopayContext, type PageContext, type PageKoaContext } from './visit.ts';

/**
 * Sends the person to the provider: authorization code flow with PKCE (RFC 7636), state and nonce, and what the
 * errand asks for besides. A page says so when the provider cannot be reached.
 */
export async function redirectToProvider(
  site: AutopayContext,
  ctx: PageKoaContext,
  journey: SignInRequest,
): Promise<void> {
  const { settings } = site;
  const { visit: pageContext } = ctx.state;
  let provider: Provider;
  try {
    provider = await site.findProvider();
  } catch (error) {
    site.log(`provider unreachable: ${describeProviderError(error)}`);
    return renderSignInFailure(ctx, journey, UNREACHABLE);
  }
  const pending = await createPendingSignIn(settings, ctx, journey);
  const target = client.buildAuthorizationUrl(provider.config, {
    redirect_uri: `${settings.origin}/callback`,
    scope: 'openid profile email',
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: await client.calculatePKCECodeChallenge(pending.codeVerifier),
    code_challenge_method: 'S256',
    ui_locales: pageContext.language,
    ...authorizationParameters(journey, pageContext),
  });
  redirectSeeOther(ctx, target.href);
}

/** The provider's own parameter `intent` names the deed; the person confirms it there, on a button of its own. */
function authorizationParameters(
  { errand }: SignInRequest,
  { session }: PageContext,
): Record<string, string> {
  if (errand.kind === 'sign-in') return {};
  const userHint = session?.email === undefined ? undefined : { login_hint: session.email };
  if (errand.kind === 'new-phone') return { intent: 'replace_authenticator', ...userHint };
  return { acr_values: STEP_UP.acr, max_age: String(STEP_UP.maxAge), ...userHint };
}
