/**
 * axe in a real browser: what of WCAG 2.2 AA a page breaks. It is handed to the page through the browser's own protocol,
 * once per look and with the question in the same breath: the package's builder sends its half a megabyte twice, each
 * time taken apart and put together by all in between, and has every rule that holds described too.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** WCAG 2.2, levels A and AA, by axe's names. */
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

interface Violation {
  id: string;
  nodes: { target: readonly unknown[] }[];
}

/**
 * What axe finds wrong with the page as it is now: the rule's name and the elements, one text for each. `rules` asks
 * for these alone. Looks into no frame: no page of ours has any. The page must run scripts: axe is one.
 */
export async function violations(page: Page, rules?: readonly string[]): Promise<string[]> {
  const runOnly = rules ? { type: 'rule', values: rules } : { type: 'tag', values: TAGS };
  const ask = `axe.run(document, ${JSON.stringify({ runOnly, resultTypes: ['violations'] })})
    .then(({ violations }) => violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ target }) => ({ target })) })))`;
  const session = await page.context().newCDPSession(page);
  try {
    const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
      expression: `${axe};\n${ask}`,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(`axe did not look: ${JSON.stringify(exceptionDetails)}`);
    const found = result.value as Violation[];
    return found.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id} ${target.join(' ')}`));
  } finally {
    await session.detach();
  }
}
