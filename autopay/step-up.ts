import type { NotApprovedReason } from './phrases.ts';
import type { Session, SignedInUser } from './sessions.ts';

/** What approving a payment demands: two factors, proved at most so many seconds ago. */
export const STEP_UP = { acr: 'urn:hemma:2', maxAge: 300 } as const;

/** How far the provider's clock and ours may differ, in seconds. */
const CLOCK_SKEW_SECONDS = 15;

type AuthenticationClaims = Pick<SignedInUser, 'acr' | 'authTime'>;

/** Whether the session's own sign-in is enough, so that nobody is asked twice within the same minutes. */
export function hasSteppedUp({ acr, authTime }: AuthenticationClaims, now: number): boolean {
  return acr === STEP_UP.acr && isRecentAuthentication(authTime, now, STEP_UP.maxAge);
}

/**
 * Judges what came back from a step-up. The request only asks: `acr_values` is a wish that a provider may leave
 * unmet (OpenID Connect Core §3.1.2.1), and the address could be changed on its way through the browser.
 * @param expectedSubject the `sub` of whoever pressed the button
 * @param session whose cookie came back with the answer
 * @param now milliseconds since 1970
 * @returns why the payment is not approved, or undefined when it is to be
 */
export function checkStepUp(
  user: SignedInUser,
  expectedSubject: string,
  session: Session | undefined,
  now: number,
): NotApprovedReason | undefined {
  if (user.sub !== expectedSubject) return 'someoneElse';
  if (session?.sub !== expectedSubject) return 'signedOut';
  if (user.acr !== STEP_UP.acr) return 'tooWeak';
  return isRecentAuthentication(user.authTime, now, STEP_UP.maxAge + CLOCK_SKEW_SECONDS)
    ? undefined
    : 'tooOld';
}

function isRecentAuthentication(authTime: number | undefined, now: number, maxAge: number): boolean {
  if (authTime === undefined) return false;
  const age = now / 1000 - authTime;
  return age <= maxAge && age >= -CLOCK_SKEW_SECONDS;
}
