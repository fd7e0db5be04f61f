/** A file that comes in pieces of any length, cut into those that stand for a row each; memory holds one of them. */

/** A piece of the file that stands for one row; `whole` is no where the file ended inside it. */
export interface RowText {
  row: number;
  text: string;
  long: boolean;
  whole: boolean;
}

/** Letters that a row may have. The longest that means something has some two thousand. */
const maxRowLength = 16_384;

/** Bytes that are no UTF-8 become U+FFFD here, and are told from their row: the rest of the file is read on. */
export async function* decodeUtf8(file: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const chunk of file) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}

/** The lines of a text that comes in pieces. A line that is too long is passed over; memory holds no more than one. */
export async function* splitLines(texts: AsyncIterable<string>): AsyncGenerator<RowText> {
  let [rest, row, long] = ['', 0, false];
  for await (const text of texts) {
    const parts = `${rest}${text}`.split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      row += 1;
      long ||= part.length > maxRowLength;
      yield { row, text: long ? '' : part.replace(/\r$/, ''), long, whole: true };
      long = false;
    }
    if (rest.length > maxRowLength) [rest, long] = ['', true];
  }
  if (rest.trim() !== '' || long) yield { row: row + 1, text: rest, long, whole: false };
}

/** Walks through JSON letter by letter and knows where in an array's elements it stands. */
function createArrayScanner() {
  let [depth, inString, escaped] = [0, false, false];
  /** What this letter does to the elements of the outermost array: ends one, ends all, or nothing. */
  return (letter: string): 'between' | 'end' | undefined => {
    if (inString) {
      if (escaped) escaped = false;
      else if (letter === '\\') escaped = true;
      else if (letter === '"') inString = false;
      return undefined;
    }
    if (letter === '"') inString = true;
    else if (letter === '[' || letter === '{') {
      depth += 1;
      if (depth === 1) return 'between';
    } else if (letter === ']' || letter === '}') {
      depth -= 1;
      if (depth === 0) return 'end';
    } else if (letter === ',' && depth === 1) return 'between';
    return undefined;
  };
}

/** The elements of a JSON array that comes in pieces, as texts; nothing after its end is read. */
export async function* splitArrayElements(texts: AsyncIterable<string>): AsyncGenerator<RowText> {
  const step = createArrayScanner();
  let [element, row, long] = ['', 0, false];
  for await (const text of texts) {
    let from = 0;
    for (let at = 0; at < text.length; at += 1) {
      const mark = step(text[at] ?? '');
      if (!mark) continue;
      element += text.slice(from, at);
      from = at + 1;
      const blank = element.trim() === '';
      if (row > 0 && !(blank && mark === 'end'))
        yield { row, text: element, long: long || element.length > maxRowLength, whole: true };
      if (mark === 'end') return;
      [element, long, row] = ['', false, row + 1];
    }
    element += text.slice(from);
    if (element.length > maxRowLength) [element, long] = ['', true];
  }
  yield { row: Math.max(row, 1), text: element, long, whole: false };
}

/** Walks through CSV letter by letter and knows where it stands: a line break in a quoted cell ends no row (RFC 4180 §2.6). */
function createCsvScanner() {
  let place: 'beginning' | 'plain' | 'quoted' | 'after quote' = 'beginning';
  /** Whether this letter ends a row. */
  return (letter: string, separators: string): boolean => {
    if (place === 'quoted' || (place === 'after quote' && letter === '"')) {
      place = place === 'quoted' && letter === '"' ? 'after quote' : 'quoted';
      return false;
    }
    if (place === 'beginning' && letter === '"') place = 'quoted';
    else place = letter === '\n' || separators.includes(letter) ? 'beginning' : 'plain';
    return letter === '\n';
  };
}

/**
 * The rows of CSV that comes in pieces, by the number of their first line. Where a quoted cell goes on over lines none of
 * them is a row: whoever once put a line break into their name would have written a row of their own. A quote that is
 * never closed takes the rest of the file with it. `known.separators` may become fewer once the header was read.
 */
export async function* splitCsvRows(
  texts: AsyncIterable<string>,
  known: { separators: string },
): AsyncGenerator<RowText> {
  const ends = createCsvScanner();
  let [rest, row, line, long] = ['', 1, 1, false];
  for await (const text of texts) {
    let from = 0;
    for (let at = 0; at < text.length; at += 1) {
      const letter = text[at] ?? '';
      if (letter === '\n') line += 1;
      if (!ends(letter, known.separators)) continue;
      rest += text.slice(from, at);
      long ||= rest.length > maxRowLength;
      yield { row, text: long ? '' : rest.replace(/\r$/, ''), long, whole: true };
      [rest, row, long, from] = ['', line, false, at + 1];
    }
    rest += text.slice(from);
    if (rest.length > maxRowLength) [rest, long] = ['', true];
  }
  if (rest.trim() !== '' || long) yield { row, text: rest, long, whole: false };
}
