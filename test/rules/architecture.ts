/** The plan of the house (who may import whom, who names a table) as functions that answer with refusals in words. */
import { posix } from 'node:path';
import { type Facts, factsOf, type Import, type Source } from './sources.ts';

/**
 * The layers, from the ground (each folder imports only from layers below its own). Folders of one line never import
 * one another.
 */
const LAYERS: readonly (readonly string[])[] = [
  ['config'],
  ['i18n'],
  ['http', 'crypto'],
  ['telemetry'],
  ['db'],
  ['audit', 'migrations'],
  ['security'],
  ['mail'],
  ['users', 'mfa'],
  ['sessions', 'help-desk'],
  ['clients'],
  ['oidc'],
  ['context'],
  ['ui'],
  ['api', 'cli', 'account', 'console', 'sign-in'],
  ['app'],
  ['main'],
];

/** What turns requests into answers, and knows nothing of the others. */
const FACES = new Set(['api', 'cli', 'account', 'console', 'sign-in', 'ui']);

const FOLDERS: readonly [RegExp, string][] = [
  [/^src\/main\.ts$|^demo\//, 'main'],
  [/^src\/context\.ts$/, 'context'],
  [/^(?:src|interactions)\/([^/]+)\//, '$1'],
  [/^(config|migrations|autopay)\//, '$1'],
];

const rankOf = (folder: string) => LAYERS.findIndex((layer) => layer.includes(folder));

/** The folder of the layers that a file belongs to, or undefined where there is none. */
export function folderOf(path: string): string | undefined {
  const found = FOLDERS.find(([pattern]) => pattern.test(path));
  const name = found && (found[1] === '$1' ? found[0].exec(path)?.[1] : found[1]);
  return name === 'autopay' || (name && rankOf(name) >= 0) ? name : undefined;
}

const isFace = (folder: string) => FACES.has(folder);

const mayImport = (from: string, into: string): boolean => from === into || rankOf(into) < rankOf(from);

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

/** Every import goes down the layers, those of types too. */
export function importRefusals(sources: readonly Source[]): string[] {
  const outside = sources.filter(({ path }) => !folderOf(path));
  const nowhere = outside.map(
    ({ path }) => `${path}:1 belongs to no layer; give the layers its folder first`,
  );
  const wrong = arrowsOf(sources).flatMap(({ from, to, line }) => {
    const [folder, other] = [folderOf(from), folderOf(to)];
    if (!folder || (other && folder !== 'autopay' && other !== 'autopay' && mayImport(folder, other)))
      return [];
    if (folder === 'autopay' && other === 'autopay') return [];
    const where = `${from}:${line} imports ${to}`;
    if (!other) return [`${where}, which belongs to no layer`];
    if (folder === 'autopay' || other === 'autopay')
      return [`${where}: autopay shares nothing with the rest`];
    if (isFace(folder) && isFace(other)) return [`${where}: faces never import one another`];
    return [`${where}: ${folder} is not above ${other}`];
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

/** Each table has one owner file, the only one that names it (DESIGN §3, rule 2). */
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
  'src/http/egress.ts': 'calls what clients name, behind the guard',
  'src/http/special-use-addresses.ts': 'judges addresses',
  'src/http/request-info.ts': 'judges addresses',
  'config/settings.ts': 'judges addresses',
  'src/app/server.ts': 'listens',
  'src/oidc/test-sign-in.ts': 'calls the address that this process listens on',
  'src/db/data-folder.ts': 'holds its lock by a socket in the data folder',
  'src/db/database.ts': 'DATABASE_URL',
  'src/db/notifications.ts': 'DATABASE_URL',
  'src/mail/mailer.ts': 'HEMMA_SMTP_URL',
  'src/telemetry/spans.ts': 'OTEL_EXPORTER_OTLP_ENDPOINT',
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
        ({ line, what }) => `${source.path}:${line} uses ${what}; call others through src/http/egress.ts`,
      );
    });
