import type { Db } from './database.ts';

/**
 * What a change of factors does in rooms that this one does not know. They are handed in, and run in the same
 * transaction.
 */
export interface Aftermath {
  forgetDevices(open: Db, accountId: string): Promise<void>;
  /** Ends the account's sessions but the one with this public number. */
  endOtherSessions(open: Db, accountId: string, kept: string | undefined): Promise<void>;
  /** Ends every session, grant, code and token of an account. */
  endEverything(open: Db, accountId: string): Promise<unknown>;
  /** The session was as strong as two factors; from this transaction on it is as strong as a password. */
  weakenSession(open: Db, accountId: string, session: string | undefined): Promise<void>;
  /** Lets this session, and no other, connect a phone with the password alone for a while. */
  openEnrolment(open: Db, accountId: string, session: string | undefined): Promise<void>;
  /** The account has a phone again: the help-desk case that waited for that, if any, is closed. */
  closeCase(open: Db, accountId: string): Promise<void>;
}
