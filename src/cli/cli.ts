import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { generate } from 'otplib';
import { z } from 'zod';
import { readSettings } from '../../config/settings.ts';
import { migrate } from '../../migrations/index.ts';
import type { Account } from '../users/users.ts';
import { accountByEmail, createAccount, listAccounts, roles } from '../users/users.ts';
import { claimCommands, claimHelp } from './claims.ts';
import { clientCommands, clientHelp } from './clients.ts';
import type { Call, Command, OptionName, Terminal } from './command.ts';
import { needed, options, Refused, Usage } from './command.ts';
import { auditEvents, auditRows } from '../audit/audit-log.ts';
import { openDatabase } from '../db/database.ts';
import { hasherOf } from '../crypto/argon2.ts';
import { helpDeskCommands, helpDeskHelp } from './help-desk.ts';
import { importCommands, importHelp } from './import.ts';
import { keyCommands, keyHelp } from './keys.ts';
import { registrationCommands, registrationHelp } from './registration.ts';
import { peopleCommands, peopleHelp } from './users.ts';

const help = `hemma: the provider from a shell

  accounts create --email E --name N [--role person|help-desk|administrator] [--locale sv|en]
                                     the password is read from standard input
  accounts list                      every account, a line each
${peopleHelp}
${importHelp}
${helpDeskHelp}
${clientHelp}
${registrationHelp}
${claimHelp}
${keyHelp}
  audit [--event X] [--account E] [--operator E] [--limit N]
  totp KEY                           the six digits of a key now, for trying out
  migrate                            brings the database to the newest shape

  --json everywhere. Ends with 0, 1 (refused) or 2 (usage).`;

const shown = ({ id, email, name, role, disabledAt }: Account) => ({
  id,
  email,
  name,
  role,
  disabled: disabledAt !== undefined,
});

async function createFromShell({ db, settings, option, terminal }: Call) {
  const wanted = z
    .object({ role: z.enum(roles).optional(), locale: z.enum(['sv', 'en']).optional() })
    .safeParse({ role: option('role'), locale: option('locale') });
  if (!wanted.success) throw new Usage('the role is person, help-desk or administrator; the locale sv or en');
  const email = needed(option('email'), '--email');
  const name = needed(option('name'), '--name');
  const password = (await text(terminal.stdin)).replace(/\r?\n$/, '');
  const { role, locale } = wanted.data;
  const result = await createAccount(db, await hasherOf(1), settings.HEMMA_BRAND_NAME, {
    email,
    name,
    password,
    ...(role ? { role } : {}),
    ...(locale ? { locale } : {}),
  });
  if ('refusal' in result) throw new Refused(`the account was not made: ${result.refusal}`);
  return shown(result.account);
}

async function everyAccount({ db }: Call) {
  const all: Account[] = [];
  for (let page = await listAccounts(db, '', 500); page.length > 0;) {
    all.push(...page);
    page = await listAccounts(db, page.at(-1)?.email ?? '', 500);
  }
  return all.map(shown);
}

async function auditFrom({ db, option }: Call) {
  const numberOf = async (email: string | undefined) => {
    const found = email ? (await accountByEmail(db, email))?.id : undefined;
    if (email && !found) throw new Refused('there is no account with that address');
    return found;
  };
  const accountId = await numberOf(option('account'));
  const actor = await numberOf(option('operator'));
  const event = option('event');
  if (event && !auditEvents.some((known) => known === event)) throw new Usage(`there is no event ${event}`);
  const limit = z.coerce
    .number()
    .int()
    .min(1)
    .max(1000)
    .safeParse(option('limit') ?? '50');
  if (!limit.success) throw new Usage('--limit is a number from 1 to 1000');
  return auditRows(db, {
    limit: limit.data,
    ...(event ? { event } : {}),
    ...(accountId ? { accountId } : {}),
    actor,
  });
}

const commands: Record<string, Command> = {
  'accounts create': { takes: ['email', 'name', 'role', 'locale'], run: createFromShell },
  'accounts list': { takes: [], run: everyAccount },
  ...peopleCommands,
  ...importCommands,
  ...helpDeskCommands,
  ...clientCommands,
  ...registrationCommands,
  ...claimCommands,
  ...keyCommands,
  audit: { takes: ['event', 'account', 'operator', 'limit'], run: auditFrom },
  migrate: { takes: [], run: async ({ db }) => ({ applied: await migrate(db) }) },
};

/** A key as the page shows it: in groups of four, in any case. */
const keyOf = (words: string[]): string => words.join('').replaceAll(/[\s-]/g, '').toUpperCase();

function cell(value: unknown): string {
  if (typeof value === 'string') return value;
  return value instanceof Date ? value.toISOString() : (JSON.stringify(value) ?? '');
}

/** Lines of `name=value` for people, one JSON document for programs. */
function print({ stdout }: Terminal, result: unknown, json: boolean): void {
  // What is too long to be held has been written already.
  if (result === undefined) return;
  if (json) stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  else {
    for (const row of [result].flat()) {
      const cells =
        typeof row === 'object' && row !== null
          ? Object.entries(row).map(([name, value]) => `${name}=${cell(value)}`)
          : [cell(row)];
      stdout.write(`${cells.join('  ')}\n`);
    }
  }
}

async function run(argv: readonly string[], terminal: Terminal): Promise<void> {
  let parsed;
  try {
    parsed = parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (fault) {
    throw new Usage((fault as Error).message);
  }
  const { values, positionals } = parsed;
  const json = values.json === true;
  if (values.help || positionals.length === 0) return void terminal.stdout.write(`${help}\n`);
  if (positionals[0] === 'totp')
    return print(terminal, await generate({ secret: needed(keyOf(positionals.slice(1)), 'the key') }), json);
  const name = [3, 2, 1]
    .map((count) => positionals.slice(0, count).join(' '))
    .find((words) => Object.hasOwn(commands, words));
  const command = name && commands[name];
  if (!command) throw new Usage(`there is no command ${positionals.join(' ')}`);
  // An option that a command does not know is no small thing: `--dry-run` where there is none would do the deed.
  const given = (Object.keys(values) as OptionName[]).filter((option) => option !== 'json');
  const odd = given.find((option) => !command.takes.includes(option));
  if (odd) throw new Usage(`${name} takes no --${odd}`);
  const read = readSettings(terminal.env);
  if ('faults' in read) throw new Refused(read.faults.join('\n'));
  const db = await openDatabase(read.settings, true);
  try {
    if (name !== 'migrate') await migrate(db);
    // One that may be given several times is a list with commas.
    const option = (key: OptionName) => values[key]?.toString();
    print(
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
    await run(argv, terminal);
  } catch (fault) {
    terminal.stderr.write(
      `${fault instanceof Usage ? `${fault.message}\n\n${help}` : (fault as Error).message}\n`,
    );
    terminal.exitCode = fault instanceof Usage ? 2 : 1;
  }
}
