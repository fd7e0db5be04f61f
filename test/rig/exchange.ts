/** One HTTP request and its answer, with exactly the headers given: fetch would add and forbid some. */
import type { LookupFunction } from 'node:net';
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { request as requestByTls } from 'node:https';
import { agentFor } from './kept-alive.ts';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  /** When the answer began, in milliseconds after the request was sent. */
  took: number;
}

export interface Ask {
  method?: string;
  headers?: OutgoingHttpHeaders;
  body?: string;
}

/** Everything here runs on this machine (`localhost`, RFC 6761 §6.3); asking the system each time costs and waits. */
const here: LookupFunction = (_name, { all }, answer) =>
  all ? answer(null, [{ address: '127.0.0.1', family: 4 }]) : answer(null, '127.0.0.1', 4);

export function exchange(url: URL, { method = 'GET', headers = {}, body = '' }: Ask = {}): Promise<Answer> {
  return new Promise((done, failed) => {
    const sent = performance.now();
    const length = body || method === 'POST' ? { 'content-length': Buffer.byteLength(body) } : {};
    const outgoing = (url.protocol === 'https:' ? requestByTls : request)(
      url,
      { method, agent: agentFor(url), lookup: here, headers: { ...length, ...headers } },
      (incoming) => {
        const took = performance.now() - sent;
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', failed);
        incoming.on('end', () =>
          done({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: Buffer.concat(chunks).toString('utf8'),
            took,
          }),
        );
      },
    );
    outgoing.setTimeout(20_000, () =>
      outgoing.destroy(new Error(`${method} ${url.href}: no answer in 20 seconds`)),
    );
    outgoing.on('error', failed);
    outgoing.end(body);
  });
}
