import { z } from 'zod';
import type { House } from '../context.ts';
import { approve, askToBeginAnew } from '../help-desk/account-reset.ts';
import type { CaseDeed } from '../help-desk/cases.ts';
import { caseByNumber } from '../help-desk/cases.ts';
import { addNote, closeByHand, tickChecks } from '../help-desk/case-actions.ts';
import { sendHelpDeskCode } from '../help-desk/help-desk-code.ts';
import { caseParams } from './cases.ts';
import type { Asked, Endpoint } from './endpoint.ts';
import { endpoint } from './endpoint.ts';
import { exampleApproval, exampleCase } from './examples.ts';
import type { Problem, ProblemCode } from './problem.ts';
import { refused } from './problem.ts';

type Refused = { code: ProblemCode | 'not-there' | 'own-account'; seconds?: number } | undefined;

/** A refusal of the domain; a case that is not there, and one that is none of the caller's, are the same. */
function afterDeed(refusal: Refused): Problem | undefined {
  if (!refusal) return undefined;
  const { code, seconds } = refusal;
  if (code === 'not-there' || code === 'own-account') return { problem: 'not-found' };
  return refused({ code, ...(seconds === undefined ? {} : { seconds }) });
}

/** Who does what to the case of this address; whether they may is asked by the deed itself, in its transaction. */
async function deedOn({
  house,
  ctx,
  caller: { operator },
  params: { number },
}: Asked<z.output<typeof caseParams>, unknown, unknown>): Promise<CaseDeed | Problem> {
  if (!operator) return { problem: 'person-needed' };
  const found = await caseByNumber(house.db, number);
  if (!found) return { problem: 'not-found' };
  return { caseId: found.id, by: operator, origin: ctx.state.origin };
}

const exampleParams = { number: exampleCase };
const everyDeed = ['case-closed'] as const;

const checks = endpoint({
  method: 'POST',
  path: '/cases/{number}/checks',
  name: 'tickChecksOfCase',
  summary: 'Note how the person was made sure of: the whole list.',
  scope: 'cases:write',
  action: 'cases.send-code',
  params: caseParams,
  body: z.strictObject({ checks: z.array(z.string().max(60)).max(40) }),
  answers: { status: 204 },
  refuses: [...everyDeed, 'unknown-check'],
  example: { params: exampleParams, body: { checks: ['call-back'] } },
  async handle(asked) {
    const deed = await deedOn(asked);
    if ('problem' in deed) return deed;
    const known = asked.house.settings.HEMMA_IDENTITY_CHECKS;
    return afterDeed(await tickChecks(asked.house.db, { ...deed, names: asked.body.checks, known }));
  },
});

const notes = endpoint({
  method: 'POST',
  path: '/cases/{number}/notes',
  name: 'addNoteToCase',
  summary: 'Write a note for the next operator.',
  scope: 'cases:write',
  action: 'cases.send-code',
  params: caseParams,
  body: z.strictObject({ note: z.string().max(2000) }),
  answers: { status: 204 },
  refuses: [...everyDeed, 'missing-note'],
  example: { params: exampleParams, body: { note: 'Called back on the number in the contract.' } },
  async handle(asked) {
    const deed = await deedOn(asked);
    if ('problem' in deed) return deed;
    return afterDeed(await addNote(asked.house.db, { ...deed, text: asked.body.note }));
  },
});

interface Deed {
  name: string;
  operation: string;
  summary: string;
  action: 'cases.send-code';
  refuses: readonly ProblemCode[];
  carryOut: (house: House, deed: CaseDeed) => Promise<Refused>;
}

const ofAccount = ['account-disabled', 'address-not-verified', 'no-checks', 'changed-recently'] as const;

/** What changes who can get into an account: each only just after all factors were proved. */
const deeds: readonly Deed[] = [
  {
    name: 'send-code',
    operation: 'sendCodeOfCase',
    summary:
      'Mail a code for a new phone to the sign-in address. Nobody else ever sees it, and no answer holds it.',
    action: 'cases.send-code',
    refuses: [
      ...ofAccount,
      'no-phone-to-replace',
      'approval-needed',
      'code-just-sent',
      'too-many-codes',
      'operator-limit',
    ],
    carryOut: ({ db, hasher, post, settings }, deed) =>
      sendHelpDeskCode(db, hasher, post, { ...deed, dailyCodes: settings.HEMMA_HELP_DESK_DAILY_CODES }),
  },
  {
    name: 'begin-anew',
    operation: 'askToBeginAnew',
    summary: 'Password and phone are lost together: ask that another operator approves an invitation.',
    action: 'cases.send-code',
    refuses: ofAccount,
    carryOut: ({ db, post }, deed) => askToBeginAnew(db, post, deed),
  },
  {
    name: 'close',
    operation: 'closeCase',
    summary: 'Close a case. A code of it that nobody has used is void.',
    action: 'cases.send-code',
    refuses: [],
    carryOut: ({ db, post }, deed) => closeByHand(db, post, deed),
  },
];

const approval = endpoint({
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
  refuses: [...everyDeed, ...ofAccount, 'nothing-to-approve', 'own-request'],
  example: { params: exampleParams, body: { approval: exampleApproval } },
  async handle(asked) {
    const deed = await deedOn(asked);
    if ('problem' in deed) return deed;
    const { db, hasher, post, aftermath } = asked.house;
    const question = asked.body.approval;
    return afterDeed(await approve(db, hasher, post, aftermath, { ...deed, question }));
  },
});

export const caseDeeds: readonly Endpoint[] = [
  checks,
  notes,
  approval,
  ...deeds.map(({ name, operation, summary, action, refuses, carryOut }) =>
    endpoint({
      method: 'POST',
      path: `/cases/{number}/${name}`,
      name: operation,
      summary,
      scope: 'cases:write',
      action,
      fresh: true,
      params: caseParams,
      answers: { status: 204 },
      refuses: [...everyDeed, ...refuses],
      example: { params: exampleParams },
      async handle(asked) {
        const deed = await deedOn(asked);
        return 'problem' in deed ? deed : afterDeed(await carryOut(asked.house, deed));
      },
    }),
  ),
];
