import type { Context } from 'koa';
import { accountById } from '../../src/accounts/accounts.ts';
import type { Account } from '../../src/accounts/accounts.ts';
import { sessionSeconds } from '../../src/oidc/session-limits.ts';
import type { House } from '../page/house.ts';

/** Who is signed in, by the provider's own session, and the token that binds forms to that session. */
export interface Resident {
  account: Account;
  session: string;
}

export async function residentOf(house: House, ctx: Context): Promise<Resident | undefined> {
  const session = await house.provider.Session.get(ctx);
  const account = session.accountId ? await accountById(house.db, session.accountId) : undefined;
  if (!account || account.disabledAt || !session.uid) return undefined;
  // Being used keeps a session from running idle, here as on the provider's own pages.
  await session.save(sessionSeconds(session.loginTs));
  return { account, session: session.uid };
}

/** The way to a session: an ordinary sign-in that comes back here with no token at all (`response_type=none`). */
export function toSignIn(house: House, ctx: Context): void {
  const issuer = house.settings.HEMMA_ISSUER;
  const query = new URLSearchParams({
    client_id: 'hemma-account',
    response_type: 'none',
    scope: 'openid',
    redirect_uri: `${issuer}/account`,
  });
  ctx.status = 303;
  ctx.redirect(`${issuer}/auth?${query.toString()}`);
}
