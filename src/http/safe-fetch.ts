import type { Configuration } from 'oidc-provider';
import type { Settings } from '../../config/settings.ts';
import { egressOf } from './egress.ts';

type FetchFunction = NonNullable<Configuration['fetch']>;

/** What a call needs of tracing. */
interface CallTracer {
  on: boolean;
  span<Result>(
    kind: 'send',
    name: string,
    attributes: Record<string, string>,
    work: () => Promise<Result>,
  ): Promise<Result>;
  note(attributes: Record<string, number>): void;
  carried(): Record<string, string>;
}

/**
 * Calls to clients. The library's own guard looks at a connection once it is open, and is off where it cannot be built:
 * nothing of it is used.
 */
function createGuardedFetch(settings: Settings): FetchFunction {
  const call = egressOf({ allowPrivate: settings.HEMMA_ALLOW_LOOPBACK_CLIENTS });
  return (url, options) => call(url instanceof Request ? url.url : url, options);
}

/** Each call in its own span, told by its host alone: what else is in an address may be secret. */
function traceFetch(fetchFunction: FetchFunction, tracing: CallTracer): FetchFunction {
  return (url, options) => {
    const method = options?.method ?? 'GET';
    const { host } = new URL(url instanceof Request ? url.url : url);
    const attributes = { 'http.request.method': method, 'server.address': host };
    return tracing.span('send', method, attributes, async () => {
      const headers = new Headers(options?.headers);
      for (const [name, value] of Object.entries(tracing.carried())) headers.set(name, value);
      const response = await fetchFunction(url, { ...options, headers });
      tracing.note({ 'http.response.status_code': response.status });
      return response;
    });
  };
}

/** How the library calls clients: today to send them logout tokens and for nothing else. */
export const createSafeFetch = (settings: Settings, tracing: CallTracer): FetchFunction =>
  tracing.on ? traceFetch(createGuardedFetch(settings), tracing) : createGuardedFetch(settings);
