import { z } from 'zod';
import { accountFor } from '../users/operators.ts';
import { emailsOf } from '../users/users.ts';
import { approvalsOf } from '../help-desk/approvals.ts';
import { caseQueue, caseStates, stateOfCase } from '../help-desk/case-state.ts';
import { caseByNumber, caseFor } from '../help-desk/cases.ts';
import { openCaseFrom } from '../help-desk/case-actions.ts';
import { sendsOf } from '../help-desk/help-desk-code.ts';
import type { Endpoint } from './endpoint.ts';
import { endpoint, nextOf, placeIn } from './endpoint.ts';
import { exampleCase, examplePerson } from './examples.ts';
import { accountId, iso, isoOrNull, listOf, moment, momentOrNull, paged } from './shapes.ts';

export const caseNumber = z.string().regex(/^\d{3}-\d{4}$/);
export const caseParams = z.object({ number: caseNumber });

const who = z.object({ id: accountId, email: z.string().nullable() });

const listed = z.object({
  number: caseNumber,
  person: z.object({ id: accountId, email: z.string(), name: z.string() }),
  state: z.enum(caseStates),
  openedAt: moment,
  closedAt: momentOrNull,
});

const whole = listed.extend({
  openedBy: who.nullable().meta({ description: 'The operator; null: the person, after the right password.' }),
  closedBy: who.nullable(),
  checks: z.array(z.object({ name: z.string(), by: who, at: moment })),
  notes: z.array(z.object({ text: z.string(), by: who, at: moment })),
  sends: z
    .array(z.object({ at: moment, by: who }))
    .meta({ description: 'When a code was mailed, and by whom. The code itself is nowhere.' }),
  approvals: z.array(
    z.object({
      id: z.uuid(),
      deed: z.enum(['send-code', 'invite']),
      askedBy: who,
      askedAt: moment,
      approvedBy: who.nullable(),
    }),
  ),
});

const exampleListed = {
  number: exampleCase,
  person: { id: examplePerson.id, email: examplePerson.email, name: examplePerson.name },
  state: 'waiting',
  openedAt: '2026-03-01T10:00:00.000Z',
  closedAt: null,
};

const list = endpoint({
  method: 'GET',
  path: '/cases',
  name: 'listCases',
  summary: 'The queue of help-desk cases, or the closed ones, the newest first.',
  scope: 'cases:read',
  action: 'cases.read',
  query: z.strictObject({ state: z.enum(['open', 'closed']).default('open'), ...paged }),
  answers: { status: 200, schema: listOf(listed) },
  refuses: ['invalid-cursor'],
  example: { query: { state: 'open' }, answer: { items: [exampleListed], next: null } },
  async handle(asked) {
    const { state, limit } = asked.query;
    const at = placeIn(asked, 'cases');
    if ('problem' in at) return at;
    const page = { closed: state === 'closed', after: at.place, limit };
    const { cases: found, next } = await caseQueue(asked.house.db, asked.caller.actor, page);
    const items = found.flatMap(({ one, account, state: how }) => {
      if (!account) return [];
      const { id, email, name } = account;
      const { number, openedAt, closedAt } = one;
      const times = { openedAt: iso(openedAt), closedAt: isoOrNull(closedAt) };
      return [{ number, person: { id, email, name }, state: how, ...times }];
    });
    return { body: { items, next: nextOf(asked, 'cases', next) } };
  },
});

const one = endpoint({
  method: 'GET',
  path: '/cases/{number}',
  name: 'getCase',
  summary: 'A case with its checks, notes, codes sent and approvals.',
  scope: 'cases:read',
  action: 'cases.read',
  params: caseParams,
  answers: { status: 200, schema: whole },
  refuses: [],
  example: {
    params: { number: exampleCase },
    answer: {
      ...exampleListed,
      openedBy: null,
      closedBy: null,
      checks: [],
      notes: [],
      sends: [],
      approvals: [],
    },
  },
  async handle({ house: { db }, caller, params: { number } }) {
    const known = await caseByNumber(db, number);
    const asked =
      known &&
      (await db.transaction((open) => caseFor(open, 'cases.read', { caseId: known.id, by: caller.actor })));
    if (!asked || 'refusal' in asked) return { problem: 'not-found' };
    const { found, account } = asked;
    const [sends, approvals] = [await sendsOf(db, found.id), await approvalsOf(db, found.id)];
    const named = [
      found.openedBy,
      found.closedBy,
      ...[...found.checks, ...found.notes, ...sends].map(({ by }) => by),
      ...approvals.flatMap(({ askedBy, approvedBy }) => [askedBy, approvedBy]),
    ].filter((id) => id !== undefined);
    const emails = await emailsOf(db, caller.actor, named);
    const by = (id: string) => ({ id, email: emails.get(id) ?? null });
    const byOrNull = (id: string | undefined) => (id === undefined ? null : by(id));
    return {
      body: {
        number: found.number,
        person: { id: account.id, email: account.email, name: account.name },
        state: await stateOfCase(db, found),
        openedAt: iso(found.openedAt),
        closedAt: isoOrNull(found.closedAt),
        openedBy: byOrNull(found.openedBy),
        closedBy: byOrNull(found.closedBy),
        checks: found.checks.map((check) => ({ ...check, by: by(check.by) })),
        notes: found.notes.map((note) => ({ ...note, by: by(note.by) })),
        sends: sends.map((sent) => ({ at: iso(sent.at), by: by(sent.by) })),
        approvals: approvals.map((approval) => ({
          id: approval.id,
          deed: approval.deed,
          askedBy: by(approval.askedBy),
          askedAt: iso(approval.askedAt),
          approvedBy: byOrNull(approval.approvedBy),
        })),
      },
    };
  },
});

const opening = endpoint({
  method: 'POST',
  path: '/cases',
  name: 'openCase',
  summary: 'Open a case for somebody who called, or find the one that is open. The person is told by mail.',
  scope: 'cases:write',
  action: 'cases.send-code',
  fresh: true,
  body: z.strictObject({ person: accountId }),
  answers: { status: 201, schema: z.object({ number: caseNumber }) },
  refuses: [],
  example: { body: { person: examplePerson.id }, answer: { number: exampleCase } },
  async handle({ house, ctx, caller: { operator }, body: { person } }) {
    if (!operator) return { problem: 'person-needed' };
    if (!(await accountFor(house.db, operator, 'cases.send-code', person))) return { problem: 'not-found' };
    const deed = { target: person, by: operator, origin: ctx.state.origin };
    const opened = await openCaseFrom(house.db, house.post, deed);
    if ('refusal' in opened) return { problem: 'not-found' };
    const { number } = opened.found;
    return { location: `${house.settings.HEMMA_ISSUER}/api/cases/${number}`, body: { number } };
  },
});

export const cases: readonly Endpoint[] = [list, one, opening];
