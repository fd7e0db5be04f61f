import type { AuditRow } from '../audit/audit-log.ts';
import { findAuditEvents } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';

/** What somebody did to an account's factors; `by` is an operator's number, nobody's where it was the person. */
export interface FactorEvent {
  at: Date;
  by: string | undefined;
}

/** How an account came to the factors that it has, as far back as the audit goes. */
export interface FactorHistory {
  /** The phone of now was connected; `helped` is who sent the code from the help desk that it was connected with. */
  connected: { at: Date; helped: FactorEvent | undefined } | undefined;
  /** The account has no phone since then: switched off by the person, or reset by an operator. */
  ended: FactorEvent | undefined;
  /** The latest code from the help desk, living or not. */
  codeSent: FactorEvent | undefined;
}

const factorEvents = [
  'authenticator.connected',
  'two-step.deactivated',
  'help-desk.code-sent',
  'help-desk-code.spent',
  'help-desk.invitation-sent',
] as const;

const toFactorEvent = ({ at, actor }: AuditRow): FactorEvent => ({ at, by: actor ?? undefined });

/** Who gave the account what it has, and when: read from the audit, which holds every change and no secret. */
export async function findFactorHistory(db: Db, accountId: string): Promise<FactorHistory> {
  const rows = await findAuditEvents(db, { accountId, events: factorEvents, limit: 50 });
  const latest = (...names: readonly (typeof factorEvents)[number][]) =>
    rows.find(({ event }) => names.some((name) => name === event));
  const phone = latest('authenticator.connected');
  const end = latest('two-step.deactivated', 'help-desk.invitation-sent');
  const sent = latest('help-desk.code-sent');
  // Spent in the very request that connected the phone: then that code was the way in.
  const way = rows.find(
    ({ event, request }) => event === 'help-desk-code.spent' && request === phone?.request,
  );
  const sender = way && rows.slice(rows.indexOf(way)).find(({ event }) => event === 'help-desk.code-sent');
  const ended = end && !(phone && rows.indexOf(phone) < rows.indexOf(end)) ? toFactorEvent(end) : undefined;
  return {
    connected:
      phone && !ended
        ? { at: phone.at, helped: phone.request && sender ? toFactorEvent(sender) : undefined }
        : undefined,
    ended,
    codeSent: sent && toFactorEvent(sent),
  };
}
