import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { exportAccounts } from '../users/export.ts';
import type { ImportCounts, ImportFault, RefusedRow } from '../users/import/import.ts';
import { importAccounts } from '../users/import/import.ts';
import type { FileFault, Format } from '../users/import/rows.ts';
import type { Call, Command, Terminal } from './command.ts';
import { needed, Refused, Usage } from './command.ts';
import { phrasesFor } from '../i18n/phrases.ts';
import { hasherOf } from '../crypto/argon2.ts';
import { postFor } from '../mail/enqueue.ts';

/** Accounts from files and into files, from a shell. */

const words = phrasesFor('en').accountsImport;
const rowWords: Record<ImportFault, string> = words.rows;
const fileWords: Record<FileFault, string> = words.files;

const say = ({ stderr }: Terminal, line: string) => stderr.write(`${line}\n`);

function formatOf({ option }: Call): Format | undefined {
  const format = z.enum(['csv', 'json']).optional().safeParse(option('format'));
  if (!format.success) throw new Usage('the format is csv or json');
  return format.data;
}

/** The file, or standard input for `-`; opened before anything else, so that a wrong name is told at once. */
async function opened({ stdin }: Terminal, path: string): Promise<Readable> {
  if (path === '-') return stdin;
  try {
    const file = await open(path);
    if ((await file.stat()).isDirectory()) throw new Error('it is a folder');
    return file.createReadStream();
  } catch (fault) {
    throw new Refused(`${path} cannot be read: ${(fault as Error).message}`);
  }
}

/** Tells how far it is, once a second at most. */
function progress(terminal: Terminal): (counts: Readonly<ImportCounts>) => void {
  let told = Date.now();
  return ({ rows, created, existing, refused }) => {
    if (Date.now() - told < 1000) return;
    told = Date.now();
    say(terminal, `${rows} rows: ${created} new, ${existing} there already, ${refused} refused`);
  };
}

/** How many refusals the summary repeats one by one; every one was told on the way. */
const mostRefusals = 1000;

/** Rows that were refused, told as they come and gathered for the summary. */
function refusals(terminal: Terminal) {
  const list: RefusedRow[] = [];
  const byCode: Partial<Record<ImportFault, number>> = {};
  const onRefused = (refused: RefusedRow) => {
    const { row, code, field } = refused;
    byCode[code] = (byCode[code] ?? 0) + 1;
    if (list.length < mostRefusals) list.push(refused);
    say(terminal, `row ${row}${field ? `, ${field}` : ''}: ${code}. ${rowWords[code]}`);
  };
  return { list, byCode, onRefused };
}

/** The first Ctrl+C ends it after the rows that were read, the second at once. */
async function stoppable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const ask = () => stop.abort();
  process.once('SIGINT', ask).once('SIGTERM', ask);
  try {
    return await work(stop.signal);
  } finally {
    process.off('SIGINT', ask).off('SIGTERM', ask);
  }
}

async function importFile(call: Call): Promise<unknown> {
  const { db, option, terminal } = call;
  const format = formatOf(call);
  const file = await opened(terminal, needed(call.words[0], 'the file'));
  const { list, byCode, onRefused } = refusals(terminal);
  const hasher = await hasherOf(1);
  const result = await stoppable((signal) =>
    importAccounts(db, hasher, file, {
      format,
      dryRun: option('dry-run') !== undefined,
      createGroups: option('create-groups') !== undefined,
      invite: option('invite') === undefined ? undefined : postFor(call.settings),
      signal,
      onRefused,
      onProgress: progress(terminal),
    }),
  ).catch((fault: unknown) => {
    throw new Refused(
      `it ended early: ${(fault as Error).message}. What was taken in stays; the same file once more takes in what is missing`,
    );
  });
  if ('fault' in result) {
    const { fault, column } = result;
    throw new Refused(`nothing was imported: ${fault}. ${fileWords[fault]}${column ? ` (${column})` : ''}`);
  }
  if (result.refused > 0 || result.stopped) terminal.exitCode = 1;
  const { stopped, dryRun, ...counts } = result;
  return option('json') === undefined
    ? { ...counts, ...(dryRun ? { dryRun } : {}), ...(stopped ? { stopped } : {}) }
    : { ...result, byCode, refusals: list };
}

async function exportFile(call: Call): Promise<void> {
  const { db, option, terminal } = call;
  const format = formatOf(call) ?? (option('json') === undefined ? 'csv' : 'json');
  const withHashes = option('with-hashes') !== undefined;
  const pieces = await exportAccounts(db, { format, withHashes });
  await pipeline(Readable.from(pieces), terminal.stdout, { end: false });
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
  'accounts import': { takes: ['format', 'dry-run', 'create-groups', 'invite'], run: importFile },
  'accounts export': { takes: ['format', 'with-hashes'], run: exportFile },
};
