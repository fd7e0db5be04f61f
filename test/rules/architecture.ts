/** The plan of the house (who may import whom, who names a table) as functions that answer with refusals in words. */
import { posix } from 'node:path';
import { type Facts, factsOf, type Import, type Source } from './sources.ts';

/** The rooms, and the rooms that each may look into besides itself. What is not named here is forbidden. */
const BASE = ['config', 'locales'];
const TOOLS = ['platform', 'mail', ...BASE];
const DOMAIN = ['accounts', 'factors', ...TOOLS];
const FACE = ['page', 'oidc', 'help-desk', ...DOMAIN];
const MAY_IMPORT: Record<string, readonly string[]> = {
  roof: ['sign-in', 'account', 'admin', 'admin API', 'migrations', ...FACE],
  'sign-in': FACE,
  account: FACE,
  admin: FACE,
  'admin API': FACE,
  page: TOOLS,
  oidc: DOMAIN,
  'help-desk': DOMAIN,
  accounts: TOOLS,
  factors: TOOLS,
  mail: ['platform', ...BASE],
  platform: BASE,
  migrations: ['platform', ...BASE],
  config: [],
  locales: [],
  autopay: [],
};

/** What stands directly in `src/` (main, app, start, cli …) is the roof. */
const ROOF = /^(?:src\/[^/]+\.tsx?$|demo\/)/;
const ROOMS: readonly [RegExp, string][] = [
  [ROOF, 'roof'],
  [/^interactions\/sign-in\//, 'sign-in'],
  [/^interactions\/account\//, 'account'],
  [/^interactions\/admin\//, 'admin'],
  [/^interactions\/page\//, 'page'],
  [/^src\/admin\//, 'admin API'],
  [/^src\/(oidc|help-desk|accounts|factors|mail|platform|locales)\//, '$1'],
  [/^(config|migrations|autopay)\//, '$1'],
];

/** A page that stands alone in `interactions/` is a face of its own. */
const LONE_FACE = /^interactions\/[^/]+\.tsx?$/;

/** The room of a file, or undefined where the plan has none. */
export function roomOf(path: string): string | undefined {
  if (LONE_FACE.test(path)) return path;
  const found = ROOMS.find(([pattern]) => pattern.test(path));
  return found && (found[1] === '$1' ? found[0].exec(path)?.[1] : found[1]);
}

const isFace = (room: string) => MAY_IMPORT[room] === FACE || LONE_FACE.test(room);

function mayLook(from: string, into: string): boolean {
  if (from === into) return true;
  if (from === 'roof' && LONE_FACE.test(into)) return true;
  return (LONE_FACE.test(from) ? FACE : (MAY_IMPORT[from] ?? [])).includes(into);
}

interface Arrow extends Import {
  from: string;
  to: string;
}

const arrowsOf = (sources: readonly Source[]): Arrow[] =>
  sources.flatMap((source) =>
    factsOf(source)
      .imports.filter(({ specifier }) => specifier.startsWith('.'))
      .map((one) => ({
        ...one,
        from: source.path,
        to: posix.join(posix.dirname(source.path), one.specifier),
      })),
  );

/** Every import goes down the plan, from room to room as DESIGN §3 has it. */
export function importRefusals(sources: readonly Source[]): string[] {
  const homeless = sources.filter(({ path }) => !roomOf(path));
  const nowhere = homeless.map(
    ({ path }) => `${path}:1 stands in no room of the plan (DESIGN §3); give the plan one first`,
  );
  const wrong = arrowsOf(sources).flatMap(({ from, to, line }) => {
    const [room, other] = [roomOf(from), roomOf(to)];
    if (!room || (other && mayLook(room, other))) return [];
    const where = `${from}:${line} imports ${to}`;
    if (!other) return [`${where}, which stands in no room of the plan`];
    if (room === 'autopay' || other === 'autopay') return [`${where}: autopay and the rest never meet`];
    if (isFace(room) && isFace(other)) return [`${where}: faces never import one another`];
    if (other === 'migrations') return [`${where}: only the roof runs migrations`];
    return [`${where}: ${room} may not look into ${other}`];
  });
  return [...nowhere, ...wrong];
}

/** No file reaches itself again through what it imports; two files of one room may know each other's types. */
export function circleRefusals(sources: readonly Source[]): string[] {
  const arrows = new Map<string, Arrow[]>();
  const lasting = arrowsOf(sources).filter(({ typeOnly }) => !typeOnly);
  for (const arrow of lasting) arrows.set(arrow.from, [...(arrows.get(arrow.from) ?? []), arrow]);
  const done = new Set<string>();
  const refusals: string[] = [];
  const walk = (path: string, way: readonly string[]) => {
    for (const { to, line } of arrows.get(path) ?? []) {
      if (way.includes(to)) {
        refusals.push(`${path}:${line} closes a circle: ${[...way.slice(way.indexOf(to)), to].join(' → ')}`);
      } else if (!done.has(to)) walk(to, [...way, to]);
    }
    done.add(path);
  };
  for (const path of arrows.keys()) if (!done.has(path)) walk(path, [path]);
  return refusals;
}

/** The tables that the migrations make, and leave. */
export function tablesOf(migrations: readonly Source[]): string[] {
  const made = migrations
    .map(factsOf)
    .flatMap(({ calls, strings }) => [
      ...calls.filter(({ name }) => name === 'createTable').map(({ first }) => first ?? ''),
      ...strings.map(({ value }) => /\bCREATE TABLE (?:IF NOT EXISTS )?"?(\w+)/i.exec(value)?.[1] ?? ''),
    ]);
  const drops = migrations.flatMap((step) => factsOf(step).calls).filter(({ name }) => name === 'dropTable');
  const gone = new Set(drops.map(({ first }) => first));
  return [...new Set(made)].filter((table) => table && !gone.has(table)).sort();
}

/** How knex names a table. */
const BUILDERS = new Set(['sql', 'knex', 'from', 'into', 'table', 'join', 'leftJoin', 'innerJoin', 'with']);

/** Where a file's SQL, or its query builder, names a table. */
function mentions({ strings, calls }: Facts, table: string): number | undefined {
  const inSql = new RegExp(
    `\\b(?:from|into|update|join|only|table|truncate|using|exists)\\s+"?${table}"?(?![\\w-])`,
    'i',
  );
  const built = calls.find(({ name, first }) => BUILDERS.has(name) && first?.split(' ')[0] === table);
  return strings.find(({ value }) => inSql.test(value))?.line ?? built?.line;
}

/** Each table has one owner file, the only one that names it (DESIGN §4, rule 2). */
export function tableRefusals(sources: readonly Source[], tables: readonly string[]): string[] {
  const read = sources.map((source) => ({ path: source.path, facts: factsOf(source) }));
  return tables.flatMap((table) => {
    const named = read.flatMap(({ path, facts }) => {
      const line = mentions(facts, table);
      return line === undefined ? [] : [`${path}:${line}`];
    });
    if (named.length === 1) return [];
    if (named.length === 0) return [`table ${table}: no file owns it`];
    return [
      `table ${table} is named by ${named.length} files, and one alone may own it: ${named.join(', ')}`,
    ];
  });
}

const SQL_CLOCKS =
  /\bnow\(\)|\b(?:current_timestamp|current_date|localtimestamp)\b|\b(?:clock|statement|transaction)_timestamp\(/i;

/** One clock decides what has expired, the process's (so that tests can turn it): SQL never asks its own. */
export const clockRefusals = (sources: readonly Source[]): string[] =>
  sources.flatMap((source) =>
    factsOf(source)
      .strings.filter(({ value }) => SQL_CLOCKS.test(value))
      .map(({ line }) => `${source.path}:${line} lets SQL tell the time; pass \`new Date()\` as a parameter`),
  );

/** Only two rooms make HTML. */
export const markupRefusals = (sources: readonly Source[]): string[] =>
  sources
    .filter(({ path }) => path.endsWith('.tsx') && !/^(?:interactions|autopay)\//.test(path))
    .map(({ path }) => `${path}:1 makes HTML; only interactions/ and autopay/ do`);

/** Folders and files named after nothing gather everything. */
export const nameRefusals = (sources: readonly Source[]): string[] =>
  sources
    .filter(({ path }) => /(?:^|\/)(?:helpers?|utils?|commons?|shared|misc)(?:\/|\.tsx?$)/i.test(path))
    .map(({ path }) => `${path}:1 is named after nothing; name it after what it is about`);

const LONGEST = 300;

/** A long file says in its first lines why it must be long. */
export const lengthRefusals = (sources: readonly Source[]): string[] =>
  sources.flatMap(({ path, text }) => {
    const lines = text.trimEnd().split('\n');
    const reason = /^\s*(?:\/\*|\*|\/\/).*\blong(?:er)?\b/i;
    if (lines.length <= LONGEST || lines.slice(0, 12).some((line) => reason.test(line))) return [];
    return [`${path}:${LONGEST} has ${lines.length} lines and no comment at its top says why it is so long`];
  });

const IDLE_MEMBER = /^(?:test|it|describe|concurrent|each)\.(?:skip|only|todo|failing)$/;
const IDLE_CALL = /^(?:xit|xtest|xdescribe|fit|fdescribe)$/;

/** A test that does not run is no test. */
export const idleTestRefusals = (sources: readonly Source[]): string[] =>
  sources.flatMap((source) => {
    const { members, calls } = factsOf(source);
    const idle = [
      ...members.filter(({ name }) => IDLE_MEMBER.test(name)),
      ...calls.filter(({ name }) => IDLE_CALL.test(name)),
    ];
    return idle.map(({ line, name }) => `${source.path}:${line} has ${name}: every test runs`);
  });

/** Modules that can open a connection or resolve a name. */
const NETWORK =
  /^(?:node:)?(?:http2?|https|net|tls|dgram|dns(?:\/promises)?)$|^(?:undici|nodemailer|openid-client|pg)$|\/exporter-/;
const CALLS = new Set(['fetch', 'createRemoteJWKSet', 'WebSocket', 'EventSource']);

/** Files that may use the network, and what for. What a client names is called through the first and no other. */
const NETWORK_USERS: Record<string, string> = {
  'src/platform/egress.ts': 'calls what clients name, behind the guard',
  'src/platform/special-use-addresses.ts': 'judges addresses',
  'src/platform/http.ts': 'judges addresses',
  'config/settings.ts': 'judges addresses',
  'src/start.ts': 'listens',
  'src/oidc/trial.ts': 'calls the address that this process listens on',
  'src/platform/data-folder.ts': 'holds its lock by a socket in the data folder',
  'src/platform/database.ts': 'DATABASE_URL',
  'src/platform/notifications.ts': 'DATABASE_URL',
  'src/mail/mailer.ts': 'HEMMA_SMTP_URL',
  'src/platform/spans.ts': 'OTEL_EXPORTER_OTLP_ENDPOINT',
  'demo/start.ts': 'starts processes on this machine',
};

/** One file alone calls what others name: the one with the guard of outgoing calls. */
export const networkRefusals = (sources: readonly Source[]): string[] =>
  sources
    .filter(({ path }) => !Object.hasOwn(NETWORK_USERS, path))
    .flatMap((source) => {
      const { imports, calls } = factsOf(source);
      const used = [
        ...imports
          .filter(({ specifier, typeOnly }) => !typeOnly && NETWORK.test(specifier))
          .map(({ line, specifier }) => ({ line, what: specifier })),
        ...calls.filter(({ name }) => CALLS.has(name)).map(({ line, name }) => ({ line, what: name })),
      ];
      return used.map(
        ({ line, what }) => `${source.path}:${line} uses ${what}; call others through src/platform/egress.ts`,
      );
    });
