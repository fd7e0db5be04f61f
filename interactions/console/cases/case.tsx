import Router from '@koa/router';
import { z } from 'zod';
import { emailsOf } from '../../../src/users/users.ts';
import { groupsOf } from '../../../src/users/groups.ts';
import { mayAct } from '../../../src/users/operators.ts';
import { liveCode } from '../../../src/mfa/recovery-code.ts';
import { authenticatorOf } from '../../../src/mfa/totp.ts';
import type { Approval } from '../../../src/help-desk/approvals.ts';
import { approvalsOf } from '../../../src/help-desk/approvals.ts';
import type { Case } from '../../../src/help-desk/cases.ts';
import { stateOfCase } from '../../../src/help-desk/case-state.ts';
import { addNote, tickChecks } from '../../../src/help-desk/case-actions.ts';
import { refusedSendsOf, sendsOf } from '../../../src/help-desk/help-desk-code.ts';
import { auditRows } from '../../../src/audit/audit-log.ts';
import type { Refusal } from '../../ui/form.tsx';
import type { House } from '../../../src/context.ts';
import { readForm } from '../../ui/parse-form.ts';
import { inWords } from '../../ui/refusal.ts';
import type { CaseDeedName } from './view.tsx';
import { CasePage } from './view.tsx';
import type { CaseVisit } from './state.ts';
import { caseOfPage, deedOn } from './state.ts';
import type { AdminVisit } from '../require-operator.ts';
import { guarded, onTo, sentForm, showPage } from '../require-operator.ts';

/** What an operator may still do in this case; what the domain refuses in the end it refuses in words. */
async function deedsOf(
  { house, operator }: AdminVisit,
  { found, account }: CaseVisit,
  approvals: readonly Approval[],
): Promise<CaseDeedName[]> {
  if (found.closedAt) return [];
  const groups = (await groupsOf(house.db, account.id)).map(({ id }) => id);
  const target = { id: account.id, role: account.role, groups };
  const asked = approvals.some(({ approvedBy, askedBy }) => !approvedBy && askedBy !== operator.id);
  const approves: CaseDeedName[] = asked && mayAct(operator, 'cases.approve', target) ? ['approve'] : [];
  const sends: CaseDeedName[] = mayAct(operator, 'cases.send-code', target)
    ? ['send', 'begin-anew', 'close']
    : [];
  return [...approves, ...sends];
}

/** What a deed led to, by its name in the address; the address may be anybody's link: it changes nothing. */
function noticeOf({ ctx, frame }: AdminVisit, { closedAt }: Case): string | undefined {
  const { closed, approved, ...others } = frame.t.helpDesk.desk.done;
  // The case may have been closed since: then what was done in it is no news any more.
  const said: Record<string, string> = { closed, approved, ...(closedAt ? {} : others) };
  const { notice } = ctx.query;
  return typeof notice === 'string' && Object.hasOwn(said, notice) ? said[notice] : undefined;
}

/** The case's page, again with a refusal where a form of it was not taken. */
async function show(visit: AdminVisit, { found, account }: CaseVisit, refusal?: Refusal): Promise<void> {
  const { house, operator, frame } = visit;
  const { db } = house;
  const [sends, approvals] = [await sendsOf(db, found.id), await approvalsOf(db, found.id)];
  const named = [
    found.openedBy,
    ...[...found.checks, ...found.notes, ...sends].map(({ by }) => by),
    ...approvals.flatMap(({ askedBy, approvedBy }) => [askedBy, approvedBy]),
  ].filter((id) => id !== undefined);
  const emails = await emailsOf(db, operator, named);
  const page = (
    <CasePage
      visit={visit}
      found={found}
      account={account}
      state={await stateOfCase(db, found)}
      authenticator={await authenticatorOf(db, account.id)}
      code={await liveCode(db, account.id)}
      signIns={await auditRows(db, { accountId: account.id, event: 'sign-in.finished', limit: 5 })}
      sends={sends}
      refusedSends={await refusedSendsOf(db, found)}
      approvals={approvals}
      who={(id) => emails.get(id) ?? frame.t.helpDesk.desk.someone}
      deeds={await deedsOf(visit, { found, account }, approvals)}
      notice={refusal ? undefined : noticeOf(visit, found)}
      refusal={refusal}
    />
  );
  showPage(visit, page, refusal !== undefined);
}

const checksForm = z.object({
  check: z
    .union([z.string().max(60), z.array(z.string().max(60)).max(40)])
    .default([])
    .transform((names) => [names].flat()),
});
const notesForm = z.object({ note: z.string().max(10_000).default('') });

type Refused = Awaited<ReturnType<typeof tickChecks> | ReturnType<typeof addNote>>;

async function after(visit: AdminVisit, asked: CaseVisit, refused: Refused, done: string): Promise<void> {
  if (!refused) return onTo(visit, `/admin/cases/${asked.found.id}?notice=${done}`);
  const words = inWords(visit.frame, refused, visit.house.settings.HEMMA_HELP_DESK_CONTACT);
  return show(visit, await caseOfPage(visit, 'cases.read'), words);
}

/** Ticks and notes open nobody's account: they are written in the console's ordinary hour. */
export function routes(house: House): Router {
  const router = new Router();
  router.get(
    '/admin/cases/:case',
    guarded(house, 'cases.read', async (visit) => show(visit, await caseOfPage(visit, 'cases.read'))),
  );
  router.post(
    '/admin/cases/:case/checks',
    readForm,
    guarded(house, 'cases.send-code', async (visit) => {
      const asked = await caseOfPage(visit, 'cases.send-code');
      const { check } = sentForm(visit, checksForm);
      const known = house.settings.HEMMA_IDENTITY_CHECKS;
      const refused = await tickChecks(house.db, { ...deedOn(visit, asked.found), names: check, known });
      await after(visit, asked, refused, 'ticked');
    }),
  );
  router.post(
    '/admin/cases/:case/notes',
    readForm,
    guarded(house, 'cases.send-code', async (visit) => {
      const asked = await caseOfPage(visit, 'cases.send-code');
      const { note } = sentForm(visit, notesForm);
      await after(
        visit,
        asked,
        await addNote(house.db, { ...deedOn(visit, asked.found), text: note }),
        'noted',
      );
    }),
  );
  return router;
}
