// Longer than other files: one table holds every setting.
import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { contrastRatio } from './contrast.ts';

/**
 * What an operator decides: every setting with its type, its default and one sentence why.
 * All faults are reported at once; the result is frozen. `.env.example` is checked against this table.
 */
const isBareUrl = (url: string) => {
  // What is no address at all was refused already; the checks of a field all run.
  if (!URL.canParse(url)) return true;
  const { username, password, search, hash } = new URL(url);
  return [username, password, search, hash].every((part) => part === '');
};

/** An address, or a range of them (10.0.0.0/8). */
function isIpRange(entry: string): boolean {
  const [address = '', bits, ...more] = entry.split('/');
  const longest = isIP(address) === 6 ? 128 : 32;
  if (isIP(address) === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= longest);
}

/** Addresses and ranges, separated by commas. */
const ipRanges = z
  .string()
  .transform((list) =>
    list
      .split(',')
      .map((entry) => entry.trim())
      .filter(Boolean),
  )
  .refine((list) => list.every(isIpRange), 'addresses or ranges like 10.0.0.0/8, separated by commas');

/** One way to make sure who somebody is: a name for commands and records, and its words in both languages. */
export interface IdentityCheck {
  name: string;
  sv: string;
  en: string;
}

function parseIdentityChecks(list: string): readonly IdentityCheck[] {
  return list
    .split(';')
    .filter((entry) => entry.trim() !== '')
    .map((entry) => {
      const [name = '', sv = '', en = ''] = entry.split('/').map((part) => part.trim());
      return { name, sv, en };
    });
}

const defaultIdentityChecks: readonly IdentityCheck[] = [
  {
    name: 'call-back',
    sv: 'Uppringd på ett nummer som vi redan hade',
    en: 'Called back on a number we already had',
  },
  { name: 'id-document', sv: 'Legitimation visad', en: 'Identity document shown' },
  { name: 'vouched-for', sv: 'Chef eller kollega intygar', en: 'Vouched for by manager or colleague' },
];

const areIdentityChecks = (checks: readonly IdentityCheck[]) =>
  checks.length > 0 &&
  checks.every(({ name, sv, en }) => /^[a-z0-9-]{1,40}$/.test(name) && sv !== '' && en !== '') &&
  new Set(checks.map(({ name }) => name)).size === checks.length;

const workersMessage = 'a number of processes from 1 to 64, or auto';

const settingDefinitions = {
  HEMMA_ISSUER: {
    type: z
      .url({ protocol: /^https?$/ })
      .refine(isBareUrl, 'an address without user, query or fragment')
      .transform((url) => url.replace(/\/$/, '')),
    fallback: 'http://localhost:3000',
    why: 'The address people and applications know this provider by; every link and token is built from it alone.',
  },
  HEMMA_HOST: {
    type: z.string().min(1),
    fallback: '127.0.0.1',
    why: 'The network address to listen on; a container listens on 0.0.0.0.',
  },
  HEMMA_PORT: {
    type: z.coerce.number().int().min(1).max(65535),
    fallback: '3000',
    why: 'The port to listen on.',
  },
  HEMMA_DATA: {
    type: z.string().min(1),
    fallback: './data',
    why: 'The folder of the embedded database, used when DATABASE_URL is not set.',
  },
  DATABASE_URL: {
    type: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
    fallback: undefined,
    why: 'The PostgreSQL to use; without it the embedded database keeps everything under HEMMA_DATA.',
  },
  HEMMA_DATABASE_POOL: {
    type: z.coerce.number().int().min(2).max(100),
    fallback: '10',
    why: 'Connections to PostgreSQL of one process: 10-20 serve best, 2 starve, 40 are wasted.',
  },
  HEMMA_SECRET_KEYS: {
    type: z
      .string()
      .transform((list) => list.split(',').map((key) => key.trim()))
      .pipe(z.array(z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'each key is 32 bytes in base64url')).min(1))
      .optional(),
    fallback: undefined,
    why: 'Keys that encrypt what the database keeps secret, newest first, separated by commas; older ones still open what they closed.',
  },
  HEMMA_KEY_DAYS: {
    type: z.coerce.number().int().min(2).max(366),
    fallback: '90',
    why: 'Days that a signing key signs before the next one takes over, which is published a day ahead.',
  },
  HEMMA_SMTP_URL: {
    type: z.url({ protocol: /^smtps?$/ }).optional(),
    fallback: undefined,
    why: 'The mail server; without it (development only) mails are shown at /dev/mail.',
  },
  HEMMA_MAIL_FROM: {
    type: z.string().regex(/^[^\r\n]+@[^\r\n]+$/),
    fallback: 'Hemma <no-reply@hemma.example.com>',
    why: 'The sender of every mail.',
  },
  HEMMA_TRUSTED_PROXIES: {
    type: ipRanges,
    fallback: '',
    why: 'Addresses or ranges (10.0.0.0/8) of proxies whose X-Forwarded-For is believed; nobody else is.',
  },
  HEMMA_TRUSTED_NETWORKS: {
    type: ipRanges.refine(
      (list) => !list.some((entry) => entry.endsWith('/0')),
      'a range ending in /0 would trust every address; name the networks of your offices',
    ),
    fallback: '',
    why: 'Addresses or ranges (192.0.2.0/24) of your own offices: requests from there have no network budget; budgets per user still apply (docs/adr/0001-throttling.md).',
  },
  HEMMA_HELP_DESK_CONTACT: {
    type: z.string().min(3).max(200),
    fallback: 'helpdesk@example.com',
    why: 'How a person reaches the help desk: shown after a right password only.',
  },
  HEMMA_IDENTITY_CHECKS: {
    type: z
      .string()
      .optional()
      .transform((list) => (list === undefined ? defaultIdentityChecks : parseIdentityChecks(list)))
      .refine(areIdentityChecks, 'entries like call-back / Svenska / English, separated by semicolons'),
    fallback: undefined,
    why: 'Ways to make sure who somebody is: name / svenska / English, separated by semicolons; three usual ones where nothing is set.',
  },
  HEMMA_HELP_DESK_DAILY_CODES: {
    type: z.coerce.number().int().min(1).max(1000),
    fallback: '20',
    why: 'Codes that one operator may have mailed in 24 hours, so that a hijacked agent cannot reach everybody.',
  },
  HEMMA_BRAND_NAME: {
    type: z.string().min(1).max(40),
    fallback: 'Hemma',
    why: 'The name on every page, mail and authenticator entry.',
  },
  HEMMA_BRAND_ACCENT: {
    type: z
      .string()
      .regex(/^#[0-9a-fA-F]{6}$/)
      .refine(
        (colour) => contrastRatio(colour, '#ffffff') >= 4.5,
        'white text on it must reach a contrast of 4.5:1',
      )
      .optional(),
    fallback: undefined,
    why: 'The colour of the one filled button on a page.',
  },
  HEMMA_BRAND_LOGO: {
    type: z
      .string()
      .regex(/\.svg$/, 'an SVG file')
      .refine((file) => existsSync(file), 'there is no such file')
      .optional(),
    fallback: undefined,
    why: 'A file with the logo shown beside the name.',
  },
  HEMMA_DEFAULT_LOCALE: {
    type: z.enum(['sv', 'en']),
    fallback: 'sv',
    why: 'The language when neither application, account nor browser asks for one of ours.',
  },
  HEMMA_WORKERS: {
    type: z.union(
      [
        z.literal('auto').transform(() => availableParallelism()),
        z.coerce.number().int().min(1, workersMessage).max(64, workersMessage),
      ],
      workersMessage,
    ),
    fallback: '1',
    why: 'Processes that share the port: auto is one for each core. Each has its own HEMMA_DATABASE_POOL; the embedded database serves one alone.',
  },
  HEMMA_DRAIN_SECONDS: {
    type: z.coerce.number().int().min(0).max(60),
    fallback: '0',
    why: 'Seconds between saying "not ready" and taking no more connections when it is told to stop: what a balancer needs to notice.',
  },
  HEMMA_HASH_THREADS: {
    type: z.coerce.number().int().min(1).max(64).optional(),
    fallback: undefined,
    why: 'Passwords verified at once by a process; cores - 1 shared among the workers where nothing is set, so that a flood of sign-ins cannot starve the token endpoint.',
  },
  HEMMA_HASH_WAIT: {
    type: z.coerce.number().int().min(1).max(20),
    fallback: '5',
    why: 'Seconds that a sign-in may wait for its password to be verified when too many come at once; whoever would wait longer is told to come again.',
  },
  HEMMA_ALLOW_LOOPBACK_CLIENTS: {
    type: z.enum(['yes', 'no']).transform((answer) => answer === 'yes'),
    fallback: 'no',
    why: 'Lets sign-out messages go to private addresses and this very machine; for trying out only.',
  },
  HEMMA_DEMO: {
    type: z.enum(['yes', 'no']).transform((answer) => answer === 'yes'),
    fallback: 'no',
    why: 'Makes demo accounts and the applications Autopay and Lön on first start, and prints them; for trying out only.',
  },
  HEMMA_DEMO_CLIENT_SECRET: {
    type: z.string().min(32).max(200).optional(),
    fallback: undefined,
    why: 'The secret that the demo applications present; the program that starts them chooses it.',
  },
  HEMMA_LOG_LEVEL: {
    type: z.enum(['silent', 'error', 'warn', 'info', 'debug']),
    fallback: 'info',
    why: 'How much is logged; no level ever logs a secret.',
  },
  HEMMA_LOG_REQUESTS: {
    type: z.enum(['yes', 'no']).transform((answer) => answer === 'yes'),
    fallback: 'yes',
    why: 'Logs one line for each request, so that the number on a page of trouble leads to what happened; probes and static answers have none.',
  },
  HEMMA_METRICS_FROM: {
    type: ipRanges,
    fallback: '127.0.0.1,::1',
    why: 'Addresses or ranges that may read /metrics; to everybody else there is no such page.',
  },
  HEMMA_AUDIT_DAYS: {
    type: z.coerce.number().int().min(1).max(3660),
    fallback: '396',
    why: 'Days that audit rows are kept: 13 months, so that a yearly review sees the whole year.',
  },
  HEMMA_OUTBOX_DAYS: {
    type: z.coerce.number().int().min(1).max(90),
    fallback: '7',
    why: 'Days that delivered mails and sign-out messages are remembered; the text of a mail is gone at delivery.',
  },
  HEMMA_ATTEMPT_DAYS: {
    type: z.coerce.number().int().min(1).max(3660),
    fallback: '90',
    why: 'Days that an idle count of failed attempts is kept.',
  },
} as const;

type SettingDefinitions = typeof settingDefinitions;
export type SettingName = keyof SettingDefinitions;
type SettingValues = { [Name in SettingName]: z.output<SettingDefinitions[Name]['type']> };

/** Everything an operator decided, checked and frozen. */
export type Settings = Readonly<
  SettingValues & {
    HEMMA_HASH_THREADS: number;
    /** True only for an issuer on http://localhost: a switch that nobody can forget to turn. */
    development: boolean;
  }
>;

/** Name, default and reason of every setting, for the README, `.env.example` and the settings test. */
export const settingsTable: readonly { name: SettingName; fallback: string | undefined; why: string }[] =
  Object.entries(settingDefinitions).map(([name, { fallback, why }]) => ({
    name: name as SettingName,
    fallback,
    why,
  }));

const isLocalhostIssuer = (issuer: string) => /^http:\/\/localhost(:\d+)?$/.test(issuer);

/** Whether the provider runs on the machine of its developer: `localhost` means the same to it and to its users. */
export const isOnLocalhost = (issuer: string): boolean => new URL(issuer).hostname === 'localhost';

/** What only a real installation must have: nothing that is fine on a laptop is taken for granted there. */
function findProductionFaults(
  values: Partial<SettingValues>,
  env: Record<string, string | undefined>,
): string[] {
  const faults: string[] = [];
  const required = [
    'HEMMA_SECRET_KEYS',
    'DATABASE_URL',
    'HEMMA_SMTP_URL',
    'HEMMA_MAIL_FROM',
    'HEMMA_HELP_DESK_CONTACT',
  ];
  for (const name of required) {
    if (!env[name]) faults.push(`${name} is missing: ${settingDefinitions[name as SettingName].why}`);
  }
  const issuer = values.HEMMA_ISSUER;
  if (issuer === undefined) return faults;
  if (!issuer.startsWith('https://')) {
    faults.push('HEMMA_ISSUER must begin with https:// (http is accepted for http://localhost only)');
  }
  if (new URL(issuer).pathname !== '/') {
    faults.push('HEMMA_ISSUER must not have a path: give the provider a host name of its own');
  }
  for (const name of ['HEMMA_DEMO', 'HEMMA_DEMO_CLIENT_SECRET', 'HEMMA_ALLOW_LOOPBACK_CLIENTS'] as const) {
    if (values[name] && !isOnLocalhost(issuer)) faults.push(`${name} is for trying out on localhost only`);
  }
  return faults;
}

/**
 * Reads the settings from environment variables.
 * Unknown HEMMA_ names are faults too: a misspelt setting must not silently mean its default.
 */
export function readSettings(
  env: Record<string, string | undefined>,
): { settings: Settings } | { faults: string[] } {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, { type, fallback }] of Object.entries(settingDefinitions)) {
    const given = env[name] === '' ? undefined : env[name];
    const result = type.safeParse(given ?? fallback);
    if (result.success) values[name] = result.data;
    else faults.push(`${name}: ${result.error.issues.map((issue) => issue.message).join('; ')}`);
  }
  for (const name of Object.keys(env)) {
    if (name.startsWith('HEMMA_') && !(name in settingDefinitions))
      faults.push(`${name} is not a setting of Hemma`);
  }
  const parsed = values as SettingValues;
  if (parsed.HEMMA_WORKERS > 1 && !parsed.DATABASE_URL)
    faults.push('HEMMA_WORKERS: several processes need DATABASE_URL; the embedded database serves one alone');
  const development = parsed.HEMMA_ISSUER !== undefined && isLocalhostIssuer(parsed.HEMMA_ISSUER);
  if (!development) faults.push(...findProductionFaults(parsed, env));
  if (faults.length > 0) return { faults };
  for (const value of Object.values(parsed)) if (Array.isArray(value)) Object.freeze(value);
  const threadsPerWorker = Math.floor((availableParallelism() - 1) / parsed.HEMMA_WORKERS);
  const threads = parsed.HEMMA_HASH_THREADS ?? Math.max(1, threadsPerWorker);
  return { settings: Object.freeze({ ...parsed, HEMMA_HASH_THREADS: threads, development }) };
}
