import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { generate } from 'otplib';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import type { Settings } from '../config/settings.ts';
import { readSettings } from '../config/settings.ts';
import { migrate } from '../migrations/index.ts';
import type { Account } from './accounts/accounts.ts';
import { accountWithPassword, createAccount, listAccounts, roles, setDisabled } from './accounts/accounts.ts';
import { addSecret, applyClient, clientSchema, listClients } from './oidc/clients.ts';
import { endEverythingOf } from './oidc/records.ts';
import { auditEvents, auditRows } from './platform/audit.ts';
import type { Db } from './platform/database.ts';
import { openDatabase } from './platform/database.ts';
import { hasherOf } from './platform/hashing.ts';

/** Refused: the sentence says why. Usage: the words of the command were off. */
class Refused extends Error {}
class Usage extends Error {}

const help = `hemma: the provider from a shell

  accounts create --email E --name N [--role person|help-desk|administrator] [--locale sv|en]
                                     the password is read from standard input
  accounts list                      every account, a line each
  accounts disable|enable E          ends or restores an account's access, at once
  clients apply -f FILE              makes or changes clients (YAML or JSON, one or a list)
  clients list                       every client, never a secret
  clients secret ID --name N         adds a secret and prints it, once
  audit [--event X] [--account E] [--limit N]
  totp KEY                           the six digits of a key now, for trying out
  migrate                            brings the database to the newest shape

  --json everywhere. Ends with 0, 1 (refused) or 2 (usage).`;

interface Call {
  db: Db;
  settings: Settings;
  words: string[];
  option: (name: string) => string | undefined;
}

const options = {
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  email: { type: 'string' },
  name: { type: 'string' },
  role: { type: 'string' },
  locale: { type: 'string' },
  file: { type: 'string', short: 'f' },
  event: { type: 'string' },
  account: { type: 'string' },
  limit: { type: 'string' },
} as const;

function needed(value: string | undefined, what: string): string {
  if (!value) throw new Usage(`${what} is missing`);
  return value;
}

const shown = ({ id, email, name, role, disabledAt }: Account) => ({
  id,
  email,
  name,
  role,
  disabled: disabledAt !== undefined,
});

async function createFromShell({ db, settings, option }: Call) {
  const wanted = z
    .object({ role: z.enum(roles).optional(), locale: z.enum(['sv', 'en']).optional() })
    .safeParse({ role: option('role'), locale: option('locale') });
  if (!wanted.success) throw new Usage('the role is person, help-desk or administrator; the locale sv or en');
  const email = needed(option('email'), '--email');
  const name = needed(option('name'), '--name');
  const password = readFileSync(0, 'utf8').replace(/\r?\n$/, '');
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

async function setAccess({ db, words }: Call, disabled: boolean) {
  const account = await setDisabled(db, needed(words[0], 'the address'), disabled);
  if (!account) throw new Refused('there is no account with that address');
  if (disabled) await endEverythingOf(db, account.id);
  return shown(account);
}

async function applyFile({ db, option }: Call) {
  const text = readFileSync(needed(option('file'), '-f'), 'utf8');
  const given = parseYaml(text) as unknown;
  const read = z.array(clientSchema).safeParse(Array.isArray(given) ? given : [given]);
  if (!read.success) throw new Refused(z.prettifyError(read.error));
  const results = [];
  for (const client of read.data) results.push({ id: client.id, result: await applyClient(db, client) });
  return results;
}

async function addSecretTo({ db, words, option }: Call) {
  const id = needed(words[0], 'the client');
  const secret = await addSecret(db, id, needed(option('name'), '--name'));
  if (!secret) throw new Refused(`there is no client ${id} that keeps a secret (type web or service)`);
  return { id, secret };
}

async function auditFrom({ db, option }: Call) {
  const email = option('account');
  const accountId = email ? (await accountWithPassword(db, email))?.account.id : undefined;
  if (email && !accountId) throw new Refused('there is no account with that address');
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
  });
}

const commands: Record<string, (call: Call) => Promise<unknown>> = {
  'accounts create': createFromShell,
  'accounts list': everyAccount,
  'accounts disable': (call) => setAccess(call, true),
  'accounts enable': (call) => setAccess(call, false),
  'clients apply': applyFile,
  'clients list': ({ db }) => listClients(db),
  'clients secret': addSecretTo,
  audit: auditFrom,
  migrate: async ({ db }) => ({ applied: await migrate(db) }),
};

/** A key as the page shows it: in groups of four, in any case. */
const keyOf = (words: string[]): string => words.join('').replaceAll(/[\s-]/g, '').toUpperCase();

function cell(value: unknown): string {
  if (typeof value === 'string') return value;
  return value instanceof Date ? value.toISOString() : (JSON.stringify(value) ?? '');
}

/** Lines of `name=value` for people, one JSON document for programs. */
function print(result: unknown, json: boolean): void {
  if (json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  else {
    for (const row of [result].flat()) {
      const cells =
        typeof row === 'object' && row !== null
          ? Object.entries(row).map(([name, value]) => `${name}=${cell(value)}`)
          : [cell(row)];
      process.stdout.write(`${cells.join('  ')}\n`);
    }
  }
}

async function run(argv: string[]): Promise<void> {
  let parsed;
  try {
    parsed = parseArgs({ args: argv, options, allowPositionals: true });
  } catch (fault) {
    throw new Usage((fault as Error).message);
  }
  const { values, positionals } = parsed;
  const json = values.json === true;
  if (values.help || positionals.length === 0) return void process.stdout.write(`${help}\n`);
  if (positionals[0] === 'totp')
    return print(await generate({ secret: needed(keyOf(positionals.slice(1)), 'the key') }), json);
  const name = [positionals.slice(0, 2).join(' '), positionals[0] ?? ''].find((words) =>
    Object.hasOwn(commands, words),
  );
  const command = name && commands[name];
  if (!command) throw new Usage(`there is no command ${positionals.join(' ')}`);
  const read = readSettings(process.env);
  if ('faults' in read) throw new Refused(read.faults.join('\n'));
  const db = await openDatabase(read.settings, true);
  try {
    if (name !== 'migrate') await migrate(db);
    const option = (key: string) => values[key as keyof typeof values] as string | undefined;
    print(
      await command({
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

try {
  await run(process.argv.slice(2));
} catch (fault) {
  process.stderr.write(
    `${fault instanceof Usage ? `${fault.message}\n\n${help}` : (fault as Error).message}\n`,
  );
  process.exitCode = fault instanceof Usage ? 2 : 1;
}
