/** Requests as a program sends them to the provider's endpoints, with nothing added that a test did not say. */
import type { OutgoingHttpHeaders } from 'node:http';
import { type Answer, exchange } from '../rig/exchange.ts';
import type { RelyingParty } from '../rig/relying-party.ts';

export interface Told extends Answer {
  json: Record<string, unknown>;
}

/** RFC 6749 §2.3.1: identifier and secret are form-encoded before they are joined. */
export const basic = (clientId: string, secret: string): { authorization: string } => ({
  authorization: `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`).toString('base64')}`,
});

export const basicOf = ({ clientId, clientSecret }: RelyingParty): { authorization: string } =>
  basic(clientId, clientSecret);

function told(answer: Answer): Told {
  const isJson = (answer.headers['content-type'] ?? '').includes('json');
  return { ...answer, json: isJson ? (JSON.parse(answer.body) as Record<string, unknown>) : {} };
}

/** Posts a form. */
export async function post(
  url: string,
  fields: Record<string, string>,
  headers: OutgoingHttpHeaders = {},
): Promise<Told> {
  const body = new URLSearchParams(fields).toString();
  return told(
    await exchange(new URL(url), {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    }),
  );
}

export const get = async (url: string, headers: OutgoingHttpHeaders = {}): Promise<Told> =>
  told(await exchange(new URL(url), { headers }));

/** The parameters that a redirect brought back. */
export const broughtBack = (url: URL): Record<string, string> => Object.fromEntries(url.searchParams);
