import { removeOtherDevices } from '../users/devices.ts';
import type { Db } from '../db/database.ts';
import type { FactorChange } from '../security/factor-change.ts';
import { discardVerifiedFactors } from '../security/verified-factors.ts';
import { endFinishedInteractions, endSessions, endWeakTokens } from './records.ts';

/**
 * Ends what rests on less than the factors that a user has from this transaction on (ASVS 7.4.3). Every function that
 * adds, replaces or removes a factor calls it, and nothing else decides what such a change ends:
 *
 * - sign-ins of the user in all other interactions, whether unfinished, finished and not followed yet, or waiting for a
 *   consent: their browsers are at the password page again;
 * - sessions that were opened with the password alone, which includes a trusted device; their clients are sent logout
 *   messages. With `endOtherSessions` also those that were opened with MFA;
 * - codes and refresh tokens that rest on the password alone, with the access tokens of their grants;
 * - trusted devices, and known browsers: each has budgets that no other limits (docs/adr/0001-throttling.md), and may be
 *   of someone who knew the old password.
 *
 * The interaction that makes the change and the session of its browser go on. That browser stays known, but not trusted.
 *
 * The caller holds the lock of the account (`signInValidPrecondition`), which every finishing sign-in waits for. The order matters:
 * a sign-in loses what it verified, then its result, then its session, then its tokens. A request that is between two of
 * these has either lost the earlier one, or its later one is committed before that is looked for.
 *
 * @param open - The transaction of the change.
 */
export async function endWeakerSignIns(
  open: Db,
  { accountId, interaction, session, device, endOtherSessions }: FactorChange,
): Promise<void> {
  // One journey, and one statement after the other (see `Db.transaction`).
  await Promise.all([
    discardVerifiedFactors(open, { accountId, except: interaction }),
    endFinishedInteractions(open, accountId, interaction),
    removeOtherDevices(open, accountId, device),
    endSessions(open, accountId, { except: session, onPasswordAlone: !endOtherSessions }),
  ]);
  await endWeakTokens(open, accountId, session);
}
