import * as client from 'openid-client';

import { beginSignIn, type Journey } from './pending-sign-ins.ts';
import { describeFault, UNREACHABLE } from './provider-faults.ts';
import type { Provider } from './provider.ts';
import { showFailure } from './sign-in-failures.tsx';
import { STEP_UP } from './step-up.ts';
import { seeOther, type Site, type Visit, type VisitContext } from './visit.ts';

/**
 * Sends the person to the provider: authorization code flow with PKCE (RFC 7636), state and nonce, and what the
 * errand asks for besides. A page says so when the provider cannot be reached.
 */
export async function goToProvider(site: Site, ctx: VisitContext, journey: Journey): Promise<void> {
  const { settings } = site;
  const { visit } = ctx.state;
  let provider: Provider;
  try {
    provider = await site.findProvider();
  } catch (error) {
    site.log(`provider unreachable: ${describeFault(error)}`);
    return showFailure(ctx, journey, UNREACHABLE);
  }
  const pending = await beginSignIn(settings, ctx, journey);
  const target = client.buildAuthorizationUrl(provider.config, {
    redirect_uri: `${settings.origin}/callback`,
    scope: 'openid profile email',
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: await client.calculatePKCECodeChallenge(pending.codeVerifier),
    code_challenge_method: 'S256',
    ui_locales: visit.language,
    ...parametersOf(journey, visit),
  });
  seeOther(ctx, target.href);
}

/** The provider's own parameter `intent` names the deed; the person confirms it there, on a button of its own. */
function parametersOf({ errand }: Journey, { session }: Visit): Record<string, string> {
  if (errand.kind === 'sign-in') return {};
  const whose = session?.email === undefined ? undefined : { login_hint: session.email };
  if (errand.kind === 'new-phone') return { intent: 'replace_authenticator', ...whose };
  return { acr_values: STEP_UP.acr, max_age: String(STEP_UP.maxAge), ...whose };
}
