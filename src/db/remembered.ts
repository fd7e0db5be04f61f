import type { Database } from './database.ts';
import type { Topic } from './notifications.ts';

/** What the database says, kept for a while. */
export interface Remembered<Value> {
  /** What it says of `key`: as it is, or as it was at most `lifetime` ago where a change was not heard of. */
  of(key: string): Promise<Value | undefined>;
}

/** Milliseconds that something is kept at most, should the word of its change be lost (behind some poolers it always is). */
const lifetime = 5_000;
/** Values kept of one kind; the one that was read first goes first. */
const most = 5_000;

/**
 * Keeps what is read at every request and hardly ever changes. Whoever changes it announces the topic in the same
 * transaction, and every process forgets everything of it at once: with the commit in this process, a moment later in the
 * others. Nothing is kept of what is not there, so nobody fills the memory with names that do not exist, and what was made
 * a moment ago is found.
 */
export function remembered<Value>(
  db: Database,
  topic: Topic,
  read: (key: string) => Promise<Value | undefined>,
): Remembered<Value> {
  const kept = new Map<string, { until: number; value: Promise<Value | undefined> }>();
  // A reading that is under way is forgotten, too: it may be of the time before.
  db.hear(topic, () => kept.clear());
  const readAnew = (key: string) => {
    const value = read(key);
    const one = { until: performance.now() + lifetime, value };
    const forget = () => {
      if (kept.get(key) === one) kept.delete(key);
    };
    kept.delete(key);
    kept.set(key, one);
    value.then((found) => found ?? forget(), forget);
    const [oldest] = kept.keys();
    if (kept.size > most && oldest !== undefined) kept.delete(oldest);
    return value;
  };
  return {
    of(key) {
      const known = kept.get(key);
      return known && performance.now() < known.until ? known.value : readAnew(key);
    },
  };
}
