/** Looks at a QR code on a page the way a camera does: which squares are dark, whatever draws them. */
import type { Page } from 'playwright-core';
import { create } from 'qrcode';

/**
 * The dark squares of the drawing, row by row as `#` and `.`, from what is painted: a stroke one unit high that
 * moves (`m`, `M`) and draws (`h`) along the middle of each row.
 */
export async function squaresOnPage(page: Page): Promise<string[]> {
  const path = (await page.locator('.qr svg path[stroke]').getAttribute('d')) ?? '';
  const dark = new Set<string>();
  let [x, y] = [0, 0];
  for (const [, command, first, second] of path.matchAll(/([Mmh])(-?[\d.]+)(?: (-?[\d.]+))?/g)) {
    const [one, other] = [Number(first), Number(second)];
    if (command === 'M') [x, y] = [one, Math.floor(other)];
    else if (command === 'm') [x, y] = [x + one, y + other];
    else for (const end = x + one; x < end; x++) dark.add(`${x} ${y}`);
  }
  const places = [...dark].map((place) => place.split(' ').map(Number));
  const least = Math.min(...places.flat());
  const size = Math.max(...places.flat()) - least + 1;
  const row = (down: number) =>
    Array.from({ length: size }, (_, right) => (dark.has(`${right + least} ${down + least}`) ? '#' : '.'));
  return Array.from({ length: size }, (_, down) => row(down).join(''));
}

/** The squares of a QR code that says `text`. */
export function squaresOf(text: string): string[] {
  const { size, data } = create(text, { errorCorrectionLevel: 'M' }).modules;
  return Array.from({ length: size }, (_, row) =>
    Array.from(data.slice(row * size, (row + 1) * size), (dark) => (dark ? '#' : '.')).join(''),
  );
}
