import type { DestinationStream } from 'pino';
import type { Settings } from '../../config/settings.ts';
import { readSettings } from '../../config/settings.ts';
import { TableHeld } from '../../migrations/index.ts';
import { firstBootstrapToken } from '../users/bootstrap.ts';
import type { Terminal } from '../cli/command.ts';
import { DataFolderBusy, DataFolderUnusable } from '../db/data-folder.ts';
import type { Hemma } from './server.ts';
import { WrongSecretKeys } from '../crypto/encryption.ts';
import { start } from './server.ts';

/** One sentence for what an operator can mend; the stack for what is ours. */
function sentence(fault: unknown, port: number): string {
  const { code, message, stack } = fault as NodeJS.ErrnoException;
  if (fault instanceof TableHeld) return message;
  if (fault instanceof DataFolderBusy) return `The data folder is in use by another process: ${message}.`;
  if (fault instanceof DataFolderUnusable) return `The data folder cannot be used: ${message}.`;
  if (code === 'EADDRINUSE')
    return `Port ${port} is taken by another program; choose another with HEMMA_PORT.`;
  if (code === 'EACCES') return `Permission is missing: ${message}.`;
  if (fault instanceof WrongSecretKeys) return `HEMMA_SECRET_KEYS does not fit this database: ${message}.`;
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'ETIMEDOUT') {
    return `The database of DATABASE_URL does not answer: ${message || code}.`;
  }
  if (code === '3D000' || code === '28P01' || code === '28000')
    return `The database of DATABASE_URL refuses: ${message}.`;
  return stack ?? String(fault);
}

/** An empty database gets its first administrator by a token that is printed now and never again. */
async function offerBootstrap({ stdout }: Terminal, { db, issuer }: Hemma): Promise<void> {
  const made = await firstBootstrapToken(db);
  if (!made) return;
  stdout.write(
    `There is no account yet. The first administrator comes in at ${issuer}/admin/bootstrap with this\n` +
      `one-time token, until ${made.expires.toISOString()}: ${made.token}\n`,
  );
}

/** `greets`: makes what a first start makes, and prints it; of several workers one does. */
export interface Surroundings {
  greets?: boolean;
  logTo?: DestinationStream;
}

async function begin(
  settings: Settings,
  terminal: Terminal,
  { greets = true, logTo }: Surroundings,
): Promise<Hemma> {
  const hemma = await start(settings, logTo, terminal.env);
  try {
    if (!greets) return hemma;
    if (settings.HEMMA_DEMO) {
      // Loaded here: for trying out only, with the words that its passwords are made of.
      const { seedDemo } = await import('./demo.ts');
      terminal.stdout.write(`${await seedDemo(hemma.db, hemma.vault, settings)}\n`);
    } else if (!settings.development) await offerBootstrap(terminal, hemma);
    return hemma;
  } catch (fault) {
    await hemma.stop();
    throw fault;
  }
}

/**
 * Starts the provider with the settings of a terminal's environment. Whatever keeps it from starting is said there in
 * sentences, all faults of the settings at once, the exit code is 1, and the answer undefined.
 */
export async function boot(terminal: Terminal, surroundings: Surroundings = {}): Promise<Hemma | undefined> {
  const say = (text: string) => terminal.stderr.write(`${text}\n`);
  const read = readSettings(terminal.env);
  if ('faults' in read) {
    say(`Hemma does not start; ${read.faults.length} of its settings must be mended:`);
    for (const fault of read.faults) say(`  - ${fault}`);
    terminal.exitCode = 1;
    return undefined;
  }
  const { settings } = read;
  return begin(settings, terminal, surroundings).catch((fault: unknown) => {
    say(sentence(fault, settings.HEMMA_PORT));
    terminal.exitCode = 1;
    return undefined;
  });
}
