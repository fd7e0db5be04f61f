import type { Context } from 'koa';
import { findUserById } from '../../src/users/users.ts';
import type { User } from '../../src/users/users.ts';
import { parseAcr } from '../../src/sessions/assurance.ts';
import type { Intent } from '../../src/oidc/intents.ts';
import { accountClientId } from '../../config/built-in-clients.ts';
import { remainingSessionSeconds } from '../../src/sessions/session-limits.ts';
import type { AppContext } from '../../src/context.ts';

/** Who is signed in, by the provider's own session, and the token that binds forms to that session. */
export interface AccountSession {
  account: User;
  session: string;
  /** Signed in with two factors at most ten minutes ago: enough for what takes everything away at once. */
  justInTwoSteps: boolean;
}

/** Seconds that a sign-in in two steps counts as fresh. */
const maxMfaAgeSeconds = 600;

export async function findAccountSession(
  context: AppContext,
  ctx: Context,
): Promise<AccountSession | undefined> {
  const session = await context.provider.Session.get(ctx);
  const user = session.accountId ? await findUserById(context.db, session.accountId) : undefined;
  if (!user || user.disabledAt || !session.uid) return undefined;
  ctx.state.actor = { accountId: user.id };
  // Being used keeps a session from running idle, here as on the provider's own pages.
  await session.save(remainingSessionSeconds(session.loginTs));
  return {
    account: user,
    session: session.uid,
    justInTwoSteps: parseAcr(session.acr) >= 2 && !session.past(maxMfaAgeSeconds),
  };
}

/** The address of an ordinary sign-in that comes back to My details with no token at all (`response_type=none`). */
function authorizationUrl(context: AppContext, parameters: Record<string, string>): string {
  const issuer = context.settings.HEMMA_ISSUER;
  const query = new URLSearchParams({
    client_id: accountClientId,
    response_type: 'none',
    scope: 'openid',
    redirect_uri: `${issuer}/account`,
    ...parameters,
  });
  return `${issuer}/auth?${query.toString()}`;
}

/** The way to a session. */
export function redirectToSignIn(context: AppContext, ctx: Context): void {
  ctx.status = 303;
  ctx.redirect(authorizationUrl(context, {}));
}

/** A link to the ceremony that carries out an intent: all factors are asked anew, and its last button names the deed. */
export const intentUrl = (
  context: AppContext,
  intent: Intent,
  parameters: Record<string, string> = {},
): string => authorizationUrl(context, { prompt: 'login', intent, ...parameters });
