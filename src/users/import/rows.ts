import { unescapeCsvCell, parseCsvLine } from './csv.ts';
import type { RowText } from './import-pieces.ts';
import { decodeUtf8, splitArrayElements, splitLines, splitCsvRows } from './import-pieces.ts';

/** The fields of an account in a file, in the order in which an export writes them. */
export const userFields = [
  'email',
  'name',
  'locale',
  'role',
  'two_step_required',
  'email_verified',
  'disabled',
  'groups',
  'attributes',
  'password_hash',
] as const;
export type UserField = (typeof userFields)[number];

const isUserField = (name: string): name is UserField => userFields.some((field) => field === name);

/** What keeps a whole file from being read. */
export type FileFault = 'empty-file' | 'not-utf8' | 'unknown-column' | 'repeated-column' | 'missing-column';

/** What keeps one row from being read. */
export type RowFault =
  'not-utf8' | 'row-too-long' | 'wrong-columns' | 'malformed-row' | 'cut-off' | 'unknown-field';

/** A row by its number: of the line, or of the element in a JSON array, from 1. */
export type ParsedRow =
  | { row: number; values: Partial<Record<UserField, unknown>> }
  | { row: number; fault: RowFault }
  | { fault: FileFault; column?: string };

export type FileFormat = 'csv' | 'json';

function findRowFault({ text, long }: RowText): RowFault | undefined {
  if (long) return 'row-too-long';
  return text.includes('\uFFFD') ? 'not-utf8' : undefined;
}

function parseJsonRow({ row, text, whole }: RowText): ParsedRow {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { row, fault: whole ? 'malformed-row' : 'cut-off' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { row, fault: 'malformed-row' };
  return Object.keys(value).every(isUserField) ? { row, values: value } : { row, fault: 'unknown-field' };
}

async function* readJsonRows(texts: AsyncIterable<string>, array: boolean): AsyncGenerator<ParsedRow> {
  for await (const piece of (array ? splitArrayElements : splitLines)(texts)) {
    // A list that does not end may have lost more than its bracket.
    const fault = findRowFault(piece) ?? (array && !piece.whole ? 'cut-off' : undefined);
    if (fault) yield { row: piece.row, fault };
    else if (array || piece.text.trim() !== '') yield parseJsonRow(piece);
  }
}

/** What stands between cells: a comma, or what spreadsheets like better. */
const separators = [',', ';', '\t'];

interface Header {
  separator: string;
  columns: readonly string[];
}

/** The columns that the first line names, and what stands between its cells. */
function parseHeader({ text, long }: RowText): Header | { fault: FileFault; column?: string } {
  if (long || /[\uFFFD\0]/.test(text)) return { fault: 'not-utf8' };
  const separator = separators.find((one) => text.includes(one)) ?? ',';
  const columns = (parseCsvLine(text, separator) ?? []).map((name) => name.trim().toLowerCase());
  const odd = columns.find((name) => !isUserField(name));
  // It is shown in a terminal, which would do what a control character says.
  if (odd !== undefined)
    return { fault: 'unknown-column', column: odd.replaceAll(/\p{C}/gu, '\uFFFD').slice(0, 40) };
  const twice = columns.find((name, at) => columns.indexOf(name) !== at);
  if (twice !== undefined) return { fault: 'repeated-column', column: twice };
  const lost = ['email', 'name'].find((name) => !columns.includes(name));
  if (lost !== undefined) return { fault: 'missing-column', column: lost };
  return { separator, columns };
}

function parseCsvRow(
  { row, text, whole }: RowText,
  separator: string,
  columns: readonly string[],
): ParsedRow {
  // A last line without its end may have lost anything, a part of its hash too: it is told, never guessed at.
  if (!whole) return { row, fault: 'cut-off' };
  const cells = parseCsvLine(text, separator);
  if (!cells) return { row, fault: 'malformed-row' };
  if (cells.length !== columns.length) return { row, fault: 'wrong-columns' };
  return {
    row,
    values: Object.fromEntries(columns.map((name, at) => [name, unescapeCsvCell(cells[at] ?? '')])),
  };
}

async function* readCsvRows(texts: AsyncIterable<string>): AsyncGenerator<ParsedRow> {
  let header: Header | undefined;
  const known = { separators: separators.join('') };
  for await (const piece of splitCsvRows(texts, known)) {
    if (piece.text.trim() === '' && !piece.long) continue;
    if (!header) {
      const read = parseHeader(piece);
      if ('fault' in read) {
        yield read;
        return;
      }
      header = read;
      known.separators = header.separator;
      continue;
    }
    const fault = findRowFault(piece);
    yield fault ? { row: piece.row, fault } : parseCsvRow(piece, header.separator, header.columns);
  }
}

/** The first letter that is no blank, and the same text from its beginning. */
async function peekFirstCharacter(texts: AsyncGenerator<string>) {
  let before = '';
  for (let next = await texts.next(); !next.done; next = await texts.next()) {
    before = before.trim() === '' ? next.value : before + next.value;
    if (before.trim() !== '') break;
  }
  async function* whole() {
    yield before;
    yield* texts;
  }
  return { first: before.trim()[0], texts: whole() };
}

/**
 * The rows of a file that comes in pieces: CSV whose first line names the columns, a JSON array, or a JSON object a line.
 * What cannot be read is answered as a fault of its row, and the next row follows; memory holds one row.
 */
export async function* readRows(
  file: AsyncIterable<Uint8Array>,
  format?: FileFormat,
): AsyncGenerator<ParsedRow> {
  const { first, texts } = await peekFirstCharacter(decodeUtf8(file));
  const json = format ? format === 'json' : first === '[' || first === '{';
  if (first === undefined) yield { fault: 'empty-file' };
  else yield* json ? readJsonRows(texts, first === '[') : readCsvRows(texts);
}
