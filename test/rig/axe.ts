/**
 * axe in a real browser: what of WCAG 2.2 AA a page breaks. The browser is handed its half a megabyte once per tab, as a
 * function that every document of the tab has and none runs until it is asked: sending it with each look is most of what
 * a look costs, and so it does in the package's own builder.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { CDPSession, Page } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** WCAG 2.2, levels A and AA, by axe's names. */
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

interface Violation {
  id: string;
  nodes: { target: readonly unknown[] }[];
}

/** What a tab was handed stays as long as its session. */
const sessions = new WeakMap<Page, Promise<CDPSession>>();

async function handed(page: Page): Promise<CDPSession> {
  const session = await page.context().newCDPSession(page);
  await session.send('Page.enable');
  const source = `globalThis.loadAxe = () => {${axe}\n};`;
  await session.send('Page.addScriptToEvaluateOnNewDocument', { source, runImmediately: true });
  return session;
}

function sessionWith(page: Page): Promise<CDPSession> {
  const session = sessions.get(page) ?? handed(page);
  sessions.set(page, session);
  return session;
}

/**
 * What axe finds wrong with the page as it is now: the rule's name and the elements, one text for each. `rules` asks
 * for these alone. Looks into no frame: no page of ours has any. The page must run scripts: axe is one.
 */
export async function violations(page: Page, rules?: readonly string[]): Promise<string[]> {
  const runOnly = rules ? { type: 'rule', values: rules } : { type: 'tag', values: TAGS };
  const session = await sessionWith(page);
  const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
    expression: `loadAxe();
      axe.run(document, ${JSON.stringify({ runOnly, resultTypes: ['violations'] })})
        .then(({ violations }) => violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ target }) => ({ target })) })))`,
    awaitPromise: true,
    returnByValue: true,
  });
  if (exceptionDetails) throw new Error(`axe did not look: ${JSON.stringify(exceptionDetails)}`);
  const found = result.value as Violation[];
  return found.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id} ${target.join(' ')}`));
}
