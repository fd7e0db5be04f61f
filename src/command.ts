import type { Readable, Writable } from 'node:stream';
import type { Settings } from '../config/settings.ts';
import type { Db } from './platform/database.ts';

/** Refused: the sentence says why. Usage: the words of the command were off. */
export class Refused extends Error {}
export class Usage extends Error {}

/** Where a command is typed: the process itself, as far as a command needs it. */
export interface Terminal {
  env: Record<string, string | undefined>;
  stdin: Readable;
  stdout: Writable;
  stderr: Writable;
  exitCode?: number | string | null | undefined;
}

/** One call from a shell: the words after the command's own, and its options by name. */
export interface Call {
  db: Db;
  settings: Settings;
  terminal: Terminal;
  words: string[];
  option: (name: string) => string | undefined;
}

export function needed(value: string | undefined, what: string): string {
  if (!value) throw new Usage(`${what} is missing`);
  return value;
}
