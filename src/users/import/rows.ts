import { cellText, csvCells } from './csv.ts';
import type { Piece } from './import-pieces.ts';
import { decoded, elementsOf, linesOf, recordsOf } from './import-pieces.ts';

/** The fields of an account in a file, in the order in which an export writes them. */
export const fields = [
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
export type Field = (typeof fields)[number];

const isField = (name: string): name is Field => fields.some((field) => field === name);

/** What keeps a whole file from being read. */
export type FileFault = 'empty-file' | 'not-utf8' | 'unknown-column' | 'repeated-column' | 'missing-column';

/** What keeps one row from being read. */
export type RowFault =
  'not-utf8' | 'row-too-long' | 'wrong-columns' | 'malformed-row' | 'cut-off' | 'unknown-field';

/** A row by its number: of the line, or of the element in a JSON array, from 1. */
export type ReadRow =
  | { row: number; values: Partial<Record<Field, unknown>> }
  | { row: number; fault: RowFault }
  | { fault: FileFault; column?: string };

export type Format = 'csv' | 'json';

function faultOf({ text, long }: Piece): RowFault | undefined {
  if (long) return 'row-too-long';
  return text.includes('\uFFFD') ? 'not-utf8' : undefined;
}

function jsonRow({ row, text, whole }: Piece): ReadRow {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { row, fault: whole ? 'malformed-row' : 'cut-off' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { row, fault: 'malformed-row' };
  return Object.keys(value).every(isField) ? { row, values: value } : { row, fault: 'unknown-field' };
}

async function* jsonRows(texts: AsyncIterable<string>, array: boolean): AsyncGenerator<ReadRow> {
  for await (const piece of (array ? elementsOf : linesOf)(texts)) {
    // A list that does not end may have lost more than its bracket.
    const fault = faultOf(piece) ?? (array && !piece.whole ? 'cut-off' : undefined);
    if (fault) yield { row: piece.row, fault };
    else if (array || piece.text.trim() !== '') yield jsonRow(piece);
  }
}

/** What stands between cells: a comma, or what spreadsheets like better. */
const separators = [',', ';', '\t'];

interface Header {
  separator: string;
  columns: readonly string[];
}

/** The columns that the first line names, and what stands between its cells. */
function headerOf({ text, long }: Piece): Header | { fault: FileFault; column?: string } {
  if (long || /[\uFFFD\0]/.test(text)) return { fault: 'not-utf8' };
  const separator = separators.find((one) => text.includes(one)) ?? ',';
  const columns = (csvCells(text, separator) ?? []).map((name) => name.trim().toLowerCase());
  const odd = columns.find((name) => !isField(name));
  // It is shown in a terminal, which would do what a control character says.
  if (odd !== undefined)
    return { fault: 'unknown-column', column: odd.replaceAll(/\p{C}/gu, '\uFFFD').slice(0, 40) };
  const twice = columns.find((name, at) => columns.indexOf(name) !== at);
  if (twice !== undefined) return { fault: 'repeated-column', column: twice };
  const lost = ['email', 'name'].find((name) => !columns.includes(name));
  if (lost !== undefined) return { fault: 'missing-column', column: lost };
  return { separator, columns };
}

function csvRow({ row, text, whole }: Piece, separator: string, columns: readonly string[]): ReadRow {
  // A last line without its end may have lost anything, a part of its hash too: it is told, never guessed at.
  if (!whole) return { row, fault: 'cut-off' };
  const cells = csvCells(text, separator);
  if (!cells) return { row, fault: 'malformed-row' };
  if (cells.length !== columns.length) return { row, fault: 'wrong-columns' };
  return { row, values: Object.fromEntries(columns.map((name, at) => [name, cellText(cells[at] ?? '')])) };
}

async function* csvRows(texts: AsyncIterable<string>): AsyncGenerator<ReadRow> {
  let header: Header | undefined;
  const known = { separators: separators.join('') };
  for await (const piece of recordsOf(texts, known)) {
    if (piece.text.trim() === '' && !piece.long) continue;
    if (!header) {
      const read = headerOf(piece);
      if ('fault' in read) {
        yield read;
        return;
      }
      header = read;
      known.separators = header.separator;
      continue;
    }
    const fault = faultOf(piece);
    yield fault ? { row: piece.row, fault } : csvRow(piece, header.separator, header.columns);
  }
}

/** The first letter that is no blank, and the same text from its beginning. */
async function opened(texts: AsyncGenerator<string>) {
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
export async function* rowsOf(file: AsyncIterable<Uint8Array>, format?: Format): AsyncGenerator<ReadRow> {
  const { first, texts } = await opened(decoded(file));
  const json = format ? format === 'json' : first === '[' || first === '{';
  if (first === undefined) yield { fault: 'empty-file' };
  else yield* json ? jsonRows(texts, first === '[') : csvRows(texts);
}
