import { AsyncLocalStorage } from 'node:async_hooks';
import { Socket } from 'node:net';
import type { Knex } from 'knex';
import knex from 'knex';
import pg from 'pg';
import type { Settings } from '../../config/settings.ts';
import { openDataFolder } from './data-folder.ts';
import type { QueryResult, PoolStats, Engine, TransactionOptions, QueryStats } from './engine.ts';
import { withCircuitBreaker } from './circuit-breaker.ts';
import type { Subscription, Topic } from './notifications.ts';
import { notificationChannel, listenToPostgres } from './notifications.ts';

/**
 * The one handle to SQL; every function that reads or writes takes it first. It may be a transaction.
 * Times go in as parameters and never come from SQL: one clock, the process's, decides what has expired.
 */
export interface Db {
  /** Runs one fixed statement; its text is prepared once per connection. */
  query<Row = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<QueryResult<Row>>;
  /** Runs a statement that was built for this call (a filter, a migration), without preparing it. */
  run<Row = Record<string, unknown>>(statement: Knex.QueryBuilder | Knex.Raw): Promise<QueryResult<Row>>;
  /**
   * All or nothing. Inside an open transaction it joins that one. Statements of it that do not need one another's answer
   * are asked with `Promise.all`: they go in one journey, in that order.
   */
  transaction<T>(work: (db: Db) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /**
   * Says that there is something new: once this transaction is committed, and never where it is rolled back; outside of
   * one, at once. Who hears it is the topic's: this process, which costs nothing, or all of them.
   */
  announce<What>(topic: Topic<What>, payload?: What): Promise<void>;
}

/** The whole database, which its opener closes. */
export interface Database extends Db {
  /** What this process asked of it since it was opened. */
  readonly tally: Readonly<QueryStats>;
  /**
   * Calls `hear` at each announcement of `topic`: a hint, and never the only way. It begins what it does, and nobody
   * waits for the end.
   */
  hear<What>(topic: Topic<What>, listener: (payload: What | undefined) => void): Subscription;
  /** Connections to PostgreSQL, and how many statements and transactions wait for one; undefined on PGlite. */
  connections(): PoolStats | undefined;
  close(): Promise<void>;
}

/**
 * Lets one transaction at a time go on with `what` (an account, an address) and makes the others wait for its end.
 * Taken before any row, so that nobody who waits for a row holds the turn of another.
 */
export async function acquireAdvisoryLock(tx: Db, key: string): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [key]);
}

/**
 * The same as a condition of a statement that does what follows, too: SQL that is true once the turn of `what` has come.
 * A row that the statement then goes by is locked or changed by it: it saw the table before it waited.
 */
export const advisoryLockSql = (keySql: string): string =>
  `(SELECT pg_advisory_xact_lock(hashtextextended(${keySql}, 0))) IS NOT NULL`;

/** Whether a text can be the number of a row. PostgreSQL answers any other with a fault, and numbers come from addresses. */
export const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

/** Whether JSON may hold what PostgreSQL does not keep: a NUL or half a character, which JSON writes as escapes. */
export const mayBeUnstorable = (json: string): boolean => /\\u(?:0000|d[89a-f])/i.test(json);

/** Writes SQL without a connection: for migrations, and for statements whose filters vary. */
export const sql: Knex = knex({ client: 'pg' });

function createHandle(query: Engine['query'], transaction: Db['transaction'], publish: Db['announce']): Db {
  return {
    query: <Row>(text: string, params: readonly unknown[] = []) =>
      query(text, params, true) as Promise<QueryResult<Row>>,
    run: <Row>(statement: Knex.QueryBuilder | Knex.Raw) => {
      const native = statement.toSQL().toNative();
      return query(native.sql, native.bindings, false) as Promise<QueryResult<Row>>;
    },
    transaction,
    announce: publish,
  };
}

type AnyTopic = Pick<Topic, 'name' | 'everywhere'>;

/** PostgreSQL carries it to all who listen, with the commit of the transaction that said it. */
const notifyOtherProcesses = async (
  query: Engine['query'],
  { name, everywhere }: AnyTopic,
): Promise<void> => {
  if (everywhere) await query('SELECT pg_notify($1, $2)', [notificationChannel, name], true);
};

/** Turns an engine into the handle that the house uses. */
export function createDb(engine: Engine): Database {
  const insideTransaction = new AsyncLocalStorage<true>();
  const listeners = new Map<string, Set<(payload: unknown) => void>>();
  const deliver = (name: string, payload?: unknown) =>
    listeners.get(name)?.forEach((listener) => listener(payload));
  let listening: Subscription | undefined;
  // What was said while nobody listened is lost: then everybody looks.
  const onNotification = (name: string | undefined) => {
    if (name !== undefined) deliver(name);
    else for (const each of listeners.keys()) deliver(each);
  };
  // On PGlite an outer call inside a transaction would wait for itself for ever; here it fails at once, on both.
  const assertOutsideTransaction = () => {
    if (insideTransaction.getStore())
      throw new Error('a statement used the outer handle inside a transaction');
  };
  const query: Engine['query'] = (text, params, prepare) => {
    assertOutsideTransaction();
    return engine.query(text, params, prepare);
  };
  const outer = createHandle(
    query,
    async (work, options) => {
      assertOutsideTransaction();
      const topics = new Map<string, unknown[]>();
      const result = await engine.transaction((inner) => {
        const tx: Db = createHandle(
          inner,
          (joined) => joined(tx),
          async (topic, payload) => {
            const payloads = topics.get(topic.name) ?? [];
            // What has nothing to tell is said once, however often it was announced.
            if (payloads.length === 0 || payload !== undefined) payloads.push(payload);
            topics.set(topic.name, payloads);
            await notifyOtherProcesses(inner, topic);
          },
        );
        return insideTransaction.run(true, () => work(tx));
      }, options);
      for (const [name, payloads] of topics) for (const payload of payloads) deliver(name, payload);
      return result;
    },
    async (topic, payload) => {
      await notifyOtherProcesses(query, topic);
      deliver(topic.name, payload);
    },
  );
  return {
    ...outer,
    tally: engine.tally,
    hear(topic, listener) {
      if (topic.everywhere) listening ??= engine.hear?.(onNotification);
      const topicListeners = listeners.get(topic.name) ?? new Set();
      const each = listener as (payload: unknown) => void;
      listeners.set(topic.name, topicListeners.add(each));
      return { stop: async () => void topicListeners.delete(each) };
    },
    connections: () => engine.connections?.(),
    async close() {
      await listening?.stop();
      await engine.close();
    },
  };
}

// Counts and steps stay far below 2^53, so bigint may be a number on every engine.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/**
 * A line to PostgreSQL that sends what is asked in one turn of the event loop in one piece: a transaction's beginning with
 * its first statements, say. Each piece by itself costs this process and the server more than most statements do.
 */
function createBatchingSocket(): Socket {
  const socket = new Socket();
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  let isCorked = false;
  socket.write = (...args: unknown[]) => {
    if (!isCorked) {
      isCorked = true;
      socket.cork();
      process.nextTick(() => {
        isCorked = false;
        socket.uncork();
      });
    }
    return write(...args);
  };
  return socket;
}

/** What pg is asked; its types leave out that one question may have a time-out of its own. */
interface QueryWithTimeout extends pg.QueryConfig {
  query_timeout?: number;
}
/** Milliseconds; no timer takes more (24 days). */
const maxTimerMs = 2 ** 31 - 1;

/**
 * What a page out of its order costs, as on any disk without moving parts. By PostgreSQL's own figure, 4, a small table is
 * read from end to end, and goes on being read so by the plans that are kept while it grows.
 */
export const plannerOptions = '-c random_page_cost=1.1';

function createPostgresEngine(url: string, connections: number): Engine {
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    statement_timeout: 5_000,
    // A network that swallows everything: the server's own time-out never arrives.
    query_timeout: 6_000,
    keepAlive: true,
    idle_in_transaction_session_timeout: 15_000,
    options: plannerOptions,
    // What is asked before an answer has come goes with it, in its order, and one's fault is not another's.
    pipeline: true,
    stream: createBatchingSocket,
  });
  // An idle connection that PostgreSQL ends is replaced at the next call; unheard, the event would end the process.
  pool.on('error', () => undefined);
  // The pool hears only its idle connections; one that breaks inside a transaction would end the process likewise.
  pool.on('connect', (client) => client.on('error', () => undefined));
  const statementNames = new Map<string, string>();
  const statementName = (text: string) => {
    const name = statementNames.get(text) ?? `hemma_${statementNames.size + 1}`;
    statementNames.set(text, name);
    return name;
  };
  const stats: QueryStats = { statements: 0, roundTrips: 0 };
  const createSender = (client: pg.Pool | pg.PoolClient) => {
    let inFlight = 0;
    return async (asked: string | QueryWithTimeout) => {
      stats.statements += 1;
      if (client === pool || inFlight === 0) stats.roundTrips += 1;
      inFlight += 1;
      try {
        return await client.query(asked);
      } finally {
        inFlight -= 1;
      }
    };
  };
  const query =
    (
      send: ReturnType<typeof createSender>,
      limits: Pick<QueryWithTimeout, 'query_timeout'> = {},
    ): Engine['query'] =>
    async (text, params, prepare) => {
      const values = [...params];
      const config = { text, values, ...limits };
      const result = await send(prepare ? { ...config, name: statementName(text) } : config);
      return { rows: result.rows, count: result.rowCount ?? 0 };
    };
  return {
    tally: stats,
    query: query(createSender(pool)),
    async transaction(work, { unhurried = false } = {}) {
      const client = await pool.connect();
      const send = createSender(client);
      let broken: Error | undefined;
      try {
        // Its answer comes before those of the statements that follow, and a fault of it is theirs as well.
        const begin = send('BEGIN');
        begin.catch(() => undefined);
        if (unhurried) await send('SET LOCAL statement_timeout = 0');
        const result = await work(query(send, unhurried ? { query_timeout: maxTimerMs } : {}));
        await begin;
        await send('COMMIT');
        return result;
      } catch (error) {
        // A connection that answers nothing would be waited for once more; it is thrown away as it is.
        if (/read timeout/.test((error as Error).message)) broken = error as Error;
        else
          await send('ROLLBACK').catch((fault: Error) => {
            broken = fault;
          });
        throw error;
      } finally {
        client.release(broken);
      }
    },
    connections: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    hear: (listener) => listenToPostgres(url, listener),
    close: () => pool.end(),
  };
}

/**
 * Opens the database of the settings: PostgreSQL by DATABASE_URL, else the embedded one in the data folder.
 * Throws `DataFolderLockedError` when another process serves that folder and `guest` is not set. `watched` stands between the
 * handle and the engine, for whoever counts what is asked.
 */
export async function openDatabase(
  settings: Settings,
  attach = false,
  instrument: (engine: Engine) => Engine = (engine) => engine,
): Promise<Database> {
  const engine = settings.DATABASE_URL
    ? withCircuitBreaker(createPostgresEngine(settings.DATABASE_URL, settings.HEMMA_DATABASE_POOL))
    : await openDataFolder(settings.HEMMA_DATA, attach);
  return createDb(instrument(engine));
}
