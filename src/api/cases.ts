import { z } from 'zod';
import { findVisibleUser } from '../users/operators.ts';
import { findEmailsByUserIds } from '../users/users.ts';
import { listApprovals } from '../help-desk/approvals.ts';
import { listCaseQueue, caseStates, getCaseState } from '../help-desk/case-state.ts';
import { findCaseByNumber, lockCaseForAction } from '../help-desk/cases.ts';
import { openCaseByOperator } from '../help-desk/case-actions.ts';
import { listCodeSends } from '../help-desk/help-desk-code.ts';
import type { Endpoint } from './endpoint.ts';
import { defineEndpoint, encodeListCursor, decodeListCursor } from './endpoint.ts';
import { exampleCase, exampleUser } from './examples.ts';
import {
  userId,
  isoString,
  isoStringOrNull,
  pageOf,
  instant,
  instantOrNull,
  pageQueryFields,
} from './shapes.ts';

export const caseNumber = z.string().regex(/^\d{3}-\d{4}$/);
export const caseParams = z.object({ number: caseNumber });

const operatorReference = z.object({ id: userId, email: z.string().nullable() });

const caseSummary = z.object({
  number: caseNumber,
  person: z.object({ id: userId, email: z.string(), name: z.string() }),
  state: z.enum(caseStates),
  openedAt: instant,
  closedAt: instantOrNull,
});

const caseDetails = caseSummary.extend({
  openedBy: operatorReference
    .nullable()
    .meta({ description: 'The operator; null: the person, after the right password.' }),
  closedBy: operatorReference.nullable(),
  checks: z.array(z.object({ name: z.string(), by: operatorReference, at: instant })),
  notes: z.array(z.object({ text: z.string(), by: operatorReference, at: instant })),
  sends: z
    .array(z.object({ at: instant, by: operatorReference }))
    .meta({ description: 'When a code was mailed, and by whom. The code itself is nowhere.' }),
  approvals: z.array(
    z.object({
      id: z.uuid(),
      deed: z.enum(['send-code', 'invite']),
      askedBy: operatorReference,
      askedAt: instant,
      approvedBy: operatorReference.nullable(),
    }),
  ),
});

const exampleCaseSummary = {
  number: exampleCase,
  person: { id: exampleUser.id, email: exampleUser.email, name: exampleUser.name },
  state: 'waiting',
  openedAt: '2026-03-01T10:00:00.000Z',
  closedAt: null,
};

const listCasesEndpoint = defineEndpoint({
  method: 'GET',
  path: '/cases',
  name: 'listCases',
  summary: 'The queue of help-desk cases, or the closed ones, the newest first.',
  scope: 'cases:read',
  action: 'cases.read',
  query: z.strictObject({ state: z.enum(['open', 'closed']).default('open'), ...pageQueryFields }),
  answers: { status: 200, schema: pageOf(caseSummary) },
  refuses: ['invalid-cursor'],
  example: { query: { state: 'open' }, answer: { items: [exampleCaseSummary], next: null } },
  async handle(request) {
    const { state, limit } = request.query;
    const at = decodeListCursor(request, 'cases');
    if ('problem' in at) return at;
    const page = { closed: state === 'closed', after: at.place, limit };
    const { cases: found, next } = await listCaseQueue(request.house.db, request.caller.actor, page);
    const items = found.flatMap(({ one, account: user, state: caseState }) => {
      if (!user) return [];
      const { id, email, name } = user;
      const { number, openedAt, closedAt } = one;
      const times = { openedAt: isoString(openedAt), closedAt: isoStringOrNull(closedAt) };
      return [{ number, person: { id, email, name }, state: caseState, ...times }];
    });
    return { body: { items, next: encodeListCursor(request, 'cases', next) } };
  },
});

const getCaseEndpoint = defineEndpoint({
  method: 'GET',
  path: '/cases/{number}',
  name: 'getCase',
  summary: 'A case with its checks, notes, codes sent and approvals.',
  scope: 'cases:read',
  action: 'cases.read',
  params: caseParams,
  answers: { status: 200, schema: caseDetails },
  refuses: [],
  example: {
    params: { number: exampleCase },
    answer: {
      ...exampleCaseSummary,
      openedBy: null,
      closedBy: null,
      checks: [],
      notes: [],
      sends: [],
      approvals: [],
    },
  },
  async handle({ house: { db }, caller, params: { number } }) {
    const known = await findCaseByNumber(db, number);
    const request =
      known &&
      (await db.transaction((tx) =>
        lockCaseForAction(tx, 'cases.read', { caseId: known.id, by: caller.actor }),
      ));
    if (!request || 'refusal' in request) return { problem: 'not-found' };
    const { found, account: user } = request;
    const [sends, approvals] = [await listCodeSends(db, found.id), await listApprovals(db, found.id)];
    const named = [
      found.openedBy,
      found.closedBy,
      ...[...found.checks, ...found.notes, ...sends].map(({ by }) => by),
      ...approvals.flatMap(({ askedBy, approvedBy }) => [askedBy, approvedBy]),
    ].filter((id) => id !== undefined);
    const emails = await findEmailsByUserIds(db, caller.actor, named);
    const by = (id: string) => ({ id, email: emails.get(id) ?? null });
    const byOrNull = (id: string | undefined) => (id === undefined ? null : by(id));
    return {
      body: {
        number: found.number,
        person: { id: user.id, email: user.email, name: user.name },
        state: await getCaseState(db, found),
        openedAt: isoString(found.openedAt),
        closedAt: isoStringOrNull(found.closedAt),
        openedBy: byOrNull(found.openedBy),
        closedBy: byOrNull(found.closedBy),
        checks: found.checks.map((check) => ({ ...check, by: by(check.by) })),
        notes: found.notes.map((note) => ({ ...note, by: by(note.by) })),
        sends: sends.map((sent) => ({ at: isoString(sent.at), by: by(sent.by) })),
        approvals: approvals.map((approval) => ({
          id: approval.id,
          deed: approval.deed,
          askedBy: by(approval.askedBy),
          askedAt: isoString(approval.askedAt),
          approvedBy: byOrNull(approval.approvedBy),
        })),
      },
    };
  },
});

const openCaseEndpoint = defineEndpoint({
  method: 'POST',
  path: '/cases',
  name: 'openCase',
  summary: 'Open a case for somebody who called, or find the one that is open. The person is told by mail.',
  scope: 'cases:write',
  action: 'cases.send-code',
  fresh: true,
  body: z.strictObject({ person: userId }),
  answers: { status: 201, schema: z.object({ number: caseNumber }) },
  refuses: [],
  example: { body: { person: exampleUser.id }, answer: { number: exampleCase } },
  async handle({ house: context, ctx, caller: { operator }, body: { person: user } }) {
    if (!operator) return { problem: 'person-needed' };
    if (!(await findVisibleUser(context.db, operator, 'cases.send-code', user)))
      return { problem: 'not-found' };
    const caseAction = { target: user, by: operator, origin: ctx.state.origin };
    const opened = await openCaseByOperator(context.db, context.post, caseAction);
    if ('refusal' in opened) return { problem: 'not-found' };
    const { number } = opened.found;
    return { location: `${context.settings.HEMMA_ISSUER}/api/cases/${number}`, body: { number } };
  },
});

export const caseEndpoints: readonly Endpoint[] = [listCasesEndpoint, getCaseEndpoint, openCaseEndpoint];
