import type { DestinationStream, Logger } from 'pino';
import { pino } from 'pino';

export type Log = Logger;

/**
 * JSON lines, one per event. Whoever logs names fields of ours; request bodies, headers and URLs with queries never go in.
 * `always` stands in every line: the trace that it belongs to.
 */
export function logOf(level: string, to?: DestinationStream, always?: () => object): Log {
  const options = {
    level,
    base: null,
    ...(always ? { mixin: always } : {}),
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return to ? pino(options, to) : pino(options);
}
