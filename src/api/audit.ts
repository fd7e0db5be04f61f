import { z } from 'zod';
import { buildAuditFilter, findPublicAuditEvents } from '../users/audit-search.ts';
import { auditEventTypes } from '../audit/audit-log.ts';
import type { Endpoint } from './endpoint.ts';
import { defineEndpoint, encodeListCursor, decodeListCursor } from './endpoint.ts';
import { exampleUser, exampleAuditEvent } from './examples.ts';
import { auditEventSchema, pageOf, pageQueryFields, dateInput, instantInput } from './shapes.ts';

const dayOrInstant = z.union([dateInput, instantInput]);

const listAuditEventsEndpoint = defineEndpoint({
  method: 'GET',
  path: '/audit',
  name: 'listAudit',
  summary: 'What happened, the newest first.',
  scope: 'audit:read',
  action: 'audit.read',
  query: z.strictObject({
    event: z.enum(auditEventTypes).optional(),
    account: z.string().max(254).optional().meta({ description: "A person's address or number." }),
    operator: z.string().max(254).optional().meta({ description: "An operator's address or number." }),
    since: dayOrInstant.optional().meta({ description: 'The first day or moment that is in.' }),
    until: dayOrInstant
      .optional()
      .meta({ description: 'The last day that is in, or the first moment that is not.' }),
    ...pageQueryFields,
  }),
  answers: { status: 200, schema: pageOf(auditEventSchema) },
  refuses: ['invalid-cursor', 'no-such-person'],
  example: {
    query: { account: exampleUser.email, event: 'sign-in.finished', since: '2026-03-01' },
    answer: { items: [exampleAuditEvent], next: null },
  },
  async handle(request) {
    const { house: context, caller } = request;
    const { limit } = request.query;
    const at = decodeListCursor(request, 'audit');
    if ('problem' in at) return at;
    const filter = await buildAuditFilter(context.db, caller.actor, request.query);
    if (!filter) return { problem: 'no-such-person' };
    const before = at.place === undefined ? undefined : Number(at.place);
    const found = await findPublicAuditEvents(context.db, caller.actor, {
      ...filter,
      before,
      limit: limit + 1,
    });
    const items = found.slice(0, limit);
    const last = found.length > limit ? items.at(-1)?.id : undefined;
    return { body: { items, next: encodeListCursor(request, 'audit', last?.toString()) } };
  },
});

export const auditEndpoints: readonly Endpoint[] = [listAuditEventsEndpoint];
