import type { Account } from '../../../src/users/users.ts';
import type { liveCode } from '../../../src/mfa/recovery-code.ts';
import type { Authenticator } from '../../../src/mfa/totp.ts';
import type { Approval } from '../../../src/help-desk/approvals.ts';
import type { Case } from '../../../src/help-desk/cases.ts';
import { formatDate, formatDateTime } from '../../../src/i18n/phrases.ts';
import type { AuditRow } from '../../../src/audit/audit-log.ts';
import type { Refusal } from '../../ui/form.tsx';
import { Form, SecondaryButton } from '../../ui/form.tsx';
import type { CaseState } from '../../../src/help-desk/case-state.ts';
import type { AdminVisit } from '../require-operator.ts';
import { ConsolePage, Copyable, Section } from '../layout.tsx';

export type CasePageProps = {
  visit: AdminVisit;
  found: Case;
  account: Account;
  state: CaseState;
  authenticator: Authenticator | undefined;
  code: Awaited<ReturnType<typeof liveCode>>;
  signIns: readonly AuditRow[];
  sends: readonly { at: Date; by: string }[];
  /** When the mail server did not take one of them, for good. */
  refusedSends: readonly Date[];
  approvals: readonly Approval[];
  /** What an operator is called: an address where this one may know it. */
  who: (id: string) => string;
  /** The links that this operator may follow from here. */
  deeds: readonly CaseDeedName[];
  notice?: string | undefined;
  refusal?: Refusal | undefined;
};

export type CaseDeedName = 'send' | 'approve' | 'begin-anew' | 'close';

/** One case: how it stands, what helps to know the person, and what has been done. No code is ever shown here. */
export function CasePage(props: CasePageProps) {
  const { visit, found, account, state, notice } = props;
  const { frame } = visit;
  const t = frame.t.helpDesk.desk;
  const open = !found.closedAt;
  return (
    <ConsolePage visit={visit} title={t.heading(found.number)} step="case" part="cases" notice={notice}>
      <p class="lead" data-state={state}>
        {t.states[state]}
      </p>
      <p>
        <a href={`/admin/people/${account.id}`}>{account.name}</a>,{' '}
        <Copyable frame={frame}>{account.email}</Copyable>
      </p>
      <Opened {...props} />
      <Factors {...props} />
      <Checks {...props} open={open} />
      <Sent {...props} />
      <Approvals {...props} />
      <Notes {...props} open={open} />
      <Deeds {...props} />
    </ConsolePage>
  );
}

function Opened({ visit, found, who }: CasePageProps) {
  const { frame } = visit;
  const t = frame.t.helpDesk.desk;
  return (
    <p class="quiet">
      {found.openedBy ? t.openedByOperator(who(found.openedBy)) : t.openedByPerson(found.address ?? '?')}
      {' · '}
      <time dateTime={found.openedAt.toISOString()}>{formatDateTime(frame.locale, found.openedAt)}</time>
    </p>
  );
}

function Factors({ visit, authenticator, code, signIns }: CasePageProps) {
  const { frame } = visit;
  const t = frame.t.helpDesk.desk;
  const day = (date: Date) => formatDate(frame.locale, date);
  return (
    <Section title={t.factors} name="factors">
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
    </Section>
  );
}

type Part = CasePageProps & { open: boolean };

function Checks({ visit, found, open, who, refusal }: Part) {
  const { frame, house, token } = visit;
  const t = frame.t.helpDesk.desk;
  const ticked = (name: string) => found.checks.find((one) => one.name === name);
  const said = (name: string) => {
    const one = ticked(name);
    return one && t.by(who(one.by), formatDateTime(frame.locale, new Date(one.at)));
  };
  const known = house.settings.HEMMA_IDENTITY_CHECKS;
  return (
    <Section title={t.checks} name="checks">
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
                  {ticked(one.name) && <span class="help">{said(one.name)}</span>}
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
              <span class="help">{said(name)}</span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function Sent({ visit, sends, refusedSends, who }: CasePageProps) {
  const t = visit.frame.t.helpDesk.desk;
  if (sends.length === 0) return null;
  return (
    <Section title={t.sentCodes} name="sent">
      <ul class="rows">
        {sends.map(({ at, by }) => (
          <li key={at.getTime()}>{t.sent(formatDateTime(visit.frame.locale, at), who(by))}</li>
        ))}
        {refusedSends.map((at) => (
          <li key={at.getTime()}>{t.sentInVain(formatDateTime(visit.frame.locale, at))}</li>
        ))}
      </ul>
    </Section>
  );
}

function Approvals({ visit, approvals, who }: CasePageProps) {
  const t = visit.frame.t.helpDesk.desk;
  if (approvals.length === 0) return null;
  return (
    <Section title={t.approval} name="approval">
      <ul class="rows">
        {approvals.map(({ id, deed, askedBy, approvedBy }) => (
          <li key={id} data-approval={deed}>
            {t.asked[deed](who(askedBy))} {approvedBy && t.approved(who(approvedBy))}
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Notes({ visit, found, open, who }: Part) {
  const { frame, token } = visit;
  const t = frame.t.helpDesk.desk;
  return (
    <Section title={t.notes} name="notes">
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
    </Section>
  );
}

/** What can be done now, the likely one filled; what must come first is said, and the way to it is above. */
function Deeds({ visit, found, authenticator, deeds }: CasePageProps) {
  const t = visit.frame.t.helpDesk.desk;
  const words = { send: t.send, approve: t.approve, 'begin-anew': t.askAnew, close: t.close };
  if (deeds.length === 0) return null;
  const hurdle = !authenticator
    ? visit.frame.t.refusals['no-phone-to-replace']
    : found.checks.length === 0 && t.tickFirst;
  const likely = deeds.find((name) => name === 'approve' || (name === 'send' && !hurdle));
  return (
    <Section title={t.next} name="next">
      {hurdle && <p class="quiet">{hurdle}</p>}
      <p class="actions">
        {deeds.map((name) => (
          <a
            key={name}
            class={name === likely ? 'button' : 'button secondary'}
            href={`/admin/cases/${found.id}/${name}`}
          >
            {words[name]}
          </a>
        ))}
      </p>
    </Section>
  );
}
