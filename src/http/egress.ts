import { lookup } from 'node:dns';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as openHttp } from 'node:http';
import { request as openHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { bareHost, isAddress, isLoopbackHost, isSpecialUse } from './special-use-addresses.ts';

/** A call that was refused before a connection was opened. It does not say what a name resolved to. */
export class EgressRefused extends Error {
  constructor() {
    super('nothing was sent: only public https addresses are called, never special-use or private ones');
  }
}

interface Resolved {
  address: string;
  family: number;
}

/** All addresses of a name. */
export type Resolve = (name: string) => Promise<readonly Resolved[]>;

const resolveBySystem: Resolve = (name) =>
  new Promise((found, failed) => {
    lookup(name, { all: true }, (fault, addresses) => (fault ? failed(fault) : found(addresses)));
  });

export interface EgressOptions {
  /** Lets calls go to private addresses and this machine, and over plain http. For development only. */
  allowPrivate: boolean;
  /** Milliseconds from the resolution of the name to the end of the answer. */
  timeoutMs?: number;
  /** Bytes of a JSON answer; longer ones are refused. */
  maxResponseBytes?: number;
  /** Resolves names; the system's resolver where nothing is given. */
  resolve?: Resolve;
}

/** What of a `fetch` request is understood. An answer is read only where `accept` asks for JSON. */
export interface EgressRequest {
  method?: string | undefined;
  headers?: HeadersInit | undefined;
  body?: unknown;
}

export type Egress = (url: string | URL, request?: EgressRequest) => Promise<Response>;

/**
 * Resolves a name and judges all its addresses in the moment of connecting. The socket gets exactly the addresses that
 * were judged, and no name is resolved twice: a second answer of a rebinding resolver is never asked for. One special
 * address among several refuses the whole name.
 */
function judgedLookup(resolve: Resolve, allowPrivate: boolean): LookupFunction {
  return (name, { all }, answer) => {
    const judge = (found: readonly Resolved[]) => {
      const [first] = found;
      if (!first || (!allowPrivate && found.some(({ address }) => isSpecialUse(address))))
        answer(new EgressRefused(), '');
      else if (all) answer(null, [...found]);
      else answer(null, first.address, first.family);
    };
    resolve(name).then(judge, (fault: NodeJS.ErrnoException) => answer(fault, ''));
  };
}

/**
 * What is refused before a name is resolved. Node resolves no IP address, so one in the URL is judged here; URL has
 * normalized its spelling (decimal, octal, hexadecimal, full-width, percent-encoded).
 */
function refusedOutright(url: URL): boolean {
  return url.protocol !== 'https:' || isLoopbackHost(url) || (isAddress(url) && isSpecialUse(bareHost(url)));
}

const isJson = (type: string | undefined): boolean =>
  /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type ?? '');

/** Reads a JSON answer. Throws where it is longer than allowed or something else. */
async function readJson(message: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  const refuse = (why: string): never => {
    message.destroy();
    throw new Error(why);
  };
  if (!isJson(message.headers['content-type'])) refuse('the answer is not application/json');
  for await (const chunk of message as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) refuse(`the answer is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The beginning of an answer. A connection may close without any, as after a switch of protocols. */
const answerTo = (request: ClientRequest): Promise<IncomingMessage> =>
  new Promise((answered, failed) => {
    request.once('response', answered);
    // It stays: after the beginning the answer itself reports errors.
    request.on('error', failed);
    request.once('close', () => failed(new Error('the connection was closed without an answer')));
  });

/** Lets an answer that is not read end without an error for its sender, within the same bounds. */
function discard(message: IncomingMessage, maxBytes: number): void {
  let length = 0;
  message.on('error', () => undefined);
  message.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > maxBytes) message.destroy();
  });
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let at = 0; at < rawHeaders.length; at += 2)
    headers.append(rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '');
  return headers;
}

/** A body as it is sent. */
function textOf(body: unknown): string | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === 'string') return body;
  if (body instanceof URLSearchParams) return body.toString();
  throw new TypeError('only texts and forms are sent');
}

/** Statuses whose answers have no body (Fetch Standard, "null body status"). */
const withoutBody = new Set([204, 205, 304]);

/**
 * Calls other servers for the provider. Every connection goes to addresses that were judged before it was opened; the
 * name stays in Host and SNI. Redirects are answered and never followed, proxies of the environment are not used, and
 * time and answer are bounded.
 *
 * @returns A function like `fetch`. It throws `EgressRefused` where nothing was sent.
 */
export function egressOf({
  allowPrivate,
  timeoutMs = 5_000,
  maxResponseBytes = 64 * 1024,
  resolve = resolveBySystem,
}: EgressOptions): Egress {
  const judged = judgedLookup(resolve, allowPrivate);
  return async (target, { method = 'GET', headers, body } = {}) => {
    const url = new URL(target);
    if (!allowPrivate && refusedOutright(url)) throw new EgressRefused();
    const sent = new Headers(headers);
    const open = url.protocol === 'https:' ? openHttps : openHttp;
    const request = open(url, {
      method,
      headers: Object.fromEntries(sent),
      // Each call has its own connection, so each is judged.
      agent: false,
      lookup: judged,
      signal: AbortSignal.timeout(timeoutMs),
    });
    const answered = answerTo(request);
    request.end(textOf(body));
    const message = await answered;
    const { statusCode: status = 0 } = message;
    const wanted = sent.get('accept')?.includes('json') === true && !withoutBody.has(status);
    if (!wanted) discard(message, maxResponseBytes);
    const read = wanted ? await readJson(message, maxResponseBytes) : null;
    return new Response(read && new Uint8Array(read), { status, headers: headersOf(message) });
  };
}
