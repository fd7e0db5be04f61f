import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { generate } from 'otplib';
import { z } from 'zod';
import { readSettings } from '../../config/settings.ts';
import { migrate } from '../../migrations/index.ts';
import type { User } from '../users/users.ts';
import { findUserByEmail, createUser, listUsers, roles } from '../users/users.ts';
import { claimCommands, claimHelp } from './claims.ts';
import { clientsCommands, clientsHelp } from './clients.ts';
import type { CommandCall, Command, OptionName, Terminal } from './command.ts';
import { requireValue, optionDefinitions, CommandRefusedError, UsageError } from './command.ts';
import { auditEventTypes, findAuditEvents } from '../audit/audit-log.ts';
import { openDatabase } from '../db/database.ts';
import { createHasher } from '../crypto/argon2.ts';
import { helpDeskCommands, helpDeskHelp } from './help-desk.ts';
import { importCommands, importHelp } from './import.ts';
import { keysCommands, keysHelp } from './keys.ts';
import { registrationCommands, registrationHelp } from './registration.ts';
import { usersCommands, usersHelp } from './users.ts';

const helpText = `hemma: the provider from a shell

  accounts create --email E --name N [--role person|help-desk|administrator] [--locale sv|en]
                                     the password is read from standard input
  accounts list                      every account, a line each
${usersHelp}
${importHelp}
${helpDeskHelp}
${clientsHelp}
${registrationHelp}
${claimHelp}
${keysHelp}
  audit [--event X] [--account E] [--operator E] [--limit N]
  totp KEY                           the six digits of a key now, for trying out
  migrate                            brings the database to the newest shape

  --json everywhere. Ends with 0, 1 (refused) or 2 (usage).`;

const userOutput = ({ id, email, name, role, disabledAt }: User) => ({
  id,
  email,
  name,
  role,
  disabled: disabledAt !== undefined,
});

async function runUsersCreate({ db, settings, option, terminal }: CommandCall) {
  const parsed = z
    .object({ role: z.enum(roles).optional(), locale: z.enum(['sv', 'en']).optional() })
    .safeParse({ role: option('role'), locale: option('locale') });
  if (!parsed.success)
    throw new UsageError('the role is person, help-desk or administrator; the locale sv or en');
  const email = requireValue(option('email'), '--email');
  const name = requireValue(option('name'), '--name');
  const password = (await text(terminal.stdin)).replace(/\r?\n$/, '');
  const { role, locale } = parsed.data;
  const result = await createUser(db, await createHasher(1), settings.HEMMA_BRAND_NAME, {
    email,
    name,
    password,
    ...(role ? { role } : {}),
    ...(locale ? { locale } : {}),
  });
  if ('refusal' in result) throw new CommandRefusedError(`the account was not made: ${result.refusal}`);
  return userOutput(result.account);
}

async function runUsersList({ db }: CommandCall) {
  const all: User[] = [];
  for (let page = await listUsers(db, '', 500); page.length > 0;) {
    all.push(...page);
    page = await listUsers(db, page.at(-1)?.email ?? '', 500);
  }
  return all.map(userOutput);
}

async function runAudit({ db, option }: CommandCall) {
  const numberOf = async (email: string | undefined) => {
    const found = email ? (await findUserByEmail(db, email))?.id : undefined;
    if (email && !found) throw new CommandRefusedError('there is no account with that address');
    return found;
  };
  const userId = await numberOf(option('account'));
  const actor = await numberOf(option('operator'));
  const event = option('event');
  if (event && !auditEventTypes.some((known) => known === event))
    throw new UsageError(`there is no event ${event}`);
  const limit = z.coerce
    .number()
    .int()
    .min(1)
    .max(1000)
    .safeParse(option('limit') ?? '50');
  if (!limit.success) throw new UsageError('--limit is a number from 1 to 1000');
  return findAuditEvents(db, {
    limit: limit.data,
    ...(event ? { event } : {}),
    ...(userId ? { accountId: userId } : {}),
    actor,
  });
}

const commands: Record<string, Command> = {
  'accounts create': { takes: ['email', 'name', 'role', 'locale'], run: runUsersCreate },
  'accounts list': { takes: [], run: runUsersList },
  ...usersCommands,
  ...importCommands,
  ...helpDeskCommands,
  ...clientsCommands,
  ...registrationCommands,
  ...claimCommands,
  ...keysCommands,
  audit: { takes: ['event', 'account', 'operator', 'limit'], run: runAudit },
  migrate: { takes: [], run: async ({ db }) => ({ applied: await migrate(db) }) },
};

/** A key as the page shows it: in groups of four, in any case. */
const parseTotpKey = (words: string[]): string => words.join('').replaceAll(/[\s-]/g, '').toUpperCase();

function formatCell(value: unknown): string {
  if (typeof value === 'string') return value;
  return value instanceof Date ? value.toISOString() : (JSON.stringify(value) ?? '');
}

/** Lines of `name=value` for people, one JSON document for programs. */
function printResult({ stdout }: Terminal, result: unknown, json: boolean): void {
  // What is too long to be held has been written already.
  if (result === undefined) return;
  if (json) stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  else {
    for (const row of [result].flat()) {
      const cells =
        typeof row === 'object' && row !== null
          ? Object.entries(row).map(([name, value]) => `${name}=${formatCell(value)}`)
          : [formatCell(row)];
      stdout.write(`${cells.join('  ')}\n`);
    }
  }
}

async function runParsedCommand(argv: readonly string[], terminal: Terminal): Promise<void> {
  let parsed;
  try {
    parsed = parseArgs({ args: [...argv], options: optionDefinitions, allowPositionals: true });
  } catch (fault) {
    throw new UsageError((fault as Error).message);
  }
  const { values, positionals } = parsed;
  const json = values.json === true;
  if (values.help || positionals.length === 0) return void terminal.stdout.write(`${helpText}\n`);
  if (positionals[0] === 'totp')
    return printResult(
      terminal,
      await generate({ secret: requireValue(parseTotpKey(positionals.slice(1)), 'the key') }),
      json,
    );
  const name = [3, 2, 1]
    .map((count) => positionals.slice(0, count).join(' '))
    .find((words) => Object.hasOwn(commands, words));
  const command = name && commands[name];
  if (!command) throw new UsageError(`there is no command ${positionals.join(' ')}`);
  // An option that a command does not know is no small thing: `--dry-run` where there is none would do the deed.
  const given = (Object.keys(values) as OptionName[]).filter((option) => option !== 'json');
  const unexpectedOption = given.find((option) => !command.takes.includes(option));
  if (unexpectedOption) throw new UsageError(`${name} takes no --${unexpectedOption}`);
  const read = readSettings(terminal.env);
  if ('faults' in read) throw new CommandRefusedError(read.faults.join('\n'));
  const db = await openDatabase(read.settings, true);
  try {
    if (name !== 'migrate') await migrate(db);
    // One that may be given several times is a list with commas.
    const option = (key: OptionName) => values[key]?.toString();
    printResult(
      terminal,
      await command.run({
        terminal,
        db,
        settings: read.settings,
        words: positionals.slice(name.split(' ').length),
        option,
      }),
      json,
    );
  } finally {
    await db.close();
  }
}

/**
 * One call of the command line, to its end: its answer goes to standard output, why it was refused to standard error,
 * and the exit code is 0, 1 (refused) or 2 (the words of the command were off).
 */
export async function runCommand(argv: readonly string[], terminal: Terminal): Promise<void> {
  try {
    await runParsedCommand(argv, terminal);
  } catch (fault) {
    terminal.stderr.write(
      `${fault instanceof UsageError ? `${fault.message}\n\n${helpText}` : (fault as Error).message}\n`,
    );
    terminal.exitCode = fault instanceof UsageError ? 2 : 1;
  }
}
