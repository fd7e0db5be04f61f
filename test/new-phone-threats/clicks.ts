/** One press of a button whose answer is not followed, and the turn of an account held by the test. */
import { hold } from '../races/interleave.ts';
import type { Answer } from '../rig/exchange.ts';
import { fillIn } from '../rig/forms.ts';
import type { Visitor } from '../rig/visitor.ts';

export function click(visitor: Visitor, fields: Record<string, string>, button?: string): Promise<Answer> {
  const { page, url } = visitor.screen;
  const { action, body } = fillIn(page, url, fields, button);
  return visitor.request(action, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
    body: body.toString(),
  });
}

/** Whoever wants to change this account waits from now on, first come first served. */
export const holdTurn = (databaseUrl: string, accountId: string) =>
  hold(databaseUrl, `SELECT pg_advisory_xact_lock(hashtextextended('account:${accountId}', 0))`);
