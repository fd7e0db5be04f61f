import { z } from 'zod';
import type { AppContext } from '../context.ts';
import { approveRequest, requestAccountReset } from '../help-desk/account-reset.ts';
import type { CaseAction } from '../help-desk/cases.ts';
import { findCaseByNumber } from '../help-desk/cases.ts';
import { addCaseNote, closeCaseByOperator, recordIdentityChecks } from '../help-desk/case-actions.ts';
import { sendHelpDeskCode } from '../help-desk/help-desk-code.ts';
import { caseParams } from './cases.ts';
import type { ApiRequest, Endpoint } from './endpoint.ts';
import { defineEndpoint } from './endpoint.ts';
import { exampleApproval, exampleCase } from './examples.ts';
import type { Problem, ProblemCode } from './problem.ts';
import { toProblem } from './problem.ts';

type CaseProblem = { code: ProblemCode | 'not-there' | 'own-account'; seconds?: number } | undefined;

/** A refusal of the domain; a case that is not there, and one that is none of the caller's, are the same. */
function caseProblem(refusal: CaseProblem): Problem | undefined {
  if (!refusal) return undefined;
  const { code, seconds } = refusal;
  if (code === 'not-there' || code === 'own-account') return { problem: 'not-found' };
  return toProblem({ code, ...(seconds === undefined ? {} : { seconds }) });
}

/** Who does what to the case of this address; whether they may is asked by the deed itself, in its transaction. */
async function caseActionFor({
  house: context,
  ctx,
  caller: { operator },
  params: { number },
}: ApiRequest<z.output<typeof caseParams>, unknown, unknown>): Promise<CaseAction | Problem> {
  if (!operator) return { problem: 'person-needed' };
  const found = await findCaseByNumber(context.db, number);
  if (!found) return { problem: 'not-found' };
  return { caseId: found.id, by: operator, origin: ctx.state.origin };
}

const exampleParams = { number: exampleCase };
const commonProblems = ['case-closed'] as const;

const recordChecksEndpoint = defineEndpoint({
  method: 'POST',
  path: '/cases/{number}/checks',
  name: 'tickChecksOfCase',
  summary: 'Note how the person was made sure of: the whole list.',
  scope: 'cases:write',
  action: 'cases.send-code',
  params: caseParams,
  body: z.strictObject({ checks: z.array(z.string().max(60)).max(40) }),
  answers: { status: 204 },
  refuses: [...commonProblems, 'unknown-check'],
  example: { params: exampleParams, body: { checks: ['call-back'] } },
  async handle(request) {
    const caseAction = await caseActionFor(request);
    if ('problem' in caseAction) return caseAction;
    const unknownCheck = request.house.settings.HEMMA_IDENTITY_CHECKS;
    return caseProblem(
      await recordIdentityChecks(request.house.db, {
        ...caseAction,
        names: request.body.checks,
        known: unknownCheck,
      }),
    );
  },
});

const addNoteEndpoint = defineEndpoint({
  method: 'POST',
  path: '/cases/{number}/notes',
  name: 'addNoteToCase',
  summary: 'Write a note for the next operator.',
  scope: 'cases:write',
  action: 'cases.send-code',
  params: caseParams,
  body: z.strictObject({ note: z.string().max(2000) }),
  answers: { status: 204 },
  refuses: [...commonProblems, 'missing-note'],
  example: { params: exampleParams, body: { note: 'Called back on the number in the contract.' } },
  async handle(request) {
    const caseAction = await caseActionFor(request);
    if ('problem' in caseAction) return caseAction;
    return caseProblem(await addCaseNote(request.house.db, { ...caseAction, text: request.body.note }));
  },
});

interface CaseActionDefinition {
  name: string;
  operation: string;
  summary: string;
  action: 'cases.send-code';
  refuses: readonly ProblemCode[];
  carryOut: (house: AppContext, deed: CaseAction) => Promise<CaseProblem>;
}

const userProblems = ['account-disabled', 'address-not-verified', 'no-checks', 'changed-recently'] as const;

/** What changes who can get into an account: each only just after all factors were proved. */
const caseActions: readonly CaseActionDefinition[] = [
  {
    name: 'send-code',
    operation: 'sendCodeOfCase',
    summary:
      'Mail a code for a new phone to the sign-in address. Nobody else ever sees it, and no answer holds it.',
    action: 'cases.send-code',
    refuses: [
      ...userProblems,
      'no-phone-to-replace',
      'approval-needed',
      'code-just-sent',
      'too-many-codes',
      'operator-limit',
    ],
    carryOut: ({ db, hasher, post: enqueueMail, settings }, caseAction) =>
      sendHelpDeskCode(db, hasher, enqueueMail, {
        ...caseAction,
        dailyCodes: settings.HEMMA_HELP_DESK_DAILY_CODES,
      }),
  },
  {
    name: 'begin-anew',
    operation: 'askToBeginAnew',
    summary: 'Password and phone are lost together: ask that another operator approves an invitation.',
    action: 'cases.send-code',
    refuses: userProblems,
    carryOut: ({ db, post: enqueueMail }, caseAction) => requestAccountReset(db, enqueueMail, caseAction),
  },
  {
    name: 'close',
    operation: 'closeCase',
    summary: 'Close a case. A code of it that nobody has used is void.',
    action: 'cases.send-code',
    refuses: [],
    carryOut: ({ db, post: enqueueMail }, caseAction) => closeCaseByOperator(db, enqueueMail, caseAction),
  },
];

const approveCaseEndpoint = defineEndpoint({
  method: 'POST',
  path: '/cases/{number}/approve',
  name: 'approveCase',
  summary: 'Allow what another operator asked for: the very question that was read.',
  scope: 'cases:write',
  action: 'cases.approve',
  fresh: true,
  params: caseParams,
  body: z.strictObject({ approval: z.uuid() }),
  answers: { status: 204 },
  refuses: [...commonProblems, ...userProblems, 'nothing-to-approve', 'own-request'],
  example: { params: exampleParams, body: { approval: exampleApproval } },
  async handle(request) {
    const caseAction = await caseActionFor(request);
    if ('problem' in caseAction) return caseAction;
    const { db, hasher, post: enqueueMail, aftermath: userChangeHooks } = request.house;
    const question = request.body.approval;
    return caseProblem(
      await approveRequest(db, hasher, enqueueMail, userChangeHooks, { ...caseAction, question }),
    );
  },
});

export const caseActionEndpoints: readonly Endpoint[] = [
  recordChecksEndpoint,
  addNoteEndpoint,
  approveCaseEndpoint,
  ...caseActions.map(({ name, operation, summary, action, refuses, carryOut }) =>
    defineEndpoint({
      method: 'POST',
      path: `/cases/{number}/${name}`,
      name: operation,
      summary,
      scope: 'cases:write',
      action,
      fresh: true,
      params: caseParams,
      answers: { status: 204 },
      refuses: [...commonProblems, ...refuses],
      example: { params: exampleParams },
      async handle(request) {
        const caseAction = await caseActionFor(request);
        return 'problem' in caseAction ? caseAction : caseProblem(await carryOut(request.house, caseAction));
      },
    }),
  ),
];
