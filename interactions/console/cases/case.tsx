import Router from '@koa/router';
import { z } from 'zod';
import { findEmailsByUserIds } from '../../../src/users/users.ts';
import { listUserGroups } from '../../../src/users/groups.ts';
import { hasPermission } from '../../../src/users/operators.ts';
import { findActiveRecoveryCode } from '../../../src/mfa/recovery-code.ts';
import { findAuthenticator } from '../../../src/mfa/totp.ts';
import type { Approval } from '../../../src/help-desk/approvals.ts';
import { listApprovals } from '../../../src/help-desk/approvals.ts';
import type { Case } from '../../../src/help-desk/cases.ts';
import { getCaseState } from '../../../src/help-desk/case-state.ts';
import { addCaseNote, recordIdentityChecks } from '../../../src/help-desk/case-actions.ts';
import { listUndeliverableSends, listCodeSends } from '../../../src/help-desk/help-desk-code.ts';
import { findAuditEvents } from '../../../src/audit/audit-log.ts';
import type { Refusal } from '../../ui/form.tsx';
import type { AppContext } from '../../../src/context.ts';
import { parseFormBody } from '../../ui/parse-form.ts';
import { translateRefusal } from '../../ui/refusal.ts';
import type { CaseActionName } from './view.tsx';
import { CasePage } from './view.tsx';
import type { LoadedCase } from './state.ts';
import { loadCase, caseActionFor } from './state.ts';
import type { ConsoleContext } from '../require-operator.ts';
import {
  requireOperator,
  redirectAfterPost,
  parseConsoleForm,
  sendConsolePage,
} from '../require-operator.ts';

/** What an operator may still do in this case; what the domain refuses in the end it refuses in words. */
async function availableActions(
  { house: context, operator }: ConsoleContext,
  { found, account: user }: LoadedCase,
  approvals: readonly Approval[],
): Promise<CaseActionName[]> {
  if (found.closedAt) return [];
  const groups = (await listUserGroups(context.db, user.id)).map(({ id }) => id);
  const target = { id: user.id, role: user.role, groups };
  const isRequested = approvals.some(({ approvedBy, askedBy }) => !approvedBy && askedBy !== operator.id);
  const approves: CaseActionName[] =
    isRequested && hasPermission(operator, 'cases.approve', target) ? ['approve'] : [];
  const sends: CaseActionName[] = hasPermission(operator, 'cases.send-code', target)
    ? ['send', 'begin-anew', 'close']
    : [];
  return [...approves, ...sends];
}

/** What a deed led to, by its name in the address; the address may be anybody's link: it changes nothing. */
function caseNotice({ ctx, frame }: ConsoleContext, { closedAt }: Case): string | undefined {
  const { closed, approved, ...others } = frame.t.helpDesk.desk.done;
  // The case may have been closed since: then what was done in it is no news any more.
  const parameter: Record<string, string> = { closed, approved, ...(closedAt ? {} : others) };
  const { notice } = ctx.query;
  return typeof notice === 'string' && Object.hasOwn(parameter, notice) ? parameter[notice] : undefined;
}

/** The case's page, again with a refusal where a form of it was not taken. */
async function renderCase(
  consoleContext: ConsoleContext,
  { found, account: user }: LoadedCase,
  refusal?: Refusal,
): Promise<void> {
  const { house: context, operator, frame } = consoleContext;
  const { db } = context;
  const [sends, approvals] = [await listCodeSends(db, found.id), await listApprovals(db, found.id)];
  const named = [
    found.openedBy,
    ...[...found.checks, ...found.notes, ...sends].map(({ by }) => by),
    ...approvals.flatMap(({ askedBy, approvedBy }) => [askedBy, approvedBy]),
  ].filter((id) => id !== undefined);
  const emails = await findEmailsByUserIds(db, operator, named);
  const page = (
    <CasePage
      visit={consoleContext}
      found={found}
      account={user}
      state={await getCaseState(db, found)}
      authenticator={await findAuthenticator(db, user.id)}
      code={await findActiveRecoveryCode(db, user.id)}
      signIns={await findAuditEvents(db, { accountId: user.id, event: 'sign-in.finished', limit: 5 })}
      sends={sends}
      refusedSends={await listUndeliverableSends(db, found)}
      approvals={approvals}
      who={(id) => emails.get(id) ?? frame.t.helpDesk.desk.someone}
      deeds={await availableActions(consoleContext, { found, account: user }, approvals)}
      notice={refusal ? undefined : caseNotice(consoleContext, found)}
      refusal={refusal}
    />
  );
  sendConsolePage(consoleContext, page, refusal !== undefined);
}

const recordChecksForm = z.object({
  check: z
    .union([z.string().max(60), z.array(z.string().max(60)).max(40)])
    .default([])
    .transform((names) => [names].flat()),
});
const addNoteForm = z.object({ note: z.string().max(10_000).default('') });

type CaseUpdateRefusal = Awaited<ReturnType<typeof recordIdentityChecks> | ReturnType<typeof addCaseNote>>;

async function redirectOrRender(
  consoleContext: ConsoleContext,
  loaded: LoadedCase,
  refused: CaseUpdateRefusal,
  done: string,
): Promise<void> {
  if (!refused) return redirectAfterPost(consoleContext, `/admin/cases/${loaded.found.id}?notice=${done}`);
  const words = translateRefusal(
    consoleContext.frame,
    refused,
    consoleContext.house.settings.HEMMA_HELP_DESK_CONTACT,
  );
  return renderCase(consoleContext, await loadCase(consoleContext, 'cases.read'), words);
}

/** Ticks and notes open nobody's account: they are written in the console's ordinary hour. */
export function routes(context: AppContext): Router {
  const router = new Router();
  router.get(
    '/admin/cases/:case',
    requireOperator(context, 'cases.read', async (consoleContext) =>
      renderCase(consoleContext, await loadCase(consoleContext, 'cases.read')),
    ),
  );
  router.post(
    '/admin/cases/:case/checks',
    parseFormBody,
    requireOperator(context, 'cases.send-code', async (consoleContext) => {
      const loaded = await loadCase(consoleContext, 'cases.send-code');
      const { check } = parseConsoleForm(consoleContext, recordChecksForm);
      const known = context.settings.HEMMA_IDENTITY_CHECKS;
      const refused = await recordIdentityChecks(context.db, {
        ...caseActionFor(consoleContext, loaded.found),
        names: check,
        known,
      });
      await redirectOrRender(consoleContext, loaded, refused, 'ticked');
    }),
  );
  router.post(
    '/admin/cases/:case/notes',
    parseFormBody,
    requireOperator(context, 'cases.send-code', async (consoleContext) => {
      const loaded = await loadCase(consoleContext, 'cases.send-code');
      const { note } = parseConsoleForm(consoleContext, addNoteForm);
      await redirectOrRender(
        consoleContext,
        loaded,
        await addCaseNote(context.db, { ...caseActionFor(consoleContext, loaded.found), text: note }),
        'noted',
      );
    }),
  );
  return router;
}
