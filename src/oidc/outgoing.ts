import type { Configuration } from 'oidc-provider';
import type { Settings } from '../../config/settings.ts';
import type { Tracing } from '../platform/tracing.ts';

type Call = NonNullable<Configuration['fetch']>;

/** Milliseconds that any call to an application may last. */
const patience = 5_000;

/**
 * Outgoing calls go through the library's guard against private addresses, unless the operator tries things out; a
 * redirect is never followed.
 */
function guarded(settings: Settings): Call {
  return (url, options) => {
    const { dispatcher: guard, ...open } = options as RequestInit & { dispatcher?: unknown };
    const signal = AbortSignal.timeout(patience);
    if (settings.HEMMA_ALLOW_LOOPBACK_CLIENTS) return fetch(url, { ...open, signal, redirect: 'manual' });
    // The library only warns where it cannot build its guard, and would go without.
    if (!guard) throw new Error('there is no guard against private addresses: nothing was called');
    return fetch(url, { ...open, dispatcher: guard, signal, redirect: 'manual' } as RequestInit);
  };
}

/** Each call in a span of its own, told by its host alone: what else stands in an address may be between two others. */
function traced(call: Call, tracing: Tracing): Call {
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

/** How the library calls applications: their keys, lists of addresses, and those that are told of a sign-out. */
export const outgoing = (settings: Settings, tracing: Tracing): Call =>
  tracing.on ? traced(guarded(settings), tracing) : guarded(settings);
