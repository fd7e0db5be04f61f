import type { Configuration } from 'oidc-provider';
import type { Settings } from '../../config/settings.ts';
import { egressOf } from './egress.ts';

type Call = NonNullable<Configuration['fetch']>;

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
function guarded(settings: Settings): Call {
  const call = egressOf({ allowPrivate: settings.HEMMA_ALLOW_LOOPBACK_CLIENTS });
  return (url, options) => call(url instanceof Request ? url.url : url, options);
}

/** Each call in its own span, told by its host alone: what else is in an address may be secret. */
function traced(call: Call, tracing: CallTracer): Call {
  return (url, options) => {
    const method = options?.method ?? 'GET';
    const { host } = new URL(url instanceof Request ? url.url : url);
    const facts = { 'http.request.method': method, 'server.address': host };
    return tracing.span('send', method, facts, async () => {
      const headers = new Headers(options?.headers);
      for (const [name, value] of Object.entries(tracing.carried())) headers.set(name, value);
      const answer = await call(url, { ...options, headers });
      tracing.note({ 'http.response.status_code': answer.status });
      return answer;
    });
  };
}

/** How the library calls clients: today to send them logout tokens and for nothing else. */
export const outgoing = (settings: Settings, tracing: CallTracer): Call =>
  tracing.on ? traced(guarded(settings), tracing) : guarded(settings);
