import { welcomeDevice } from '../../src/accounts/devices.ts';
import { assurance } from '../../src/oidc/assurance.ts';
import { audit } from '../../src/platform/audit.ts';
import { cookieName, cookieOptions } from '../../src/platform/http.ts';
import type { Visit } from './visit.ts';
import { accountOf } from './visit.ts';

/** Browsers keep no cookie longer than 400 days (RFC 6265bis §5.5). */
const deviceCookieDays = 400;

/**
 * Ends a sign-in whose table has no open page left: notes the browser, and tells the provider who proved what and
 * when. Answers where the browser goes on. Doing it again with the same proofs gives the same result.
 */
export async function finish(visit: Visit): Promise<string> {
  const { house, ctx, record, progress } = visit;
  const account = accountOf(visit);
  const { acr, amr } = assurance(progress.proofs);
  const cookie = cookieName(house.settings, 'device');
  // The same for the same interaction, so that a finish sent twice names the same browser.
  const next = house.vault.mac('device', record.uid);
  await house.db.transaction(async (open) => {
    await audit(open, {
      event: 'sign-in.finished',
      accountId: account.id,
      clientId: String(record.params.client_id),
      origin: ctx.state.origin,
      detail: { acr },
    });
    await welcomeDevice(open, house.post, account, {
      token: ctx.cookies.get(cookie, { signed: false }),
      next,
      remember: progress.choices.has('remember-device'),
      origin: ctx.state.origin,
    });
  });
  const options = { ...cookieOptions(house.settings), maxAge: deviceCookieDays * 86_400_000 };
  ctx.cookies.set(cookie, next, options);
  const at = Math.max(...progress.proofs.map((proof) => proof.at.getTime()));
  // `ts` always: without it a consent later in the flow would become the time of the sign-in.
  const login = { accountId: account.id, acr, amr, ts: Math.floor(at / 1000), remember: false };
  return house.provider.interactionResult(ctx.req, ctx.res, { login });
}
