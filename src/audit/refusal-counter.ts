import type { Db } from '../db/database.ts';
import type { Actor, RefusedAttempts } from './refused-attempts.ts';
import { actorName, addRefusedAttempts, minuteOf, sumReasons } from './refused-attempts.ts';

/** One attempt that was refused. */
export interface RefusedAttempt {
  actor: Actor;
  route: string;
  reason: string;
  address: string;
  request: string;
  program: string | undefined;
}

/** Counts refused attempts of this process. */
export interface RefusalCounter {
  count(attempt: RefusedAttempt): void;
  /** Adds what was counted to the deployment's rows, and stops. */
  stop(): Promise<void>;
}

const intervalMs = 1000;
/** Keys in memory; further ones are counted in the overflow. */
const maxKeys = 2000;

/**
 * Gathers refused attempts in memory and adds them to the database once a second, so that a flood of them costs other
 * requests no statement. A process that is killed loses those of its last second.
 *
 * @param onFault - Told when the database does not take them; they are kept and added with the next.
 */
export function refusalCounter(db: Db, onFault: (fault: unknown) => void): RefusalCounter {
  let counted = new Map<string, RefusedAttempts>();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let adding = Promise.resolve();

  const add = (attempts: RefusedAttempts) => {
    const key = [attempts.minute.getTime(), actorName(attempts.actor), attempts.route].join('\n');
    const before = counted.get(key);
    counted.set(key, { ...attempts, reasons: sumReasons(before?.reasons ?? {}, attempts.reasons) });
  };
  const flush = async () => {
    const taken = [...counted.values()];
    counted = new Map();
    if (taken.length === 0) return;
    // What could not be added in its minute counts in this one: a minute that is over has its audit event already.
    const [now, last] = [minuteOf(Date.now()), minuteOf(Date.now() - 60_000)];
    const settled = taken.map((one) => (one.minute < last ? { ...one, minute: now } : one));
    try {
      await addRefusedAttempts(db, settled);
    } catch (fault) {
      taken.forEach(add);
      onFault(fault);
      plan();
    }
  };
  const plan = () => {
    if (stopped) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      adding = adding.then(flush);
    }, intervalMs).unref();
  };
  return {
    count({ actor, route, reason, address, request, program }) {
      const full = counted.size >= maxKeys;
      const minute = minuteOf(Date.now());
      const by = full ? 'overflow' : actor;
      add({ minute, actor: by, route, reasons: { [reason]: 1 }, address, request, program });
      plan();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      adding = adding.then(flush);
      await adding;
    },
  };
}
