import { setTimeout as wait } from 'node:timers/promises';
import type { Engine } from './engine.ts';

interface Fault {
  code?: string;
  message?: string;
}

/** Whether nobody reached it; a connection that broke may have been that one alone. */
const isUnreachable = ({ code = '', message = '' }: Fault): boolean =>
  /^(ECONNREFUSED|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|57P03)$/.test(code) ||
  /trying to connect|timeout expired|due to connection timeout|Query read timeout/.test(message);

/** Nobody asked the database, or nobody waits for its answer any more: it is known to be away. */
export class DatabaseUnavailableError extends Error {
  readonly code = '57P03';
}

/** Milliseconds between two looks whether a database that was away is back. */
const probeIntervalMs = 250;

/** Milliseconds without any answer after which it is asked for a sign of life, and how long that may take. */
const silenceMs = 1_000;

/**
 * An engine that fails at once while its database is known to be away, and looks by itself whether it is back. Without it
 * every request would wait out the time to connect, and all of them at once be in memory. A database that hangs is known
 * by its silence, long before the first question has run out of time: nobody waits for it then, and what is in the middle
 * of a transaction is not committed.
 */
export function withCircuitBreaker(engine: Engine): Engine {
  const pendingCalls = new Set<() => void>();
  let lastResponseAt = 0;
  let isOpen = false;
  let isProbing = false;
  const closed = new AbortController();

  const ping = () =>
    engine.query('SELECT 1', [], false).then(
      () => true,
      () => false,
    );
  const waitUntilAvailable = async () => {
    while (!closed.signal.aborted && !(await ping())) await wait(probeIntervalMs, undefined, { ref: false });
    lastResponseAt = performance.now();
    isOpen = false;
  };
  const openCircuit = () => {
    if (!isOpen) void waitUntilAvailable();
    isOpen = true;
  };

  /** Hung, or busy with what takes its time: whoever is held up by somebody's lock is not given up. */
  const probeIfSilent = async () => {
    if (isProbing || isOpen || pendingCalls.size === 0 || performance.now() - lastResponseAt < silenceMs)
      return;
    isProbing = true;
    const isAlive = await Promise.race([ping(), wait(silenceMs, false, { ref: false })]);
    isProbing = false;
    if (isAlive) lastResponseAt = performance.now();
    if (isAlive || closed.signal.aborted) return;
    openCircuit();
    for (const abandon of pendingCalls) abandon();
  };
  const probeTimer = setInterval(() => void probeIfSilent(), silenceMs / 4);
  probeTimer.unref();

  /** `wanted` throws where nobody waits for it any more. */
  const guard = async <T>(call: (assertNotAbandoned: () => void) => Promise<T>): Promise<T> => {
    if (isOpen) throw new DatabaseUnavailableError('the database is known to be away');
    const { promise: abandoned, reject } = Promise.withResolvers<never>();
    let isAbandoned = false;
    const abandon = () => {
      isAbandoned = true;
      reject(new DatabaseUnavailableError('the database answers nobody'));
    };
    const assertNotAbandoned = () => {
      if (isAbandoned) throw new DatabaseUnavailableError('nobody waits for it any more');
    };
    if (pendingCalls.size === 0) lastResponseAt = performance.now();
    pendingCalls.add(abandon);
    try {
      return await Promise.race([call(assertNotAbandoned), abandoned]);
    } catch (fault) {
      if (!isAbandoned && isUnreachable(fault as Fault)) openCircuit();
      throw fault;
    } finally {
      pendingCalls.delete(abandon);
      lastResponseAt = performance.now();
    }
  };

  return {
    ...engine,
    query: (...args) => guard(() => engine.query(...args)),
    transaction: (work, options) =>
      guard((assertNotAbandoned) =>
        engine.transaction(async (query) => {
          const result = await work(async (...args) => {
            assertNotAbandoned();
            const answer = await query(...args);
            lastResponseAt = performance.now();
            return answer;
          });
          assertNotAbandoned();
          return result;
        }, options),
      ),
    close() {
      closed.abort();
      clearInterval(probeTimer);
      return engine.close();
    },
  };
}
