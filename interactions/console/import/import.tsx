import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import Router from '@koa/router';
import { z } from 'zod';
import { exportAccounts } from '../../../src/users/export.ts';
import type { RefusedRow } from '../../../src/users/import/import.ts';
import { importAccounts } from '../../../src/users/import/import.ts';
import type { FileFault } from '../../../src/users/import/rows.ts';
import type { House } from '../../../src/context.ts';
import type { Refusal } from '../../ui/form.tsx';
import { readForm } from '../../ui/parse-form.ts';
import { inWords } from '../../ui/refusal.ts';
import type { AdminVisit } from '../require-operator.ts';
import { freshly, guarded, guardedFreshly, sentForm, showPage, toStepUp } from '../require-operator.ts';
import type { Choices, Outcome } from './view.tsx';
import { ImportedPage, ImportPage } from './view.tsx';
import { readUpload } from './upload.ts';

/** What a page takes in one request; the command line takes any number. */
const mostRows = 5000;
/** Rows that are told one by one. */
const toldRows = 200;

const form = z.object({
  createGroups: z.literal('yes').optional(),
  invite: z.literal('yes').optional(),
  /** The file that was checked, sealed: the answer to "and now import it". */
  checked: z.string().default(''),
});

/** What a checked file is sealed with: this session and these choices, so that what is imported is what was shown. */
const about = ({ session }: AdminVisit, { createGroups, invite }: Choices) =>
  `import:${session}:${createGroups ?? 'no'}:${invite ?? 'no'}`;

async function seal(visit: AdminVisit, choices: Choices, file: Buffer): Promise<string> {
  const packed = await promisify(gzip)(file);
  return visit.house.vault.seal(packed, about(visit, choices)).toString('base64url');
}

async function unseal(visit: AdminVisit, choices: Choices, sealed: string): Promise<Buffer | undefined> {
  try {
    const { plain } = visit.house.vault.open(Buffer.from(sealed, 'base64url'), about(visit, choices));
    return await promisify(gunzip)(plain);
  } catch {
    return undefined;
  }
}

type Read =
  { outcome: Outcome } | { fault: FileFault; column: string | undefined } | { code: 'too-many-rows' };

/** Judges the file and, unless it is a dry run, takes it in: the very function of the command line. */
async function take(visit: AdminVisit, file: Buffer, choices: Choices, dryRun: boolean): Promise<Read> {
  const { house, operator, ctx } = visit;
  const stop = new AbortController();
  const refused: RefusedRow[] = [];
  const result = await importAccounts(house.db, house.hasher, Readable.from([file]), {
    dryRun,
    createGroups: choices.createGroups === 'yes',
    invite: choices.invite === 'yes' ? house.post : undefined,
    by: operator.id,
    origin: ctx.state.origin,
    signal: stop.signal,
    onRefused: (row) => void refused.push(row),
    onProgress: ({ rows }) => void (dryRun && rows > mostRows && stop.abort()),
  });
  if ('fault' in result) return { fault: result.fault, column: result.column };
  if (dryRun && result.rows > mostRows) return { code: 'too-many-rows' };
  const faults = refused.toSorted((one, other) => one.row - other.row).slice(0, toldRows);
  const checked = dryRun ? await seal(visit, choices, file) : undefined;
  return { outcome: { counts: result, faults, moreFaults: refused.length - faults.length, checked } };
}

const show = (visit: AdminVisit, choices: Choices = {}, refusal?: Refusal) =>
  showPage(visit, <ImportPage {...{ visit, choices, mostRows, refusal }} />, refusal !== undefined);

type Code = 'no-file' | 'file-too-large' | 'too-many-rows' | 'file-gone';

function refuse(visit: AdminVisit, choices: Choices, code: Code): void {
  const contact = visit.house.settings.HEMMA_HELP_DESK_CONTACT;
  return show(visit, choices, inWords(visit.frame, { code }, contact, 'file'));
}

/** A file that cannot be read at all: why, and the column that it is about. */
function unreadable({ frame }: AdminVisit, fault: FileFault, column: string | undefined): Refusal {
  const why = frame.t.accountsImport.files[fault];
  const message = `${frame.t.refusals['unreadable-file']} ${why}${column ? ` (${column})` : ''}`;
  return { code: 'unreadable-file', message, field: 'file' };
}

/** First the file, which is only judged; then, from the page that says what would happen, the same file once more. */
async function answer(visit: AdminVisit): Promise<void> {
  const { file: sent, tooLarge } = await readUpload(visit.ctx);
  if (tooLarge) return refuse(visit, {}, 'file-too-large');
  const { checked, ...choices } = sentForm(visit, form);
  const file = checked ? await unseal(visit, choices, checked) : sent;
  if (!file) return refuse(visit, choices, checked ? 'file-gone' : 'no-file');
  const read = await take(visit, file, choices, checked === '');
  if ('code' in read) return refuse(visit, choices, read.code);
  if ('fault' in read) return show(visit, choices, unreadable(visit, read.fault, read.column));
  return showPage(visit, <ImportedPage {...{ visit, choices, ...read }} />);
}

const exportForm = z.object({ format: z.enum(['csv', 'json']) });

/** All accounts as a file, without hashes: those leave by the command line alone. */
async function leave(visit: AdminVisit): Promise<void> {
  const { house, ctx, operator, frame } = visit;
  if (!freshly(visit)) return toStepUp(house, ctx, '/admin/people/import');
  const { format } = sentForm(visit, exportForm);
  const { origin } = ctx.state;
  const pieces = await exportAccounts(house.db, { format, withHashes: false, by: operator.id, origin });
  ctx.attachment(`${frame.t.console.import.fileName}.${format}`);
  ctx.type = format === 'csv' ? 'text/csv; charset=utf-8' : 'json';
  ctx.body = Readable.from(pieces);
}

export function routes(house: House): Router {
  const router = new Router();
  const path = '/admin/people/import';
  router.get(
    path,
    guardedFreshly(house, 'accounts.import', (visit) => show(visit)),
  );
  router.post(path, guardedFreshly(house, 'accounts.import', answer));
  router.post('/admin/people/export', readForm, guarded(house, 'accounts.export', leave));
  return router;
}
