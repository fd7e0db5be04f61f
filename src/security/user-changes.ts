import type { Db } from '../db/database.ts';
import type { EndWeakerSignIns } from './factor-change.ts';

/**
 * What a change of factors does in rooms that this one does not know. They are handed in, and run in the same
 * transaction.
 */
export interface UserChangeHooks {
  /** Ends what rests on less than the factors that the user has from this transaction on. */
  endWeakerSignIns: EndWeakerSignIns;
  forgetDevices(tx: Db, accountId: string): Promise<void>;
  /** Ends every session, grant, code and token of an account; once it is done, applications are told. */
  endEverything(tx: Db, whose: { accountId: string }): Promise<void>;
  /** The session was as strong as two factors; from this transaction on it is as strong as a password. */
  weakenSession(tx: Db, accountId: string, session: string | undefined): Promise<void>;
  /** Lets this session, and no other, connect a phone with the password alone for a while. */
  openEnrolment(tx: Db, accountId: string, session: string | undefined): Promise<void>;
  /** The account has a phone again: the help-desk case that waited for that, if any, is closed. */
  closeCase(tx: Db, accountId: string): Promise<void>;
  /** What the help desk had mailed was for the account as it was: the code is void, also where it was typed and waits. */
  voidHelpDeskCode(tx: Db, accountId: string): Promise<boolean>;
}
