/** A sign-in that is finished but for its last redirect, which the browser does not follow yet. */
import { expect } from '@jest/globals';
import { fillIn } from '../rig/forms.ts';
import type { Visitor } from '../rig/visitor.ts';

/** Sends the form of the page that the visitor is on and keeps the redirect that answers it. */
export async function sendAndHold(
  visitor: Visitor,
  fields: Record<string, string>,
  button?: string,
): Promise<URL> {
  const { action, body } = fillIn(visitor.screen.page, visitor.screen.url, fields, button);
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' };
  const answer = await visitor.request(action, { method: 'POST', body: body.toString(), headers });
  expect(answer.status).toBe(303);
  expect(answer.headers.location).toMatch(/\/(auth|device)\/[\w-]+$/);
  return new URL(answer.headers.location ?? '', action);
}
