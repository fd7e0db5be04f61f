/** Files of accounts, and the command line that takes them in. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Db } from '../../src/db/database.ts';
import { type Shell, shellWith } from '../command-line/shell.ts';
import type { End } from '../rig/process.ts';

/** What `accounts import --json` prints. */
export interface Summary {
  rows: number;
  created: number;
  existing: number;
  refused: number;
  dryRun: boolean;
  stopped: boolean;
  byCode: Record<string, number>;
  refusals: { row: number; code: string; field?: string }[];
}

export interface Importer {
  shell: Shell;
  /** Imports a text or bytes as a file, with `--json`; the summary is empty where the whole file was refused. */
  take(content: string | Uint8Array, ...words: string[]): Promise<End & { summary: Summary }>;
  stop(): Promise<void>;
}

export async function importerWith(env: Record<string, string>): Promise<Importer> {
  const folder = await mkdtemp(join(tmpdir(), 'hemma-import-'));
  const shell = shellWith(env);
  let files = 0;
  return {
    shell,
    async take(content, ...words) {
      const file = join(folder, `accounts-${++files}`);
      await writeFile(file, content);
      const end = await shell(['accounts', 'import', file, '--json', ...words]);
      return { ...end, summary: JSON.parse(end.stdout || '{}') as Summary };
    },
    stop: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Lines of CSV from cells that need no quotes. */
export const csv = (...lines: string[][]): string => lines.map((cells) => `${cells.join(',')}\n`).join('');

/** `row: code` of every row that did not go in, by row. */
export const told = ({ summary }: { summary: Summary }): string[] =>
  summary.refusals.toSorted((one, other) => one.row - other.row).map(({ row, code }) => `${row}: ${code}`);

export interface StoredAccount {
  id: string;
  name: string;
  role: string;
  locale: string | null;
  password_hash: string;
  two_step_required: boolean;
  verified: boolean;
  disabled: boolean;
  invited: boolean;
  open: boolean;
}

/** The account with that address as it is stored. */
export async function stored(db: Db, email: string): Promise<StoredAccount | undefined> {
  const { rows } = await db.query<StoredAccount>(
    `SELECT id, name, role, locale, password_hash, two_step_required, email_verified_at IS NOT NULL AS verified,
       disabled_at IS NOT NULL AS disabled, invited_at IS NOT NULL AS invited,
       enrolment_open_until IS NOT NULL AS open FROM accounts WHERE email_key = $1`,
    [email],
  );
  return rows[0];
}
