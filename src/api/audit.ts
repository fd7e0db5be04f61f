import { z } from 'zod';
import { filterOf, leavingRows } from '../users/audit-search.ts';
import { auditEvents } from '../audit/audit-log.ts';
import type { Endpoint } from './endpoint.ts';
import { endpoint, nextOf, placeIn } from './endpoint.ts';
import { examplePerson, exampleRow } from './examples.ts';
import { auditRow, listOf, paged, saidDay, saidMoment } from './shapes.ts';

const time = z.union([saidDay, saidMoment]);

const list = endpoint({
  method: 'GET',
  path: '/audit',
  name: 'listAudit',
  summary: 'What happened, the newest first.',
  scope: 'audit:read',
  action: 'audit.read',
  query: z.strictObject({
    event: z.enum(auditEvents).optional(),
    account: z.string().max(254).optional().meta({ description: "A person's address or number." }),
    operator: z.string().max(254).optional().meta({ description: "An operator's address or number." }),
    since: time.optional().meta({ description: 'The first day or moment that is in.' }),
    until: time.optional().meta({ description: 'The last day that is in, or the first moment that is not.' }),
    ...paged,
  }),
  answers: { status: 200, schema: listOf(auditRow) },
  refuses: ['invalid-cursor', 'no-such-person'],
  example: {
    query: { account: examplePerson.email, event: 'sign-in.finished', since: '2026-03-01' },
    answer: { items: [exampleRow], next: null },
  },
  async handle(asked) {
    const { house, caller } = asked;
    const { limit } = asked.query;
    const at = placeIn(asked, 'audit');
    if ('problem' in at) return at;
    const filter = await filterOf(house.db, caller.actor, asked.query);
    if (!filter) return { problem: 'no-such-person' };
    const before = at.place === undefined ? undefined : Number(at.place);
    const found = await leavingRows(house.db, caller.actor, { ...filter, before, limit: limit + 1 });
    const items = found.slice(0, limit);
    const last = found.length > limit ? items.at(-1)?.id : undefined;
    return { body: { items, next: nextOf(asked, 'audit', last?.toString()) } };
  },
});

export const audit: readonly Endpoint[] = [list];
