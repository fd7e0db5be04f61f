import type { DestinationStream, Logger } from 'pino';
import { destination, pino } from 'pino';

export type Log = Logger;

/**
 * Lines leave together: one by one their writing costs more than their making. What waits is written within a tenth of a
 * second, and where the process ends, by itself or by a fault; only `kill -9` takes it along. Never more than a pipe takes
 * whole (PIPE_BUF), or lines of several processes would get into each other.
 */
const bufferOptions = { dest: 1, sync: false, minLength: 3072, maxWrite: 4096, periodicFlush: 100 };

/** The moment as lines have it. Lines of one millisecond share its text, which costs more than the rest of a short line. */
function createTimestamp(): () => string {
  let last = 0;
  let text = '';
  return () => {
    const now = Date.now();
    if (now !== last) text = `,"time":"${new Date(now).toISOString()}"`;
    last = now;
    return text;
  };
}

/**
 * JSON lines, one per event. Whoever logs names fields of ours; request bodies, headers and URLs with queries never go in.
 * `always` stands in every line: the trace that it belongs to.
 */
export function createLog(level: string, destinationStream?: DestinationStream, mixin?: () => object): Log {
  const options = {
    level,
    base: null,
    ...(mixin ? { mixin } : {}),
    timestamp: createTimestamp(),
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, destinationStream ?? destination(bufferOptions));
}
