import { authenticatorConnected } from '../mail/messages.ts';
import type { Post } from '../mail/outbox.ts';
import type { Db } from '../platform/database.ts';
import type { Vault } from '../platform/secrets.ts';
import type { ConnectionRefusal } from './connection.ts';
import { proveConnection, takePending } from './connection.ts';
import type { TotpAttempt } from './totp.ts';
import { bindAuthenticator } from './totp.ts';

/**
 * Switches two-step verification on: a code of the pending secret is verified, and in one transaction the secret
 * becomes the authenticator, the proof and the audit row are written and the mail is posted. Where another tab was
 * first, nothing happens and the next page asks for a code of the phone that won.
 */
export async function activate(
  db: Db,
  vault: Vault,
  post: Post,
  attempt: TotpAttempt,
): Promise<ConnectionRefusal | undefined> {
  const judged = await proveConnection(db, vault, attempt);
  if ('refusal' in judged) return judged.refusal;
  await db.transaction(async (open) => {
    const mine = await takePending(open, attempt.interaction);
    const won = mine && (await bindAuthenticator(open, vault, attempt, judged.proven));
    if (won) await post(open, attempt.account, 'authenticator-connected', authenticatorConnected);
  });
  return undefined;
}
