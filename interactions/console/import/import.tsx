import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import Router from '@koa/router';
import { z } from 'zod';
import { exportUsers } from '../../../src/users/export.ts';
import type { RefusedRow } from '../../../src/users/import/import.ts';
import { importUsers } from '../../../src/users/import/import.ts';
import type { FileFault } from '../../../src/users/import/rows.ts';
import type { AppContext } from '../../../src/context.ts';
import type { Refusal } from '../../ui/form.tsx';
import { parseFormBody } from '../../ui/parse-form.ts';
import { translateRefusal } from '../../ui/refusal.ts';
import type { ConsoleContext } from '../require-operator.ts';
import {
  isRecentSignIn,
  requireOperator,
  requireRecentOperator,
  parseConsoleForm,
  sendConsolePage,
  redirectToStepUp,
} from '../require-operator.ts';
import type { ImportFormOptions, ImportOutcome } from './view.tsx';
import { ImportResultPage, ImportPage } from './view.tsx';
import { readUpload } from './upload.ts';

/** What a page takes in one request; the command line takes any number. */
const maxImportRows = 5000;
/** Rows that are told one by one. */
const maxReportedRows = 200;

const importForm = z.object({
  createGroups: z.literal('yes').optional(),
  invite: z.literal('yes').optional(),
  /** The file that was checked, sealed: the answer to "and now import it". */
  checked: z.string().default(''),
});

/** What a checked file is sealed with: this session and these choices, so that what is imported is what was shown. */
const associatedData = ({ session }: ConsoleContext, { createGroups, invite }: ImportFormOptions) =>
  `import:${session}:${createGroups ?? 'no'}:${invite ?? 'no'}`;

async function sealFile(
  consoleContext: ConsoleContext,
  choices: ImportFormOptions,
  file: Buffer,
): Promise<string> {
  const packed = await promisify(gzip)(file);
  return consoleContext.house.vault
    .seal(packed, associatedData(consoleContext, choices))
    .toString('base64url');
}

async function unsealFile(
  consoleContext: ConsoleContext,
  choices: ImportFormOptions,
  sealed: string,
): Promise<Buffer | undefined> {
  try {
    const { plain } = consoleContext.house.vault.open(
      Buffer.from(sealed, 'base64url'),
      associatedData(consoleContext, choices),
    );
    return await promisify(gunzip)(plain);
  } catch {
    return undefined;
  }
}

type ImportAttempt =
  { outcome: ImportOutcome } | { fault: FileFault; column: string | undefined } | { code: 'too-many-rows' };

/** Judges the file and, unless it is a dry run, takes it in: the very function of the command line. */
async function importFile(
  consoleContext: ConsoleContext,
  file: Buffer,
  choices: ImportFormOptions,
  dryRun: boolean,
): Promise<ImportAttempt> {
  const { house: context, operator, ctx } = consoleContext;
  const abort = new AbortController();
  const refused: RefusedRow[] = [];
  const result = await importUsers(context.db, context.hasher, Readable.from([file]), {
    dryRun,
    createGroups: choices.createGroups === 'yes',
    invite: choices.invite === 'yes' ? context.post : undefined,
    by: operator.id,
    origin: ctx.state.origin,
    signal: abort.signal,
    onRefused: (row) => void refused.push(row),
    onProgress: ({ rows }) => void (dryRun && rows > maxImportRows && abort.abort()),
  });
  if ('fault' in result) return { fault: result.fault, column: result.column };
  if (dryRun && result.rows > maxImportRows) return { code: 'too-many-rows' };
  const faults = refused.toSorted((one, other) => one.row - other.row).slice(0, maxReportedRows);
  const checked = dryRun ? await sealFile(consoleContext, choices, file) : undefined;
  return { outcome: { counts: result, faults, moreFaults: refused.length - faults.length, checked } };
}

const renderImport = (consoleContext: ConsoleContext, choices: ImportFormOptions = {}, refusal?: Refusal) =>
  sendConsolePage(
    consoleContext,
    <ImportPage {...{ visit: consoleContext, choices, mostRows: maxImportRows, refusal }} />,
    refusal !== undefined,
  );

type UploadRefusalCode = 'no-file' | 'file-too-large' | 'too-many-rows' | 'file-gone';

function renderUploadRefusal(
  consoleContext: ConsoleContext,
  choices: ImportFormOptions,
  code: UploadRefusalCode,
): void {
  const contact = consoleContext.house.settings.HEMMA_HELP_DESK_CONTACT;
  return renderImport(
    consoleContext,
    choices,
    translateRefusal(consoleContext.frame, { code }, contact, 'file'),
  );
}

/** A file that cannot be read at all: why, and the column that it is about. */
function fileFaultRefusal({ frame }: ConsoleContext, fault: FileFault, column: string | undefined): Refusal {
  const why = frame.t.accountsImport.files[fault];
  const message = `${frame.t.refusals['unreadable-file']} ${why}${column ? ` (${column})` : ''}`;
  return { code: 'unreadable-file', message, field: 'file' };
}

/** First the file, which is only judged; then, from the page that says what would happen, the same file once more. */
async function submitImport(consoleContext: ConsoleContext): Promise<void> {
  const { file: sent, tooLarge } = await readUpload(consoleContext.ctx);
  if (tooLarge) return renderUploadRefusal(consoleContext, {}, 'file-too-large');
  const { checked, ...choices } = parseConsoleForm(consoleContext, importForm);
  const file = checked ? await unsealFile(consoleContext, choices, checked) : sent;
  if (!file) return renderUploadRefusal(consoleContext, choices, checked ? 'file-gone' : 'no-file');
  const read = await importFile(consoleContext, file, choices, checked === '');
  if ('code' in read) return renderUploadRefusal(consoleContext, choices, read.code);
  if ('fault' in read)
    return renderImport(consoleContext, choices, fileFaultRefusal(consoleContext, read.fault, read.column));
  return sendConsolePage(
    consoleContext,
    <ImportResultPage {...{ visit: consoleContext, choices, ...read }} />,
  );
}

const exportForm = z.object({ format: z.enum(['csv', 'json']) });

/** All accounts as a file, without hashes: those leave by the command line alone. */
async function downloadUsers(consoleContext: ConsoleContext): Promise<void> {
  const { house: context, ctx, operator, frame } = consoleContext;
  if (!isRecentSignIn(consoleContext)) return redirectToStepUp(context, ctx, '/admin/people/import');
  const { format } = parseConsoleForm(consoleContext, exportForm);
  const { origin: requestInfo } = ctx.state;
  const chunks = await exportUsers(context.db, {
    format,
    withHashes: false,
    by: operator.id,
    origin: requestInfo,
  });
  ctx.attachment(`${frame.t.console.import.fileName}.${format}`);
  ctx.type = format === 'csv' ? 'text/csv; charset=utf-8' : 'json';
  ctx.body = Readable.from(chunks);
}

export function routes(context: AppContext): Router {
  const router = new Router();
  const path = '/admin/people/import';
  router.get(
    path,
    requireRecentOperator(context, 'accounts.import', (consoleContext) => renderImport(consoleContext)),
  );
  router.post(path, requireRecentOperator(context, 'accounts.import', submitImport));
  router.post(
    '/admin/people/export',
    parseFormBody,
    requireOperator(context, 'accounts.export', downloadUsers),
  );
  return router;
}
