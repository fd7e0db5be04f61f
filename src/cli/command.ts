import type { Readable, Writable } from 'node:stream';
import type { Settings } from '../../config/settings.ts';
import type { Db } from '../db/database.ts';

/** Refused: the sentence says why. Usage: the words of the command were off. */
export class CommandRefusedError extends Error {}
export class UsageError extends Error {}

/** Every option of every command; which of them a command takes it says itself. */
export const optionDefinitions = {
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  email: { type: 'string' },
  name: { type: 'string' },
  role: { type: 'string' },
  group: { type: 'string' },
  locale: { type: 'string' },
  file: { type: 'string', short: 'f' },
  event: { type: 'string' },
  account: { type: 'string' },
  limit: { type: 'string' },
  operator: { type: 'string' },
  check: { type: 'string', multiple: true },
  'dry-run': { type: 'boolean' },
  prune: { type: 'boolean' },
  adopt: { type: 'boolean' },
  confirm: { type: 'string' },
  days: { type: 'string' },
  format: { type: 'string' },
  'create-groups': { type: 'boolean' },
  invite: { type: 'boolean' },
  'with-hashes': { type: 'boolean' },
  now: { type: 'boolean' },
  uses: { type: 'string' },
  type: { type: 'string', multiple: true },
  host: { type: 'string', multiple: true },
} as const;
export type OptionName = keyof typeof optionDefinitions;

/** Where a command is typed: the process itself, as far as a command needs it. */
export interface Terminal {
  env: Record<string, string | undefined>;
  stdin: Readable;
  stdout: Writable;
  stderr: Writable;
  exitCode?: number | string | null | undefined;
}

/** One call from a shell: the words after the command's own, and its options by name. */
export interface CommandCall {
  db: Db;
  settings: Settings;
  terminal: Terminal;
  words: string[];
  option: (name: OptionName) => string | undefined;
}

/** What a command does, and the options that it takes besides --json; any other is refused. */
export interface Command {
  takes: readonly OptionName[];
  run: (call: CommandCall) => Promise<unknown>;
}

export function requireValue(value: string | undefined, label: string): string {
  if (!value) throw new UsageError(`${label} is missing`);
  return value;
}
