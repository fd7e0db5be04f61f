import { setTimeout as wait } from 'node:timers/promises';
import type { Engine } from './engine.ts';

interface Fault {
  code?: string;
  message?: string;
}

/** Whether nobody reached it; a connection that broke may have been that one alone. */
const unreachable = ({ code = '', message = '' }: Fault): boolean =>
  /^(ECONNREFUSED|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|57P03)$/.test(code) ||
  /trying to connect|timeout expired|due to connection timeout|Query read timeout/.test(message);

/** Nobody asked the database, or nobody waits for its answer any more: it is known to be away. */
export class NotAsked extends Error {
  readonly code = '57P03';
}

/** Milliseconds between two looks whether a database that was away is back. */
const pause = 250;

/** Milliseconds without any answer after which it is asked for a sign of life, and how long that may take. */
const silence = 1_000;

/**
 * An engine that fails at once while its database is known to be away, and looks by itself whether it is back. Without it
 * every request would wait out the time to connect, and all of them at once be in memory. A database that hangs is known
 * by its silence, long before the first question has run out of time: nobody waits for it then, and what is in the middle
 * of a transaction is not committed.
 */
export function failingFast(engine: Engine): Engine {
  const underWay = new Set<() => void>();
  let heard = 0;
  let away = false;
  let looking = false;
  const closed = new AbortController();

  const signOfLife = () =>
    engine.query('SELECT 1', [], false).then(
      () => true,
      () => false,
    );
  const untilBack = async () => {
    while (!closed.signal.aborted && !(await signOfLife())) await wait(pause, undefined, { ref: false });
    heard = performance.now();
    away = false;
  };
  const isGone = () => {
    if (!away) void untilBack();
    away = true;
  };

  /** Hung, or busy with what takes its time: whoever is held up by somebody's lock is not given up. */
  const look = async () => {
    if (looking || away || underWay.size === 0 || performance.now() - heard < silence) return;
    looking = true;
    const lives = await Promise.race([signOfLife(), wait(silence, false, { ref: false })]);
    looking = false;
    if (lives) heard = performance.now();
    if (lives || closed.signal.aborted) return;
    isGone();
    for (const giveUp of underWay) giveUp();
  };
  const watch = setInterval(() => void look(), silence / 4);
  watch.unref();

  /** `wanted` throws where nobody waits for it any more. */
  const ask = async <T>(call: (wanted: () => void) => Promise<T>): Promise<T> => {
    if (away) throw new NotAsked('the database is known to be away');
    const { promise: over, reject } = Promise.withResolvers<never>();
    let given = false;
    const giveUp = () => {
      given = true;
      reject(new NotAsked('the database answers nobody'));
    };
    const wanted = () => {
      if (given) throw new NotAsked('nobody waits for it any more');
    };
    if (underWay.size === 0) heard = performance.now();
    underWay.add(giveUp);
    try {
      return await Promise.race([call(wanted), over]);
    } catch (fault) {
      if (!given && unreachable(fault as Fault)) isGone();
      throw fault;
    } finally {
      underWay.delete(giveUp);
      heard = performance.now();
    }
  };

  return {
    ...engine,
    query: (...asked) => ask(() => engine.query(...asked)),
    transaction: (work, pace) =>
      ask((wanted) =>
        engine.transaction(async (query) => {
          const result = await work(async (...asked) => {
            wanted();
            const answer = await query(...asked);
            heard = performance.now();
            return answer;
          });
          wanted();
          return result;
        }, pace),
      ),
    close() {
      closed.abort();
      clearInterval(watch);
      return engine.close();
    },
  };
}
