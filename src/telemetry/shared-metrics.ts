import type { Worker } from 'node:cluster';
import cluster from 'node:cluster';
import { AggregatorRegistry } from 'prom-client';

/** What `Registry.getMetricsAsJSON` of one process answers. */
export type Values = readonly unknown[];

/** Between a worker and the primary; `number` is the asking worker's own. */
type Message =
  | { hemma: 'metrics-wanted'; number: number }
  | { hemma: 'metrics-read'; asker: number; number: number }
  | { hemma: 'metrics-here'; asker: number; number: number; values: Values }
  | { hemma: 'metrics-all'; number: number; all: Values[] };

/** Milliseconds that a worker has for its numbers. A scrape that lacks one is better than none. */
const patience = 3_000;

const isOurs = (message: unknown): message is Message =>
  typeof message === 'object' &&
  message !== null &&
  'hemma' in message &&
  typeof message.hemma === 'string' &&
  message.hemma.startsWith('metrics-');

// One that is dying may not take a message any more; unheard, that fault would end whoever sent it.
const unheard = () => undefined;
const send = (worker: Worker, message: Message) => void worker.send(message, unheard);

/** In the primary: asks every worker on behalf of one, and hands on what came in time. It adds up nothing itself. */
export function relayMetrics(): void {
  const gathering = new Map<string, (values: Values) => void>();
  const gather = (asker: Worker, number: number) => {
    const asked = Object.values(cluster.workers ?? {}).filter((worker) => worker?.isConnected());
    const all: Values[] = [];
    const key = `${asker.id}/${number}`;
    const hand = () => {
      clearTimeout(late);
      if (gathering.delete(key) && asker.isConnected()) send(asker, { hemma: 'metrics-all', number, all });
    };
    const late = setTimeout(hand, patience);
    gathering.set(key, (values) => {
      if (all.push(values) === asked.length) hand();
    });
    for (const worker of asked) if (worker) send(worker, { hemma: 'metrics-read', asker: asker.id, number });
  };
  cluster.on('message', (worker, message: unknown) => {
    if (!isOurs(message)) return;
    if (message.hemma === 'metrics-wanted') gather(worker, message.number);
    if (message.hemma === 'metrics-here')
      gathering.get(`${message.asker}/${message.number}`)?.(message.values);
  });
}

/**
 * In a worker: answers the primary with this process's `values`, and makes the text of all processes' numbers together
 * (Prometheus's text format), each added up in the way that its metric names. Rejects when the primary is gone.
 */
export function metricsOfAll(values: () => Promise<Values>): () => Promise<string> {
  const waiting = new Map<number, (all: Values[]) => void>();
  let last = 0;
  const tell = (message: Message) => {
    if (process.connected) process.send?.(message, undefined, undefined, unheard);
  };
  process.on('message', (message: unknown) => {
    if (!isOurs(message)) return;
    if (message.hemma === 'metrics-all') waiting.get(message.number)?.(message.all);
    if (message.hemma !== 'metrics-read') return;
    const { asker, number } = message;
    // One that cannot tell its numbers has none: the primary's patience is not spent on it.
    void values()
      .catch(() => [])
      .then((own) => tell({ hemma: 'metrics-here', asker, number, values: own }));
  });
  return async () => {
    const number = (last += 1);
    const all = await new Promise<Values[]>((done, failed) => {
      const late = setTimeout(() => failed(new Error('the primary does not answer')), patience + 1_000);
      waiting.set(number, (gathered) => {
        clearTimeout(late);
        done(gathered);
      });
      tell({ hemma: 'metrics-wanted', number });
    }).finally(() => waiting.delete(number));
    return AggregatorRegistry.aggregate(all).metrics();
  };
}
