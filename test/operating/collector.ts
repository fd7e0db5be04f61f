/** A collector of traces as an operator runs one, and whoever else is to hear of what leaves the house. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  /** 1 inside, 2 server, 3 client. */
  kind: number;
  attributes: Record<string, unknown>;
  /** 2 where it failed. */
  status: number | undefined;
}

export interface Collector {
  /** Where spans are posted to. */
  url: string;
  /** All that came, as it came. */
  bodies: string[];
  requests: { path: string; headers: IncomingHttpHeaders }[];
  spans(): Span[];
  /** What is said of the program that sends them. */
  resource(): Record<string, unknown>;
  stop(): Promise<void>;
}

interface Attribute {
  key: string;
  value: Record<string, unknown>;
}

interface Exported {
  resourceSpans: {
    resource: { attributes: Attribute[] };
    scopeSpans: {
      spans: (Omit<Span, 'attributes' | 'status'> & {
        attributes: Attribute[];
        status?: { code?: number };
      })[];
    }[];
  }[];
}

const plain = (attributes: readonly Attribute[]) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

export async function startCollector(): Promise<Collector> {
  const bodies: string[] = [];
  const requests: Collector['requests'] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      requests.push({ path: request.url ?? '', headers: request.headers });
      if (request.url === '/v1/traces') bodies.push(body);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const groups = () => bodies.flatMap((body) => (JSON.parse(body) as Exported).resourceSpans);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bodies,
    requests,
    spans: () =>
      groups()
        .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
        .map((span) => ({
          ...span,
          attributes: plain(span.attributes),
          status: span.status?.code,
        })),
    resource: () => plain(groups()[0]?.resource.attributes ?? []),
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
