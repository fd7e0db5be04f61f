import { Readable } from 'node:stream';
import { z } from 'zod';
import { exportAccounts } from '../users/export.ts';
import type { RefusedRow } from '../users/import/import.ts';
import { importAccounts } from '../users/import/import.ts';
import { doerOf, mayAct } from '../users/operators.ts';
import { phrasesFor } from '../i18n/phrases.ts';
import type { Endpoint } from './endpoint.ts';
import { endpoint } from './endpoint.ts';
import { flag } from './shapes.ts';

/** Bytes of a file that is taken in at once: some fifty thousand rows. */
const mostBytes = 10 * 1024 * 1024;
/** How many refused rows an answer tells one by one. */
const mostRefusals = 1000;

const words = phrasesFor('en').accountsImport;
const rowWords: Record<string, string> = words.rows;
const fileWords: Record<string, string> = words.files;

const row = z.object({ row: z.int(), code: z.string(), field: z.string().nullable(), detail: z.string() });

const takeIn = endpoint({
  method: 'POST',
  path: '/accounts/import',
  name: 'importAccounts',
  summary: 'Take in many accounts from CSV or a JSON list. A bad row is told, and the rest goes in.',
  description:
    'The same file as `hemma accounts import` takes, at most 10 MiB. The same file once more takes in what is missing. `createGroups` needs the scope `groups:write` besides.',
  scope: 'accounts:import',
  action: 'accounts.import',
  fresh: true,
  query: z.strictObject({ dryRun: flag, createGroups: flag, invite: flag }),
  takes: { types: ['text/csv', 'application/json'], most: mostBytes },
  answers: {
    status: 200,
    schema: z.object({
      rows: z.int(),
      created: z.int(),
      existing: z.int(),
      refused: z.int(),
      dryRun: z.boolean(),
      refusals: z.array(row),
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
  async handle({ house, ctx, caller, query, body }) {
    const { dryRun, createGroups, invite } = query;
    if (createGroups && !(caller.scopes.has('groups:write') && mayAct(caller.actor, 'groups.write')))
      return { problem: 'insufficient-scope' };
    const told: RefusedRow[] = [];
    const done = await importAccounts(house.db, house.hasher, Readable.from([body as unknown as Buffer]), {
      ...doerOf({ by: caller.actor, origin: ctx.state.origin }),
      format: ctx.is('text/csv') ? 'csv' : 'json',
      dryRun,
      createGroups,
      invite: invite ? house.post : undefined,
      onRefused: (one) => void (told.length < mostRefusals && told.push(one)),
    });
    if ('fault' in done) {
      const { fault, column } = done;
      const detail = fileWords[fault] ?? fault;
      return { problem: 'unreadable-file', errors: [{ path: column ?? '', code: fault, detail }] };
    }
    const refusals = told.map(({ row: number, code, field }) => ({
      row: number,
      code,
      field: field ?? null,
      detail: rowWords[code] ?? code,
    }));
    return { body: { ...done, refusals } };
  },
});

const takeOut = endpoint({
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
  async handle({ house, ctx, caller, query: { format } }) {
    const doer = doerOf({ by: caller.actor, origin: ctx.state.origin });
    const pieces = await exportAccounts(house.db, { format, withHashes: false, ...doer });
    const type = format === 'csv' ? 'text/csv; charset=utf-8' : 'application/json';
    return { file: Readable.from(pieces), type };
  },
});

export const accounts: readonly Endpoint[] = [takeIn, takeOut];
