import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { exportUsers } from '../users/export.ts';
import type { ImportCounts, ImportFault, RefusedRow } from '../users/import/import.ts';
import { importUsers } from '../users/import/import.ts';
import type { FileFault, FileFormat } from '../users/import/rows.ts';
import type { CommandCall, Command, Terminal } from './command.ts';
import { requireValue, CommandRefusedError, UsageError } from './command.ts';
import { phrasesFor } from '../i18n/phrases.ts';
import { createHasher } from '../crypto/argon2.ts';
import { createEnqueueMail } from '../mail/enqueue.ts';

/** Accounts from files and into files, from a shell. */

const importPhrases = phrasesFor('en').accountsImport;
const rowMessages: Record<ImportFault, string> = importPhrases.rows;
const fileMessages: Record<FileFault, string> = importPhrases.files;

const writeLine = ({ stderr }: Terminal, line: string) => stderr.write(`${line}\n`);

function parseFormat({ option }: CommandCall): FileFormat | undefined {
  const format = z.enum(['csv', 'json']).optional().safeParse(option('format'));
  if (!format.success) throw new UsageError('the format is csv or json');
  return format.data;
}

/** The file, or standard input for `-`; opened before anything else, so that a wrong name is told at once. */
async function openInput({ stdin }: Terminal, path: string): Promise<Readable> {
  if (path === '-') return stdin;
  try {
    const file = await open(path);
    if ((await file.stat()).isDirectory()) throw new Error('it is a folder');
    return file.createReadStream();
  } catch (fault) {
    throw new CommandRefusedError(`${path} cannot be read: ${(fault as Error).message}`);
  }
}

/** Tells how far it is, once a second at most. */
function progressReporter(terminal: Terminal): (counts: Readonly<ImportCounts>) => void {
  let lastReportedAt = Date.now();
  return ({ rows, created, existing, refused }) => {
    if (Date.now() - lastReportedAt < 1000) return;
    lastReportedAt = Date.now();
    writeLine(terminal, `${rows} rows: ${created} new, ${existing} there already, ${refused} refused`);
  };
}

/** How many refusals the summary repeats one by one; every one was told on the way. */
const maxReportedRows = 1000;

/** Rows that were refused, told as they come and gathered for the summary. */
function refusalCollector(terminal: Terminal) {
  const list: RefusedRow[] = [];
  const byCode: Partial<Record<ImportFault, number>> = {};
  const onRefused = (refused: RefusedRow) => {
    const { row, code, field } = refused;
    byCode[code] = (byCode[code] ?? 0) + 1;
    if (list.length < maxReportedRows) list.push(refused);
    writeLine(terminal, `row ${row}${field ? `, ${field}` : ''}: ${code}. ${rowMessages[code]}`);
  };
  return { list, byCode, onRefused };
}

/** The first Ctrl+C ends it after the rows that were read, the second at once. */
async function withAbortSignal<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    return await run(stop.signal);
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

async function runUsersImport(call: CommandCall): Promise<unknown> {
  const { db, option, terminal } = call;
  const format = parseFormat(call);
  const file = await openInput(terminal, requireValue(call.words[0], 'the file'));
  const { list, byCode, onRefused } = refusalCollector(terminal);
  const hasher = await createHasher(1);
  const result = await withAbortSignal((signal) =>
    importUsers(db, hasher, file, {
      format,
      dryRun: option('dry-run') !== undefined,
      createGroups: option('create-groups') !== undefined,
      invite: option('invite') === undefined ? undefined : createEnqueueMail(call.settings),
      signal,
      onRefused,
      onProgress: progressReporter(terminal),
    }),
  ).catch((fault: unknown) => {
    throw new CommandRefusedError(
      `it ended early: ${(fault as Error).message}. What was taken in stays; the same file once more takes in what is missing`,
    );
  });
  if ('fault' in result) {
    const { fault, column } = result;
    throw new CommandRefusedError(
      `nothing was imported: ${fault}. ${fileMessages[fault]}${column ? ` (${column})` : ''}`,
    );
  }
  if (result.refused > 0 || result.stopped) terminal.exitCode = 1;
  const { stopped, dryRun, ...counts } = result;
  return option('json') === undefined
    ? { ...counts, ...(dryRun ? { dryRun } : {}), ...(stopped ? { stopped } : {}) }
    : { ...result, byCode, refusals: list };
}

async function runUsersExport(call: CommandCall): Promise<void> {
  const { db, option, terminal } = call;
  const format = parseFormat(call) ?? (option('json') === undefined ? 'csv' : 'json');
  const withHashes = option('with-hashes') !== undefined;
  const chunks = await exportUsers(db, { format, withHashes });
  await pipeline(Readable.from(chunks), terminal.stdout, { end: false });
}

export const importHelp = `  accounts import FILE [--format csv|json] [--dry-run] [--create-groups] [--invite]
                                     takes accounts in from CSV (the first line names the columns) or JSON
                                     (a list, or an object a line); - is standard input. Columns: email, name,
                                     locale, two_step_required, email_verified, disabled, groups (A|B),
                                     attributes (JSON, by the names of claims), password_hash (argon2id, bcrypt, PBKDF2, scrypt). A bad row is told by
                                     its number, and the rest goes in. --invite mails those without a hash
  accounts export [--format csv|json] [--with-hashes]
                                     every account in a form that import takes`;

export const importCommands: Record<string, Command> = {
  'accounts import': { takes: ['format', 'dry-run', 'create-groups', 'invite'], run: runUsersImport },
  'accounts export': { takes: ['format', 'with-hashes'], run: runUsersExport },
};
