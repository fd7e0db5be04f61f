import { recordDeviceEffects } from '../../src/users/devices.ts';
import { toAcr, deriveAssurance } from '../../src/sessions/assurance.ts';
import { endUserSessions } from '../../src/oidc/sessions.ts';
import { cookieName, cookieOptions } from '../../src/http/request-info.ts';
import { requestedIntent } from './state.ts';
import type { InteractionContext } from './interaction-context.ts';
import { verifiedUser } from './interaction-context.ts';

/** Browsers keep no cookie longer than 400 days (RFC 6265bis §5.5). */
const deviceCookieMaxAgeDays = 400;

/**
 * Another account than the browser's session signs in, and the person has agreed: that session ends here and its
 * applications are told. Left to itself the library would show a page of its own that posts by script.
 */
async function endPreviousSession({ house: context, ctx, session }: InteractionContext): Promise<void> {
  if (!session) return;
  const libraryInteraction = await context.provider.interactionDetails(ctx.req, ctx.res);
  // The user stays known: an intent that began in that session is not the other user's.
  if (libraryInteraction.session)
    delete (libraryInteraction.session as Partial<typeof libraryInteraction.session>).uid;
  await libraryInteraction.save(libraryInteraction.exp - Math.floor(Date.now() / 1000));
  await endUserSessions(context.db, {
    accountId: session.accountId,
    which: { only: session.uid },
    origin: ctx.state.origin,
  });
}

/**
 * Ends a sign-in whose table has no open page left: notes the browser, and tells the provider who proved what and
 * when. Answers where the browser goes on. Doing it again with the same proofs gives the same result.
 */
export async function finishSignIn(interaction: InteractionContext): Promise<string> {
  const { house: context, ctx, record, progress: signInState, device } = interaction;
  const user = verifiedUser(interaction);
  const counted = signInState.proofs.filter(({ factor }) => signInState.situation.proved.has(factor));
  const { acr, amr } = deriveAssurance(counted);
  const { origin: requestInfo } = ctx.state;
  const clientId = String(record.params.client_id);
  const loginResult = recordDeviceEffects(context.post, user, {
    known: signInState.browser,
    ...device,
    // Where two-step verification was just switched off nothing is remembered that would stand in for the next phone.
    remember: signInState.choices.has('remember-device') && acr === toAcr(2),
    origin: requestInfo,
  });
  // With the result of the sign-in, which is kept only while what it rests on still stands (see `signInValidPrecondition`).
  context.work.alongside(loginResult, [
    { event: 'sign-in.finished', accountId: user.id, clientId, origin: requestInfo, detail: { acr } },
  ]);
  const options = { ...cookieOptions(context.settings), maxAge: deviceCookieMaxAgeDays * 86_400_000 };
  ctx.cookies.set(cookieName(context.settings, 'device'), device.next, options);
  if (signInState.situation.otherAccount === 'confirmed') await endPreviousSession(interaction);
  // Two factors are as fresh as the second one: a password chosen later makes no digits newer.
  const secondFactor = counted.filter(({ factor }) => factor === 'totp' || factor === 'recovery-code');
  const at = Math.max(
    ...(secondFactor.length > 0 ? secondFactor : counted).map((proof) => proof.at.getTime()),
  );
  // `ts` always: without it a consent later in the flow would become the time of the sign-in.
  const openedAt = counted.find(({ factor }) => factor === 'password' || factor === 'mailbox')?.at.getTime();
  const login = { accountId: user.id, acr, amr, ts: Math.floor(at / 1000), openedAt, remember: false };
  const name = requestedIntent(record);
  const outcome = signInState.declined ? 'declined' : 'done';
  const result = { login, ...(name ? { intent: { name, outcome } } : {}) };
  return context.provider.interactionResult(ctx.req, ctx.res, result);
}
