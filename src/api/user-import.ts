import { Readable } from 'node:stream';
import { z } from 'zod';
import { exportUsers } from '../users/export.ts';
import type { RefusedRow } from '../users/import/import.ts';
import { importUsers } from '../users/import/import.ts';
import { toAuditActor, hasPermission } from '../users/operators.ts';
import { phrasesFor } from '../i18n/phrases.ts';
import type { Endpoint } from './endpoint.ts';
import { defineEndpoint } from './endpoint.ts';
import { booleanFlag } from './shapes.ts';

/** Bytes of a file that is taken in at once: some fifty thousand rows. */
const maxImportBytes = 10 * 1024 * 1024;
/** How many refused rows an answer tells one by one. */
const maxReportedRows = 1000;

const importPhrases = phrasesFor('en').accountsImport;
const rowMessages: Record<string, string> = importPhrases.rows;
const fileMessages: Record<string, string> = importPhrases.files;

const refusedRowSchema = z.object({
  row: z.int(),
  code: z.string(),
  field: z.string().nullable(),
  detail: z.string(),
});

const importUsersEndpoint = defineEndpoint({
  method: 'POST',
  path: '/accounts/import',
  name: 'importAccounts',
  summary: 'Take in many accounts from CSV or a JSON list. A bad row is told, and the rest goes in.',
  description:
    'The same file as `hemma accounts import` takes, at most 10 MiB. The same file once more takes in what is missing. `createGroups` needs the scope `groups:write` besides.',
  scope: 'accounts:import',
  action: 'accounts.import',
  fresh: true,
  query: z.strictObject({ dryRun: booleanFlag, createGroups: booleanFlag, invite: booleanFlag }),
  takes: { types: ['text/csv', 'application/json'], most: maxImportBytes },
  answers: {
    status: 200,
    schema: z.object({
      rows: z.int(),
      created: z.int(),
      existing: z.int(),
      refused: z.int(),
      dryRun: z.boolean(),
      refusals: z.array(refusedRowSchema),
    }),
  },
  refuses: ['unreadable-file', 'insufficient-scope'],
  example: {
    query: { dryRun: 'true' },
    body: [
      { email: 'stina@north.example', name: 'Stina Norlin', groups: ['North'] },
      { email: 'not-an-address', name: 'Nobody' },
    ],
    answer: {
      rows: 2,
      created: 1,
      existing: 0,
      refused: 1,
      dryRun: true,
      refusals: [
        { row: 2, code: 'malformed-email', field: 'email', detail: 'This is not an email address.' },
      ],
    },
  },
  async handle({ house: context, ctx, caller, query, body }) {
    const { dryRun, createGroups, invite } = query;
    if (createGroups && !(caller.scopes.has('groups:write') && hasPermission(caller.actor, 'groups.write')))
      return { problem: 'insufficient-scope' };
    const refusedRows: RefusedRow[] = [];
    const done = await importUsers(context.db, context.hasher, Readable.from([body as unknown as Buffer]), {
      ...toAuditActor({ by: caller.actor, origin: ctx.state.origin }),
      format: ctx.is('text/csv') ? 'csv' : 'json',
      dryRun,
      createGroups,
      invite: invite ? context.post : undefined,
      onRefused: (one) => void (refusedRows.length < maxReportedRows && refusedRows.push(one)),
    });
    if ('fault' in done) {
      const { fault, column } = done;
      const detail = fileMessages[fault] ?? fault;
      return { problem: 'unreadable-file', errors: [{ path: column ?? '', code: fault, detail }] };
    }
    const refusals = refusedRows.map(({ row: number, code, field }) => ({
      row: number,
      code,
      field: field ?? null,
      detail: rowMessages[code] ?? code,
    }));
    return { body: { ...done, refusals } };
  },
});

const exportUsersEndpoint = defineEndpoint({
  method: 'GET',
  path: '/accounts/export',
  name: 'exportAccounts',
  summary: 'Every account in a form that an import takes, without passwords.',
  scope: 'accounts:export',
  action: 'accounts.export',
  fresh: true,
  query: z.strictObject({ format: z.enum(['csv', 'json']).default('json') }),
  answers: { status: 200, type: 'application/json or text/csv' },
  refuses: [],
  example: { query: { format: 'csv' } },
  async handle({ house: context, ctx, caller, query: { format } }) {
    const auditActor = toAuditActor({ by: caller.actor, origin: ctx.state.origin });
    const chunks = await exportUsers(context.db, { format, withHashes: false, ...auditActor });
    const type = format === 'csv' ? 'text/csv; charset=utf-8' : 'application/json';
    return { file: Readable.from(chunks), type };
  },
});

export const userImportEndpoints: readonly Endpoint[] = [importUsersEndpoint, exportUsersEndpoint];
