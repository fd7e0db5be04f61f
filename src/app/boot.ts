import type { DestinationStream } from 'pino';
import type { Settings } from '../../config/settings.ts';
import { readSettings } from '../../config/settings.ts';
import { TableLockedError } from '../../migrations/index.ts';
import { createInitialBootstrapToken } from '../users/bootstrap.ts';
import type { Terminal } from '../cli/command.ts';
import { DataFolderLockedError, DataFolderUnusableError } from '../db/data-folder.ts';
import type { Hemma } from './server.ts';
import { UnknownSecretKeyError } from '../crypto/encryption.ts';
import { startServer } from './server.ts';

/** One sentence for what an operator can mend; the stack for what is ours. */
function describeStartFailure(fault: unknown, port: number): string {
  const { code, message, stack } = fault as NodeJS.ErrnoException;
  if (fault instanceof TableLockedError) return message;
  if (fault instanceof DataFolderLockedError)
    return `The data folder is in use by another process: ${message}.`;
  if (fault instanceof DataFolderUnusableError) return `The data folder cannot be used: ${message}.`;
  if (code === 'EADDRINUSE')
    return `Port ${port} is taken by another program; choose another with HEMMA_PORT.`;
  if (code === 'EACCES') return `Permission is missing: ${message}.`;
  if (fault instanceof UnknownSecretKeyError)
    return `HEMMA_SECRET_KEYS does not fit this database: ${message}.`;
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'ETIMEDOUT') {
    return `The database of DATABASE_URL does not answer: ${message || code}.`;
  }
  if (code === '3D000' || code === '28P01' || code === '28000')
    return `The database of DATABASE_URL refuses: ${message}.`;
  return stack ?? String(fault);
}

/** An empty database gets its first administrator by a token that is printed now and never again. */
async function printBootstrapToken({ stdout }: Terminal, { db, issuer }: Hemma): Promise<void> {
  const made = await createInitialBootstrapToken(db);
  if (!made) return;
  stdout.write(
    `There is no account yet. The first administrator comes in at ${issuer}/admin/bootstrap with this\n` +
      `one-time token, until ${made.expires.toISOString()}: ${made.token}\n`,
  );
}

/** `greets`: makes what a first start makes, and prints it; of several workers one does. */
export interface BootOptions {
  greets?: boolean;
  logTo?: DestinationStream;
}

async function startAndInitialize(
  settings: Settings,
  terminal: Terminal,
  { greets = true, logTo }: BootOptions,
): Promise<Hemma> {
  const hemma = await startServer(settings, logTo, terminal.env);
  try {
    if (!greets) return hemma;
    if (settings.HEMMA_DEMO) {
      // Loaded here: for trying out only, with the words that its passwords are made of.
      const { seedDemoData: seedDemo } = await import('./demo.ts');
      terminal.stdout.write(`${await seedDemo(hemma.db, hemma.vault, settings)}\n`);
    } else if (!settings.development) await printBootstrapToken(terminal, hemma);
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
export async function boot(terminal: Terminal, options: BootOptions = {}): Promise<Hemma | undefined> {
  const writeLine = (text: string) => terminal.stderr.write(`${text}\n`);
  const read = readSettings(terminal.env);
  if ('faults' in read) {
    writeLine(`Hemma does not start; ${read.faults.length} of its settings must be mended:`);
    for (const fault of read.faults) writeLine(`  - ${fault}`);
    terminal.exitCode = 1;
    return undefined;
  }
  const { settings } = read;
  return startAndInitialize(settings, terminal, options).catch((fault: unknown) => {
    writeLine(describeStartFailure(fault, settings.HEMMA_PORT));
    terminal.exitCode = 1;
    return undefined;
  });
}
