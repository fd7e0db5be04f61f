import type { Db } from '../db/database.ts';

/** A factor of a user is added, replaced or removed. */
export interface FactorChange {
  accountId: string;
  /** The interaction that does it, which goes on; undefined where an operator does it. */
  interaction: string | undefined;
  /** The public number (`uid`) of the session in the browser of that interaction; it goes on, too. */
  session: string | undefined;
  /** The known browser of that interaction, by the id of its device; the user's other browsers are known no more. */
  device?: string | undefined;
  /** Sessions that were opened with MFA end as well: the user ticked "Sign out on all other devices". */
  endOtherSessions: boolean;
}

/** Ends what rests on less than the factors that the user has from this transaction on. */
export type EndWeakerSignIns = (open: Db, change: FactorChange) => Promise<void>;
