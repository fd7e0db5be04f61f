/** What a spreadsheet would run as a formula, in the wide spelling too (OWASP, CSV injection). */
const formulaStart = '[=+\\-@\\t\\r\\n＝＋－＠]';
/** Apostrophes in front of one are led in likewise, so that reading takes away what writing put there and no more. */
const needsEscapePattern = new RegExp(`^'*${formulaStart}`);
const escapedFormulaPattern = new RegExp(`^'+${formulaStart}`);

/** One cell as spreadsheets take it: in quotes, and led in by an apostrophe where it begins like a formula. */
export function formatCsvCell(value: unknown): string {
  const text = typeof value === 'string' ? value : value === null ? '' : (JSON.stringify(value) ?? '');
  const safe = needsEscapePattern.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}

/** One line of cells (RFC 4180 §2), with its end. */
export const formatCsvLine = (cells: readonly unknown[]): string =>
  `${cells.map(formatCsvCell).join(',')}\r\n`;

/** The text that a cell stood for before `formatCsvCell` made it safe. */
export const unescapeCsvCell = (cell: string): string =>
  escapedFormulaPattern.test(cell) ? cell.slice(1) : cell;

/** A quoted cell that begins at `at`: its text, and where it ends; undefined where the closing quote is missing. */
function parseQuotedCell(line: string, at: number): { text: string; end: number } | undefined {
  let text = '';
  for (let from = at + 1; ;) {
    const quote = line.indexOf('"', from);
    if (quote < 0) return undefined;
    text += line.slice(from, quote);
    if (line[quote + 1] !== '"') return { text, end: quote + 1 };
    text += '"';
    from = quote + 2;
  }
}

/** The cells of one line without its end (RFC 4180 §2); undefined where the quotes do not fit. */
export function parseCsvLine(line: string, separator: string): string[] | undefined {
  const cells: string[] = [];
  for (let at = 0; ; at += 1) {
    if (line[at] === '"') {
      const cell = parseQuotedCell(line, at);
      if (!cell) return undefined;
      cells.push(cell.text);
      at = cell.end;
    } else {
      const stop = line.indexOf(separator, at);
      const end = stop < 0 ? line.length : stop;
      cells.push(line.slice(at, end));
      at = end;
    }
    if (at >= line.length) return cells;
    if (line[at] !== separator) return undefined;
  }
}
