import pg from 'pg';
import { within } from '../http/with-timeout.ts';

/**
 * What is announced. `everywhere`: to every process, which costs a write; else in the process that says it alone, and
 * only there it may come with something to tell (`What`).
 */
export interface Topic<What = undefined> {
  name: string;
  everywhere: boolean;
  /** What comes with it; a mark for the types alone. */
  what?: What;
}

/** Somebody who hears what is announced, until stopped. */
export interface Hearing {
  stop(): Promise<void>;
}

const pause = 2_000;
const patience = 1_000;

/** Hangs up, and does not wait long for a server that says nothing. */
async function hangUp(client: pg.Client): Promise<void> {
  const ended = client.end().catch(() => undefined);
  await within(patience, ended, undefined);
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}

/** The channel of PostgreSQL on which names of topics are said (NOTIFY). */
export const channel = 'hemma';

/**
 * Calls `hear` with the name of each topic that is announced everywhere, and with undefined each time that listening
 * begins anew, since what was said meanwhile is lost. It has one connection of its own and never fails: whoever must not
 * miss anything looks from time to time all the same, as behind a pooler that lends a connection for one statement only.
 */
export function hearPostgres(url: string, hear: (name: string | undefined) => void): Hearing {
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const again = () => {
    if (stopped) return;
    clearTimeout(timer);
    timer = setTimeout(() => void begin(), pause).unref();
  };
  const begin = async () => {
    const mine = new pg.Client({ connectionString: url, keepAlive: true, connectionTimeoutMillis: 5_000 });
    client = mine;
    mine.on('error', () => undefined);
    mine.on('end', again);
    mine.on('notification', ({ payload }) => hear(payload));
    try {
      await mine.connect();
      await mine.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
      hear(undefined);
    } catch {
      again();
      await hangUp(mine);
    }
  };
  void begin();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      if (client) await hangUp(client);
    },
  };
}
