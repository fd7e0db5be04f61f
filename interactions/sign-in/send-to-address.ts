import { normalizeEmail, findPasswordCredentials } from '../../src/users/users.ts';
import { emailThrottleSubject } from '../../src/users/profile.ts';
import { sendMailedCode } from '../../src/mfa/mailed-code.ts';
import { noteAddress } from './state.ts';
import type { InteractionContext } from './interaction-context.ts';

/**
 * Sends a code to the user with that email address. The page, its status and its limits are the same where no user has it,
 * or where the user is disabled.
 */
export async function sendToAddress(
  { house, record, ctx, device: { token } }: InteractionContext,
  purpose: 'forgotten-password' | 'throttled-password',
  email: string,
) {
  const { account, device } = await findPasswordCredentials(house.db, email, token);
  const refused = await sendMailedCode(house.db, house.hasher, house.post, {
    purpose,
    interaction: record.uid,
    origin: ctx.state.origin,
    recipient: account?.disabledAt ? undefined : account,
    subject: emailThrottleSubject(email),
    requestedBy: { device: device?.id },
  });
  if (refused) return refused;
  // Only a request that the budgets allowed leaves anything.
  const why = purpose === 'forgotten-password' ? 'forgotten' : 'throttled';
  await noteAddress(house.db, record.uid, why, normalizeEmail(email).slice(0, 254));
  return undefined;
}
