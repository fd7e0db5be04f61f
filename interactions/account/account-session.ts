import type { Context } from 'koa';
import { accountById } from '../../src/users/users.ts';
import type { Account } from '../../src/users/users.ts';
import { levelOf } from '../../src/sessions/assurance.ts';
import type { Intent } from '../../src/oidc/intents.ts';
import { accountClientId } from '../../config/built-in-clients.ts';
import { sessionSeconds } from '../../src/sessions/session-limits.ts';
import type { House } from '../../src/context.ts';

/** Who is signed in, by the provider's own session, and the token that binds forms to that session. */
export interface Resident {
  account: Account;
  session: string;
  /** Signed in with two factors at most ten minutes ago: enough for what takes everything away at once. */
  justInTwoSteps: boolean;
}

/** Seconds that a sign-in in two steps counts as fresh. */
const fresh = 600;

export async function residentOf(house: House, ctx: Context): Promise<Resident | undefined> {
  const session = await house.provider.Session.get(ctx);
  const account = session.accountId ? await accountById(house.db, session.accountId) : undefined;
  if (!account || account.disabledAt || !session.uid) return undefined;
  ctx.state.actor = { accountId: account.id };
  // Being used keeps a session from running idle, here as on the provider's own pages.
  await session.save(sessionSeconds(session.loginTs));
  return {
    account,
    session: session.uid,
    justInTwoSteps: levelOf(session.acr) >= 2 && !session.past(fresh),
  };
}

/** The address of an ordinary sign-in that comes back to My details with no token at all (`response_type=none`). */
function signInUrl(house: House, more: Record<string, string>): string {
  const issuer = house.settings.HEMMA_ISSUER;
  const query = new URLSearchParams({
    client_id: accountClientId,
    response_type: 'none',
    scope: 'openid',
    redirect_uri: `${issuer}/account`,
    ...more,
  });
  return `${issuer}/auth?${query.toString()}`;
}

/** The way to a session. */
export function toSignIn(house: House, ctx: Context): void {
  ctx.status = 303;
  ctx.redirect(signInUrl(house, {}));
}

/** A link to the ceremony that carries out an intent: all factors are asked anew, and its last button names the deed. */
export const ceremony = (house: House, intent: Intent, more: Record<string, string> = {}): string =>
  signInUrl(house, { prompt: 'login', intent, ...more });
