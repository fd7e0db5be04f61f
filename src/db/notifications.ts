import pg from 'pg';
import { withTimeout } from '../http/with-timeout.ts';

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
export interface Subscription {
  stop(): Promise<void>;
}

const reconnectDelayMs = 2_000;
const closeTimeoutMs = 1_000;

/** Hangs up, and does not wait long for a server that says nothing. */
async function disconnect(client: pg.Client): Promise<void> {
  const ended = client.end().catch(() => undefined);
  await withTimeout(closeTimeoutMs, ended, undefined);
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}

/** The channel of PostgreSQL on which names of topics are said (NOTIFY). */
export const notificationChannel = 'hemma';

/**
 * Calls `hear` with the name of each topic that is announced everywhere, and with undefined each time that listening
 * begins anew, since what was said meanwhile is lost. It has one connection of its own and never fails: whoever must not
 * miss anything looks from time to time all the same, as behind a pooler that lends a connection for one statement only.
 */
export function listenToPostgres(url: string, listener: (name: string | undefined) => void): Subscription {
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const reconnectLater = () => {
    if (stopped) return;
    clearTimeout(timer);
    timer = setTimeout(() => void connect(), reconnectDelayMs).unref();
  };
  const connect = async () => {
    const connection = new pg.Client({
      connectionString: url,
      keepAlive: true,
      connectionTimeoutMillis: 5_000,
    });
    client = connection;
    connection.on('error', () => undefined);
    connection.on('end', reconnectLater);
    connection.on('notification', ({ payload }) => listener(payload));
    try {
      await connection.connect();
      await connection.query(`LISTEN ${pg.escapeIdentifier(notificationChannel)}`);
      listener(undefined);
    } catch {
      reconnectLater();
      await disconnect(connection);
    }
  };
  void connect();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      if (client) await disconnect(client);
    },
  };
}
