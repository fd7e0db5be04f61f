import { deviceWelcomed } from '../../src/users/devices.ts';
import { acrOf, assurance } from '../../src/sessions/assurance.ts';
import { endOwnSessions } from '../../src/oidc/sessions.ts';
import { cookieName, cookieOptions } from '../../src/http/request-info.ts';
import { intentOf } from './state.ts';
import type { Visit } from './interaction-context.ts';
import { accountOf } from './interaction-context.ts';

/** Browsers keep no cookie longer than 400 days (RFC 6265bis §5.5). */
const deviceCookieDays = 400;

/**
 * Another account than the browser's session signs in, and the person has agreed: that session ends here and its
 * applications are told. Left to itself the library would show a page of its own that posts by script.
 */
async function endOldSession({ house, ctx, session }: Visit): Promise<void> {
  if (!session) return;
  const interaction = await house.provider.interactionDetails(ctx.req, ctx.res);
  // The user stays known: an intent that began in that session is not the other user's.
  if (interaction.session) delete (interaction.session as Partial<typeof interaction.session>).uid;
  await interaction.save(interaction.exp - Math.floor(Date.now() / 1000));
  await endOwnSessions(house.db, {
    accountId: session.accountId,
    which: { only: session.uid },
    origin: ctx.state.origin,
  });
}

/**
 * Ends a sign-in whose table has no open page left: notes the browser, and tells the provider who proved what and
 * when. Answers where the browser goes on. Doing it again with the same proofs gives the same result.
 */
export async function finish(visit: Visit): Promise<string> {
  const { house, ctx, record, progress, device } = visit;
  const account = accountOf(visit);
  const counted = progress.proofs.filter(({ factor }) => progress.situation.proved.has(factor));
  const { acr, amr } = assurance(counted);
  const { origin } = ctx.state;
  const clientId = String(record.params.client_id);
  const welcomed = deviceWelcomed(house.post, account, {
    known: progress.browser,
    ...device,
    // Where two-step verification was just switched off nothing is remembered that would stand in for the next phone.
    remember: progress.choices.has('remember-device') && acr === acrOf(2),
    origin,
  });
  // With the result of the sign-in, which is kept only while what it rests on still stands (see `signInStands`).
  house.work.alongside(welcomed, [
    { event: 'sign-in.finished', accountId: account.id, clientId, origin, detail: { acr } },
  ]);
  const options = { ...cookieOptions(house.settings), maxAge: deviceCookieDays * 86_400_000 };
  ctx.cookies.set(cookieName(house.settings, 'device'), device.next, options);
  if (progress.situation.otherAccount === 'confirmed') await endOldSession(visit);
  // Two factors are as fresh as the second one: a password chosen later makes no digits newer.
  const second = counted.filter(({ factor }) => factor === 'totp' || factor === 'recovery-code');
  const at = Math.max(...(second.length > 0 ? second : counted).map((proof) => proof.at.getTime()));
  // `ts` always: without it a consent later in the flow would become the time of the sign-in.
  const openedAt = counted.find(({ factor }) => factor === 'password' || factor === 'mailbox')?.at.getTime();
  const login = { accountId: account.id, acr, amr, ts: Math.floor(at / 1000), openedAt, remember: false };
  const name = intentOf(record);
  const outcome = progress.declined ? 'declined' : 'done';
  const result = { login, ...(name ? { intent: { name, outcome } } : {}) };
  return house.provider.interactionResult(ctx.req, ctx.res, result);
}
