/** Everything that nobody should send, and what an answer to it may look like. */
import type { OutgoingHttpHeaders } from 'node:http';
import { type Answer, exchange } from '../rig/exchange.ts';

/** Values for any one field. */
export const badValues: readonly string[] = [
  '',
  '\0',
  'a\0b',
  '\ufffd',
  '\u202e\u200b',
  '\r\nx-injected: yes',
  '%',
  '%00',
  '\\u0000',
  '\ud83d\ude00'.repeat(30),
  'å'.repeat(300),
  "' or 1=1; --",
  '"><script>alert(1)</script>',
  '${7*7}{{7*7}}',
  '../../../../etc/passwd',
  '__proto__',
  'constructor',
  '-1',
  '1e999',
  '99999999999999999999999999',
  '[]',
  '{}',
  '{"a":{"b":"\\ud800"}}',
  '{"id_token":{"acr":{"essential":true,"values":{"length":-1}}}}',
  '{"id_token":{"acr":[[]],"sub":5,"\\u0000":null},"userinfo":{"__proto__":{"x":1}}}',
  '['.repeat(2000),
  'a.b.c',
  'e30.e30.e30',
  'x'.repeat(20_000),
];

/** The field, sent in ways that are not once and plain. */
export const badShapes = (name: string): readonly string[] => [
  `${name}=a&${name}=b`,
  `${name}[]=a`,
  `${name}[a]=b`,
  `${name}[__proto__][a]=b`,
  `${name}.a=b`,
  name,
  `${name}=%`,
  `${name}=%E0%A4%A`,
  `${name}=%FF%FE`,
  `${name}=%ED%A0%80`,
  `%00${name}=a`,
  `${name}%00=a`,
];

/** Whole bodies with the content type that they claim. */
const badBodies: readonly (readonly [string | undefined, string])[] = [
  ['application/x-www-form-urlencoded', '&&&===&;&'],
  ['application/x-www-form-urlencoded', '%'],
  ['application/x-www-form-urlencoded', '__proto__[a]=b&constructor[prototype][a]=b'],
  ['application/x-www-form-urlencoded', Array.from({ length: 3000 }, (_, n) => `a${n}=1`).join('&')],
  ['application/x-www-form-urlencoded', `a${'[a]'.repeat(2000)}=1`],
  ['application/x-www-form-urlencoded', `a=${'x'.repeat(70_000)}`],
  ['application/x-www-form-urlencoded; charset=nonsense', 'a=b'],
  ['application/x-www-form-urlencoded; charset=utf-16', 'a=b'],
  ['application/x-www-form-urlencoded; charset="', 'a=b'],
  ['application/json', '{"grant_type":"authorization_code"}'],
  ['application/json', '{'],
  ['application/json', '{"a":'.repeat(5000)],
  ['application/json', 'null'],
  ['multipart/form-data; boundary=x', '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\nb\r\n--x--'],
  ['multipart/form-data', 'x'],
  ['text/plain', 'a=b'],
  ['text/xml', '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'],
  ['nonsense', 'a=b'],
  ['/', 'a=b'],
  [undefined, 'a=b'],
];

/** Headers that parsers stumble over. */
const badHeaders: readonly Record<string, string>[] = [
  ...[
    'Basic',
    'Basic ',
    'Basic !!!',
    'Basic Og==',
    'Basic AA==',
    'Basic JTAwOiUwMA==',
    `Basic ${'A'.repeat(6000)}`,
    'Bearer',
    'Bearer ',
    'Bearer a b c',
    `Bearer ${'x'.repeat(6000)}`,
    'Bearer ..',
    'DPoP x',
    'Digest username="x"',
    'Negotiate AAAA',
    ',,,',
    '\t',
  ].map((authorization) => ({ authorization })),
  { dpop: 'a.b.c' },
  { accept: ';;;' },
  { accept: 'application/json;q=x, */*;q=-1' },
  { 'accept-language': ';q=,*;q=9,-,--,x-'.repeat(50) },
  { 'accept-language': 'sv;q=0' },
  { 'accept-encoding': 'nonsense;q=9' },
  { 'content-encoding': 'gzip' },
  { 'content-encoding': 'nonsense' },
  { cookie: ';;;=;a;=b' },
  { cookie: 'hemma-session=%00; hemma-session.sig=%E0%A4%A; hemma-device="; hemma-language=__proto__' },
  { cookie: `hemma-session=${'x'.repeat(6000)}` },
  { origin: 'nonsense' },
  { origin: 'null' },
  { referer: '://' },
  { 'sec-fetch-site': 'nonsense' },
  { 'user-agent': 'x'.repeat(6000) },
  { 'x-forwarded-for': '999.1.1.1, ::g, [::1]:80, \t' },
  { 'x-forwarded-proto': 'javascript' },
  { range: 'bytes=9-1' },
  { 'if-none-match': '"' },
  { 'if-modified-since': 'nonsense' },
];

const oddMethods = ['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'TRACE', 'PROPFIND', 'PURGE', 'REPORT'];

const insides =
  /node_modules|\.[jt]sx?:\d+|\bat \S+ \(|(Syntax|Type|Range|Reference|URI)Error|ERR_[A-Z]|invalid byte sequence|oidc_records|UnhandledPromise/;

/** What is wrong with an answer to nonsense; undefined where nothing is. */
export function faultIn({ status, body }: Answer): string | undefined {
  if (status >= 500) return `answered ${status}`;
  return insides.test(body) ? `shows its insides: ${insides.exec(body)?.[0]}` : undefined;
}

/** Whether a refusal has the number by which its line in the log is found. */
function hasReference({ status, headers, body }: Answer): boolean {
  if (status < 400) return true;
  const type = headers['content-type'] ?? '';
  if (type.includes('html'))
    return /data-reference="[0-9a-f]{12}"/.test(body) || body.includes('role="alert"');
  if (!type.includes('json')) return false;
  const { reference } = JSON.parse(body) as { reference?: unknown };
  return typeof reference === 'string' && reference.length === 12;
}

/** What was sent, for the message of a failing test, and what came back. */
export type Tried = readonly [string, Promise<Answer>];

export const shorten = (text: string): string =>
  JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}… (${text.length})` : text);

/** An address and a request to it that is nearly right. */
export interface Endpoint {
  url: URL;
  method: 'GET' | 'POST';
  fields: Record<string, string>;
  headers?: OutgoingHttpHeaders;
}

export function send({ url, method, headers }: Endpoint, payload: string, more: OutgoingHttpHeaders = {}) {
  if (method === 'GET') return exchange(new URL(`?${payload}`, url), { headers: { ...headers, ...more } });
  const form = { 'content-type': 'application/x-www-form-urlencoded', ...headers, ...more };
  return exchange(url, { method, headers: form, body: payload });
}

/** Some fields, each with every bad value and in every bad shape, beside those of the nearly right request. */
export function* badFields(
  endpoint: Endpoint,
  names: readonly string[] = Object.keys(endpoint.fields),
): Generator<Tried> {
  for (const name of names) {
    const others = Object.entries(endpoint.fields).filter(([other]) => other !== name);
    const beside = new URLSearchParams(others).toString();
    for (const value of badValues) {
      const field = new URLSearchParams({ [name]: value }).toString();
      // Node itself ends requests with more than 16 kB of head.
      if (endpoint.method === 'POST' || field.length < 10_000)
        yield [`${name} = ${shorten(value)}`, send(endpoint, `${beside}&${field}`)];
    }
    for (const shape of badShapes(name)) yield [shape, send(endpoint, `${beside}&${shape}`)];
  }
}

/** The same nonsense as a page and as JSON is asked for, and as nothing is. */
export function* inEveryForm(endpoint: Endpoint): Generator<Tried> {
  const fields = new URLSearchParams(endpoint.fields).toString();
  yield ['as JSON', send(endpoint, `${fields}&x=%00`, { accept: 'application/json' })];
  yield ['as a page', send(endpoint, `${fields}&x=%00`, { accept: 'text/html' })];
  yield ['as anything', send(endpoint, 'x=y')];
}

/** A request to one address with all kinds of headers, methods and bodies. */
export function* badRequests(url: URL, own: OutgoingHttpHeaders = {}): Generator<Tried> {
  const get = (headers: OutgoingHttpHeaders) => exchange(url, { headers: { ...own, ...headers } });
  for (const headers of badHeaders) {
    yield [`GET ${shorten(JSON.stringify(headers))}`, get(headers)];
    const form = { 'content-type': 'application/x-www-form-urlencoded', ...own, ...headers };
    yield [
      `POST ${shorten(JSON.stringify(headers))}`,
      exchange(url, { method: 'POST', headers: form, body: 'a=b' }),
    ];
  }
  for (const method of oddMethods) yield [method, exchange(url, { method, headers: own })];
  for (const [type, body] of badBodies) {
    const headers = { ...own, ...(type ? { 'content-type': type } : {}) };
    yield [`${type} ${shorten(body)}`, exchange(url, { method: 'POST', headers, body })];
  }
}

/** What is wrong with the answers, by what was sent. One at a time, so that each answer is to what it is told of. */
export async function faultsOf(
  tried: Iterable<Tried>,
  judge: (answer: Answer) => string | undefined = faultIn,
): Promise<string[]> {
  const faults: string[] = [];
  for (const [what, coming] of tried) {
    const fault = judge(await coming);
    if (fault) faults.push(`${what}: ${fault}`);
  }
  return faults;
}

/** A refusal without the number by which its line in the log is found. */
export function withoutReference(answer: Answer): string | undefined {
  const type = (answer.headers['content-type'] ?? 'nothing').split(';')[0];
  return hasReference(answer) ? undefined : `${answer.status} ${type} without a number`;
}
