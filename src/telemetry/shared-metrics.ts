import type { Worker } from 'node:cluster';
import cluster from 'node:cluster';
import { AggregatorRegistry } from 'prom-client';

/** What `Registry.getMetricsAsJSON` of one process answers. */
export type MetricValues = readonly unknown[];

/** Between a worker and the primary; `number` is the asking worker's own. */
type MetricsMessage =
  | { hemma: 'metrics-wanted'; number: number }
  | { hemma: 'metrics-read'; asker: number; number: number }
  | { hemma: 'metrics-here'; asker: number; number: number; values: MetricValues }
  | { hemma: 'metrics-all'; number: number; all: MetricValues[] };

/** Milliseconds that a worker has for its numbers. A scrape that lacks one is better than none. */
const responseTimeoutMs = 3_000;

const isMetricsMessage = (message: unknown): message is MetricsMessage =>
  typeof message === 'object' &&
  message !== null &&
  'hemma' in message &&
  typeof message.hemma === 'string' &&
  message.hemma.startsWith('metrics-');

// One that is dying may not take a message any more; unheard, that fault would end whoever sent it.
const ignoreSendError = () => undefined;
const sendToWorker = (worker: Worker, message: MetricsMessage) => void worker.send(message, ignoreSendError);

/** In the primary: asks every worker on behalf of one, and hands on what came in time. It adds up nothing itself. */
export function relayMetrics(): void {
  const pending = new Map<string, (values: MetricValues) => void>();
  const collectFromWorkers = (requester: Worker, requestId: number) => {
    const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker?.isConnected());
    const all: MetricValues[] = [];
    const key = `${requester.id}/${requestId}`;
    const sendAll = () => {
      clearTimeout(timer);
      if (pending.delete(key) && requester.isConnected())
        sendToWorker(requester, { hemma: 'metrics-all', number: requestId, all });
    };
    const timer = setTimeout(sendAll, responseTimeoutMs);
    pending.set(key, (values) => {
      if (all.push(values) === workers.length) sendAll();
    });
    for (const worker of workers)
      if (worker) sendToWorker(worker, { hemma: 'metrics-read', asker: requester.id, number: requestId });
  };
  cluster.on('message', (worker, message: unknown) => {
    if (!isMetricsMessage(message)) return;
    if (message.hemma === 'metrics-wanted') collectFromWorkers(worker, message.number);
    if (message.hemma === 'metrics-here') pending.get(`${message.asker}/${message.number}`)?.(message.values);
  });
}

/**
 * In a worker: answers the primary with this process's `values`, and makes the text of all processes' numbers together
 * (Prometheus's text format), each added up in the way that its metric names. Rejects when the primary is gone.
 */
export function createClusterMetrics(values: () => Promise<MetricValues>): () => Promise<string> {
  const pending = new Map<number, (all: MetricValues[]) => void>();
  let last = 0;
  const sendToPrimary = (message: MetricsMessage) => {
    if (process.connected) process.send?.(message, undefined, undefined, ignoreSendError);
  };
  process.on('message', (message: unknown) => {
    if (!isMetricsMessage(message)) return;
    if (message.hemma === 'metrics-all') pending.get(message.number)?.(message.all);
    if (message.hemma !== 'metrics-read') return;
    const { asker, number } = message;
    // One that cannot tell its numbers has none: the primary's patience is not spent on it.
    void values()
      .catch(() => [])
      .then((own) => sendToPrimary({ hemma: 'metrics-here', asker, number, values: own }));
  });
  return async () => {
    const number = (last += 1);
    const all = await new Promise<MetricValues[]>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error('the primary does not answer')),
        responseTimeoutMs + 1_000,
      );
      pending.set(number, (gathered) => {
        clearTimeout(timer);
        resolve(gathered);
      });
      sendToPrimary({ hemma: 'metrics-wanted', number });
    }).finally(() => pending.delete(number));
    return AggregatorRegistry.aggregate(all).metrics();
  };
}
