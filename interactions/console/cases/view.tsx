import type { User } from '../../../src/users/users.ts';
import type { findActiveRecoveryCode } from '../../../src/mfa/recovery-code.ts';
import type { Authenticator } from '../../../src/mfa/totp.ts';
import type { Approval } from '../../../src/help-desk/approvals.ts';
import type { Case } from '../../../src/help-desk/cases.ts';
import { formatDate, formatDateTime } from '../../../src/i18n/phrases.ts';
import type { AuditRow } from '../../../src/audit/audit-log.ts';
import type { Refusal } from '../../ui/form.tsx';
import { Form, SecondaryButton } from '../../ui/form.tsx';
import type { CaseState } from '../../../src/help-desk/case-state.ts';
import type { ConsoleContext } from '../require-operator.ts';
import { ConsolePage, CopyableText, ConsolePageSection } from '../layout.tsx';

export type CasePageProps = {
  visit: ConsoleContext;
  found: Case;
  account: User;
  state: CaseState;
  authenticator: Authenticator | undefined;
  code: Awaited<ReturnType<typeof findActiveRecoveryCode>>;
  signIns: readonly AuditRow[];
  sends: readonly { at: Date; by: string }[];
  /** When the mail server did not take one of them, for good. */
  refusedSends: readonly Date[];
  approvals: readonly Approval[];
  /** What an operator is called: an address where this one may know it. */
  who: (id: string) => string;
  /** The links that this operator may follow from here. */
  deeds: readonly CaseActionName[];
  notice?: string | undefined;
  refusal?: Refusal | undefined;
};

export type CaseActionName = 'send' | 'approve' | 'begin-anew' | 'close';

/** One case: how it stands, what helps to know the person, and what has been done. No code is ever shown here. */
export function CasePage(props: CasePageProps) {
  const { visit: consoleContext, found, account: user, state, notice } = props;
  const { frame } = consoleContext;
  const t = frame.t.helpDesk.desk;
  const open = !found.closedAt;
  return (
    <ConsolePage
      visit={consoleContext}
      title={t.heading(found.number)}
      step="case"
      part="cases"
      notice={notice}
    >
      <p class="lead" data-state={state}>
        {t.states[state]}
      </p>
      <p>
        <a href={`/admin/people/${user.id}`}>{user.name}</a>,{' '}
        <CopyableText frame={frame}>{user.email}</CopyableText>
      </p>
      <CaseOpening {...props} />
      <FactorSummary {...props} />
      <IdentityChecks {...props} open={open} />
      <SentCodes {...props} />
      <ApprovalList {...props} />
      <CaseNotes {...props} open={open} />
      <CaseActions {...props} />
    </ConsolePage>
  );
}

function CaseOpening({ visit: consoleContext, found, who }: CasePageProps) {
  const { frame } = consoleContext;
  const t = frame.t.helpDesk.desk;
  return (
    <p class="quiet">
      {found.openedBy ? t.openedByOperator(who(found.openedBy)) : t.openedByPerson(found.address ?? '?')}
      {' · '}
      <time dateTime={found.openedAt.toISOString()}>{formatDateTime(frame.locale, found.openedAt)}</time>
    </p>
  );
}

function FactorSummary({ visit: consoleContext, authenticator, code, signIns }: CasePageProps) {
  const { frame } = consoleContext;
  const t = frame.t.helpDesk.desk;
  const day = (date: Date) => formatDate(frame.locale, date);
  return (
    <ConsolePageSection title={t.factors} name="factors">
      <p class="state">
        {authenticator
          ? `${t.phoneSince(day(authenticator.createdAt))} ${day(authenticator.lastUsedAt)}`
          : t.noPhone}
      </p>
      {authenticator?.disabledAt && <p class="state">{t.phoneOff}</p>}
      <p class="state">{code ? t.codeSince(day(code.since)) : t.noCode}</p>
      <h3>{t.signIns}</h3>
      {signIns.length === 0 && <p class="quiet">{t.noSignIns}</p>}
      <ul class="rows events">
        {signIns.map((row) => (
          <li key={row.id}>
            <p>
              <span>
                <time dateTime={row.at.toISOString()}>{formatDateTime(frame.locale, row.at)}</time>
                {row.address && ` · ${row.address}`}
              </span>
            </p>
          </li>
        ))}
      </ul>
    </ConsolePageSection>
  );
}

type CaseSectionProps = CasePageProps & { open: boolean };

function IdentityChecks({ visit: consoleContext, found, open, who, refusal }: CaseSectionProps) {
  const { frame, house: context, token } = consoleContext;
  const t = frame.t.helpDesk.desk;
  const ticked = (name: string) => found.checks.find((one) => one.name === name);
  const recordedBy = (name: string) => {
    const one = ticked(name);
    return one && t.by(who(one.by), formatDateTime(frame.locale, new Date(one.at)));
  };
  const known = context.settings.HEMMA_IDENTITY_CHECKS;
  return (
    <ConsolePageSection title={t.checks} name="checks">
      {open && <p class="quiet">{t.checksHelp}</p>}
      {!open && found.checks.length === 0 && <p class="quiet">{t.noneTicked}</p>}
      {open ? (
        <Form action={`/admin/cases/${found.id}/checks`} token={token} refusal={refusal} label={t.checks}>
          <div class="ticks">
            {known.map((one) => (
              <label class="choice" key={one.name}>
                <input
                  type="checkbox"
                  name="check"
                  value={one.name}
                  checked={ticked(one.name) !== undefined}
                />
                <span>
                  {one[frame.locale]}
                  {ticked(one.name) && <span class="help">{recordedBy(one.name)}</span>}
                </span>
              </label>
            ))}
          </div>
          <SecondaryButton waiting={t.waiting}>{t.tick}</SecondaryButton>
        </Form>
      ) : (
        <ul class="rows notes">
          {found.checks.map(({ name }) => (
            <li key={name}>
              {known.find((one) => one.name === name)?.[frame.locale] ?? name}
              <span class="help">{recordedBy(name)}</span>
            </li>
          ))}
        </ul>
      )}
    </ConsolePageSection>
  );
}

function SentCodes({ visit: consoleContext, sends, refusedSends, who }: CasePageProps) {
  const t = consoleContext.frame.t.helpDesk.desk;
  if (sends.length === 0) return null;
  return (
    <ConsolePageSection title={t.sentCodes} name="sent">
      <ul class="rows">
        {sends.map(({ at, by }) => (
          <li key={at.getTime()}>{t.sent(formatDateTime(consoleContext.frame.locale, at), who(by))}</li>
        ))}
        {refusedSends.map((at) => (
          <li key={at.getTime()}>{t.sentInVain(formatDateTime(consoleContext.frame.locale, at))}</li>
        ))}
      </ul>
    </ConsolePageSection>
  );
}

function ApprovalList({ visit: consoleContext, approvals, who }: CasePageProps) {
  const t = consoleContext.frame.t.helpDesk.desk;
  if (approvals.length === 0) return null;
  return (
    <ConsolePageSection title={t.approval} name="approval">
      <ul class="rows">
        {approvals.map(({ id, deed: caseAction, askedBy, approvedBy }) => (
          <li key={id} data-approval={caseAction}>
            {t.asked[caseAction](who(askedBy))} {approvedBy && t.approved(who(approvedBy))}
          </li>
        ))}
      </ul>
    </ConsolePageSection>
  );
}

function CaseNotes({ visit: consoleContext, found, open, who }: CaseSectionProps) {
  const { frame, token } = consoleContext;
  const t = frame.t.helpDesk.desk;
  return (
    <ConsolePageSection title={t.notes} name="notes">
      {found.notes.length === 0 && <p class="quiet">{t.noNotes}</p>}
      <ul class="rows notes">
        {found.notes.map(({ text, by, at }) => (
          <li key={at}>
            <p>{text}</p>
            <p class="help">{t.by(who(by), formatDateTime(frame.locale, new Date(at)))}</p>
          </li>
        ))}
      </ul>
      {open && (
        <Form action={`/admin/cases/${found.id}/notes`} token={token} label={t.notes}>
          <div class="field wide">
            <label for="note">{t.note}</label>
            <p class="help" id="note-help">
              {t.noteHelp}
            </p>
            <textarea id="note" name="note" class="input" rows={3} aria-describedby="note-help" />
          </div>
          <SecondaryButton waiting={t.waiting}>{t.addNote}</SecondaryButton>
        </Form>
      )}
    </ConsolePageSection>
  );
}

/** What can be done now, the likely one filled; what must come first is said, and the way to it is above. */
function CaseActions({ visit: consoleContext, found, authenticator, deeds: actions }: CasePageProps) {
  const t = consoleContext.frame.t.helpDesk.desk;
  const words = { send: t.send, approve: t.approve, 'begin-anew': t.askAnew, close: t.close };
  if (actions.length === 0) return null;
  const blockedBy = !authenticator
    ? consoleContext.frame.t.refusals['no-phone-to-replace']
    : found.checks.length === 0 && t.tickFirst;
  const isLikely = actions.find((name) => name === 'approve' || (name === 'send' && !blockedBy));
  return (
    <ConsolePageSection title={t.next} name="next">
      {blockedBy && <p class="quiet">{blockedBy}</p>}
      <p class="actions">
        {actions.map((name) => (
          <a
            key={name}
            class={name === isLikely ? 'button' : 'button secondary'}
            href={`/admin/cases/${found.id}/${name}`}
          >
            {words[name]}
          </a>
        ))}
      </p>
    </ConsolePageSection>
  );
}
