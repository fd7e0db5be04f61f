/** Waits, within a bound, for something that happens behind the pages. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  within: number,
): Promise<void> {
  for (const started = performance.now(); performance.now() - started < within;) {
    if (await holds()) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`not within ${within} ms: ${what}`);
}
