import type { Database } from './database.ts';
import type { Topic } from './notifications.ts';

/** What the database says, kept for a while. */
export interface DatabaseCache<Value> {
  /** What it says of `key`: as it is, or as it was at most `lifetime` ago where a change was not heard of. */
  of(key: string): Promise<Value | undefined>;
}

/** Milliseconds that something is kept at most, should the word of its change be lost (behind some poolers it always is). */
const ttlMs = 5_000;
/** Values kept of one kind; the one that was read first goes first. */
const maxEntries = 5_000;

/**
 * Keeps what is read at every request and hardly ever changes. Whoever changes it announces the topic in the same
 * transaction, and every process forgets everything of it at once: with the commit in this process, a moment later in the
 * others. Nothing is kept of what is not there, so nobody fills the memory with names that do not exist, and what was made
 * a moment ago is found.
 */
export function createDatabaseCache<Value>(
  db: Database,
  topic: Topic,
  read: (key: string) => Promise<Value | undefined>,
): DatabaseCache<Value> {
  const entries = new Map<string, { until: number; value: Promise<Value | undefined> }>();
  // A reading that is under way is forgotten, too: it may be of the time before.
  db.hear(topic, () => entries.clear());
  const load = (key: string) => {
    const value = read(key);
    const entry = { until: performance.now() + ttlMs, value };
    const forget = () => {
      if (entries.get(key) === entry) entries.delete(key);
    };
    entries.delete(key);
    entries.set(key, entry);
    value.then((found) => found ?? forget(), forget);
    const [oldest] = entries.keys();
    if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest);
    return value;
  };
  return {
    of(key) {
      const cached = entries.get(key);
      return cached && performance.now() < cached.until ? cached.value : load(key);
    },
  };
}
