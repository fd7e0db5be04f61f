import { randomUUID } from 'node:crypto';
import type { User } from '../users/users.ts';
import { findLatestChanges } from '../users/users.ts';
import { generateCode, normalizeCode } from '../mfa/recovery-code-format.ts';
import { issueHelpDeskCode } from '../mfa/recovery-code.ts';
import { findAuthenticator } from '../mfa/totp.ts';
import { helpDeskCodeMail, helpDeskCodeSentMail } from '../mail/templates/help-desk.ts';
import type { EnqueueMail } from '../mail/outbox.ts';
import { recordAuditEvent, findAuditEvents } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { acquireAdvisoryLock } from '../db/database.ts';
import type { Hasher } from '../crypto/argon2.ts';
import { requestApproval, consumeApproval } from './approvals.ts';
import type { Case, CaseAction, CaseRefusal } from './cases.ts';
import { lockOpenCaseForAction, touchCase, auditCaseRefusal } from './cases.ts';
import { createDisputeCode } from './dispute-link.ts';

/** T31: at most three a day and one in ten minutes for an account; for an operator the setting says how many a day. */
const maxPerDay = 3;
const resendDelaySeconds = 600;
const dayMs = 24 * 3_600_000;
/** Whoever has just changed the address or reset the password by mail may be the thief. */
const cooldownHours = 72;

export type CaseEligibilityFault = { code: 'account-disabled' | 'address-not-verified' | 'no-checks' };
export type HelpDeskCodeRefusal =
  | CaseRefusal
  | CaseEligibilityFault
  | { code: 'no-phone-to-replace' | 'approval-needed' | 'too-many-codes' | 'operator-limit' }
  | { code: 'changed-recently' | 'code-just-sent'; seconds: number };

/** When codes were sent in a case, and by whom. */
export async function listCodeSends(db: Db, caseId: string): Promise<{ at: Date; by: string }[]> {
  const { rows } = await db.query<{ sent_at: Date; operator_id: string }>(
    'SELECT sent_at, operator_id FROM help_desk_sends WHERE case_id = $1 ORDER BY sent_at',
    [caseId],
  );
  return rows.map((row) => ({ at: row.sent_at, by: row.operator_id }));
}

/** When the mail server refused a code of this case for good: nobody will read it, and the address wants to be corrected. */
export async function listUndeliverableSends(
  db: Db,
  { accountId, openedAt, closedAt }: Case,
): Promise<readonly Date[]> {
  const rows = await findAuditEvents(db, {
    accountId,
    event: 'mail.refused',
    since: openedAt,
    until: closedAt,
    limit: 50,
  });
  return rows.filter(({ detail }) => detail['kind'] === 'help-desk-code').map(({ at }) => at);
}

/** Seconds until 72 hours have passed since `times`; undefined where they have. */
export function remainingCooldownSeconds(...times: readonly (Date | undefined)[]): number | undefined {
  const latest = Math.max(...times.map((time) => time?.getTime() ?? 0));
  const left = latest + cooldownHours * 3_600_000 - Date.now();
  return left > 0 ? Math.ceil(left / 1000) : undefined;
}

/** What must hold of the account whatever is mailed to it, and of the case. */
export function checkCaseEligibility(account: User, { checks }: Case): CaseEligibilityFault | undefined {
  if (account.disabledAt) return { code: 'account-disabled' };
  if (!account.emailVerified) return { code: 'address-not-verified' };
  return checks.length === 0 ? { code: 'no-checks' } : undefined;
}

/** How often a code went to this account, and how often this operator had one sent, in the last 24 hours. */
async function checkSendLimits(
  tx: Db,
  accountId: string,
  operatorId: string,
  dailyCodes: number,
): Promise<HelpDeskCodeRefusal | undefined> {
  const { rows } = await tx.query<{ theirs: number; mine: number; latest: Date | null }>(
    `SELECT count(*) FILTER (WHERE account_id = $1)::int AS theirs, count(*) FILTER (WHERE operator_id = $2)::int AS mine,
       max(sent_at) FILTER (WHERE account_id = $1) AS latest
     FROM help_desk_sends WHERE (account_id = $1 OR operator_id = $2) AND sent_at > $3`,
    [accountId, operatorId, new Date(Date.now() - dayMs)],
  );
  const { theirs = 0, mine = 0, latest } = rows[0] ?? {};
  const wait = latest ? resendDelaySeconds - (Date.now() - latest.getTime()) / 1000 : 0;
  if (theirs >= maxPerDay) return { code: 'too-many-codes' };
  if (wait > 0) return { code: 'code-just-sent', seconds: Math.ceil(wait) };
  return mine >= dailyCodes ? { code: 'operator-limit' } : undefined;
}

/** Everything that must hold, asked in the turns of account and operator; an approval is used up by it. */
async function checkSendAllowed(
  tx: Db,
  { account, found, by }: { account: User; found: Case; by: string },
  dailyCodes: number,
): Promise<HelpDeskCodeRefusal | undefined> {
  const fault = checkCaseEligibility(account, found);
  if (fault) return fault;
  if (!(await findAuthenticator(tx, account.id))) return { code: 'no-phone-to-replace' };
  const { emailChangedAt, passwordResetAt } = await findLatestChanges(tx, account.id);
  const seconds = remainingCooldownSeconds(emailChangedAt, passwordResetAt);
  if (seconds !== undefined) return { code: 'changed-recently', seconds };
  const exceeded = await checkSendLimits(tx, account.id, by, dailyCodes);
  if (exceeded) return exceeded;
  // Whoever can change other people's access is worth more to a thief: two operators, always (NIST SP 800-63B-4 §4.2.1).
  if (account.role === 'person') return undefined;
  const approved = await consumeApproval(tx, { about: found, deed: 'send-code', by });
  return approved ? undefined : { code: 'approval-needed' };
}

async function mailHelpDeskCode(
  tx: Db,
  enqueueMail: EnqueueMail,
  to: User,
  found: Case,
  code: string,
  hash: string,
  by: string,
) {
  await issueHelpDeskCode(tx, { accountId: to.id, hash });
  await tx.query(
    'INSERT INTO help_desk_sends (id, case_id, account_id, operator_id, sent_at) VALUES ($1, $2, $3, $4, $5)',
    [randomUUID(), found.id, to.id, by, new Date()],
  );
  await touchCase(tx, found.id);
  const stopCode = await createDisputeCode(tx, found.id);
  await enqueueMail(tx, to, 'help-desk-code', (facts) => helpDeskCodeMail(facts, code));
  await enqueueMail(tx, to, 'help-desk-code-sent', (facts) =>
    helpDeskCodeSentMail(facts, found.number, stopCode),
  );
}

/**
 * Mails a code for connecting a new phone to the account's sign-in address, and nowhere else. It is made here, goes
 * sealed into the outbox and is answered to nobody: no operator sees it, whatever they ask. Every code before it is
 * void. All that must hold is asked in the transaction that sends; a refusal is written down, too.
 */
export async function sendHelpDeskCode(
  db: Db,
  hasher: Hasher,
  enqueueMail: EnqueueMail,
  { dailyCodes, ...deed }: CaseAction & { dailyCodes: number },
): Promise<HelpDeskCodeRefusal | undefined> {
  const code = generateCode();
  const hash = await hasher.hash(normalizeCode(code));
  const by = deed.by.id;
  return db.transaction(async (tx) => {
    const locked = await lockOpenCaseForAction(tx, 'cases.send-code', deed);
    if ('refusal' in locked) return auditCaseRefusal(tx, deed, locked.refusal);
    const { found, account } = locked;
    await acquireAdvisoryLock(tx, `operator:${by}`);
    const refusal = await checkSendAllowed(tx, { account, found, by }, dailyCodes);
    const auditFields = { accountId: account.id, by, origin: deed.origin };
    if (refusal?.code === 'approval-needed') {
      const first = await requestApproval(tx, { about: found, deed: 'send-code', by });
      await touchCase(tx, found.id);
      const detail = { case: found.number, deed: 'send-code' };
      if (first) await recordAuditEvent(tx, { event: 'help-desk.approval-asked', ...auditFields, detail });
    } else if (refusal) {
      const detail = { case: found.number, reason: refusal.code };
      await recordAuditEvent(tx, { event: 'help-desk.refused', ...auditFields, detail });
    }
    if (refusal) return refusal;
    await mailHelpDeskCode(tx, enqueueMail, account, found, code, hash, by);
    const detail = { case: found.number, checks: found.checks.map(({ name }) => name).join(' ') };
    await recordAuditEvent(tx, { event: 'help-desk.code-sent', ...auditFields, detail });
    return undefined;
  });
}
