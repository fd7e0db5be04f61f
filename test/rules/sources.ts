/** Reads source files for the rules by swc's parser: what they import, what their texts say, what they call. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from '@swc/core';

export interface Source {
  /** From the project's root, with `/`. */
  path: string;
  text: string;
}

export interface Import {
  line: number;
  /** As written, such as `../platform/database.ts` or `node:fs`. */
  specifier: string;
  /** Gone after compilation. */
  typeOnly: boolean;
}

/** What a file does, as far as the rules ask. Comments are no part of it. */
export interface Facts {
  imports: Import[];
  /** Every string and template, whole; what a template fills in is `${}`. */
  strings: { line: number; value: string }[];
  /** Calls by the name before the brackets (`query`, `sql`), with the first argument where it is a string. */
  calls: { line: number; name: string; first: string | undefined }[];
  /** Names with one dot: `test.only`. */
  members: { line: number; name: string }[];
}

/** Every TypeScript file under the given folders. */
export function readSources(root: string, folders: readonly string[]): Source[] {
  const present = new Set(readdirSync(root));
  return folders
    .filter((folder) => present.has(folder))
    .flatMap((folder) => {
      const inside = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
      return inside.map((one) => join(folder, one));
    })
    .filter((path) => /\.tsx?$/.test(path))
    .sort()
    .map((path) => ({ path: path.replaceAll('\\', '/'), text: readFileSync(join(root, path), 'utf8') }));
}

/** A node of the syntax tree, which is read by its shape alone. */
interface Node {
  [key: string]: unknown;
  type: string;
  value?: unknown;
  span?: { start: number };
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';

const stringOf = (value: unknown): string | undefined =>
  isNode(value) && value.type === 'StringLiteral' ? String(value.value) : undefined;

const nameOf = (value: unknown): string | undefined => {
  if (!isNode(value)) return undefined;
  if (value.type === 'Identifier') return String(value.value);
  return value.type === 'MemberExpression' ? nameOf(value['property']) : undefined;
};

const partsOf = (template: Node): string =>
  (template['quasis'] as { cooked?: string; raw: string }[])
    .map(({ cooked, raw }) => cooked ?? raw)
    .join('${}');

/** What one node adds to the facts. */
function note(node: Node, line: number, facts: Facts): void {
  const from =
    stringOf(node['source']) ?? (node.type === 'TsImportType' ? stringOf(node['argument']) : undefined);
  if (from !== undefined) {
    const typeOnly = node['typeOnly'] === true || node.type === 'TsImportType';
    facts.imports.push({ line, specifier: from, typeOnly });
  }
  if (node.type === 'StringLiteral') facts.strings.push({ line, value: String(node.value) });
  if (node.type === 'TemplateLiteral') facts.strings.push({ line, value: partsOf(node) });
  if (node.type === 'CallExpression') {
    const first = stringOf((node['arguments'] as { expression: unknown }[])[0]?.expression);
    const callee = node['callee'] as Node;
    if (callee.type === 'Import') facts.imports.push({ line, specifier: first ?? '?', typeOnly: false });
    else facts.calls.push({ line, name: nameOf(callee) ?? '', first });
  }
  if (node.type === 'MemberExpression') {
    facts.members.push({ line, name: `${nameOf(node['object']) ?? ''}.${nameOf(node['property']) ?? ''}` });
  }
}

/** Where each line ends, in bytes. */
function endsOfLines(bytes: Buffer): number[] {
  const ends: number[] = [];
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, end + 1)) ends.push(end);
  return ends;
}

/** How many of the numbers, which ascend, are smaller than the given one. */
function countBelow(ascending: readonly number[], limit: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] ?? limit) < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

const known = new WeakMap<Source, Facts>();

/** What a file does; each is parsed for the first rule that asks. Throws where it is no TypeScript. */
export function factsOf(source: Source): Facts {
  const facts = known.get(source) ?? parse(source);
  known.set(source, facts);
  return facts;
}

function parse({ path, text }: Source): Facts {
  // swc counts bytes on from the files parsed before: a first statement of ours says where this file begins.
  const bytes = Buffer.from(`0;\n${text}`);
  const tree = parseSync(bytes.toString(), {
    syntax: 'typescript',
    tsx: path.endsWith('x'),
    target: 'es2024',
  });
  const begin = tree.body[0]?.span.start ?? 0;
  const facts: Facts = { imports: [], strings: [], calls: [], members: [] };
  const ends = endsOfLines(bytes);
  // The first line is ours.
  const lineAt = (start: number) => countBelow(ends, start - begin);
  const walk = (value: unknown, above: number) => {
    if (Array.isArray(value)) for (const one of value) walk(one, above);
    else if (typeof value === 'object' && value !== null) {
      const node = value as Node;
      const start = node.span?.start ?? above;
      if (typeof node.type === 'string') note(node, lineAt(start), facts);
      for (const child of Object.values(node)) walk(child, start);
    }
  };
  walk(tree.body, begin);
  return facts;
}
