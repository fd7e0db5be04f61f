/** How another site, a script on it or a tool would send the form that lies in front of the victim. */
import type { OutgoingHttpHeaders } from 'node:http';
import type { Answer } from '../rig/exchange.ts';
import { type Fields, fillIn } from '../rig/forms.ts';
import type { Visitor } from '../rig/visitor.ts';

export const asForm = { 'content-type': 'application/x-www-form-urlencoded' };

/** Headers under which no form of ours may be taken, however right its content is. */
const elsewhere: Record<string, OutgoingHttpHeaders> = {
  'from another site': { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
  'from another site that claims our origin': { 'sec-fetch-site': 'cross-site' },
  'from a sibling': { 'sec-fetch-site': 'same-site', origin: 'http://other.localhost' },
  'from a typed address': { 'sec-fetch-site': 'none' },
  'from another site in an older browser': { origin: 'https://evil.example' },
  'from a sandboxed frame in an older browser': { origin: 'null' },
  'from nowhere': {},
};

export interface Forgery {
  how: string;
  answer: Answer;
}

/** Sends the victim's own form, filled in rightly, in every way that is not the victim's. */
export async function forge(
  victim: Visitor,
  fields: Fields,
  button?: string,
  foreignToken?: string,
): Promise<Forgery[]> {
  const { page, url } = victim.screen;
  const issuer = url.origin;
  const sent: Forgery[] = [];
  const send = async (how: string, body: string, headers: OutgoingHttpHeaders) => {
    const { action } = fillIn(page, url, fields, button);
    sent.push({ how, answer: await victim.request(action, { method: 'POST', body, headers }) });
  };
  const own = { ...asForm, 'sec-fetch-site': 'same-origin', origin: issuer };
  const { body } = fillIn(page, url, fields, button);
  for (const [how, headers] of Object.entries(elsewhere)) {
    const claimed = how.includes('claims') ? { origin: issuer } : {};
    await send(how, body.toString(), { ...asForm, ...headers, ...claimed });
  }
  const name = body.has('xsrf') ? 'xsrf' : 'token';
  const without = new URLSearchParams(body);
  without.delete(name);
  await send('without token', without.toString(), own);
  for (const [how, token] of [
    ['with an empty token', ''],
    ['with a made-up token', 'A'.repeat(43)],
    ...(foreignToken === undefined ? [] : [['with the token of another', foreignToken] as const]),
  ] as const) {
    without.set(name, token);
    await send(how, without.toString(), own);
  }
  const twice = new URLSearchParams(body);
  twice.append(name, body.get(name) ?? '');
  await send('with the token twice', twice.toString(), own);
  await send('as JSON', JSON.stringify(Object.fromEntries(body)), {
    ...own,
    'content-type': 'application/json',
  });
  await send('as plain text', body.toString(), { ...own, 'content-type': 'text/plain' });
  return sent;
}
