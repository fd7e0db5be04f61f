import { AsyncLocalStorage } from 'node:async_hooks';
import { Socket } from 'node:net';
import type { Knex } from 'knex';
import knex from 'knex';
import pg from 'pg';
import type { Settings } from '../../config/settings.ts';
import { openDataFolder } from './data-folder.ts';
import type { Answer, Connections, Engine, Pace, Tally } from './engine.ts';
import { failingFast } from './circuit-breaker.ts';
import type { Hearing, Topic } from './notifications.ts';
import { channel, hearPostgres } from './notifications.ts';

/**
 * The one handle to SQL; every function that reads or writes takes it first. It may be a transaction.
 * Times go in as parameters and never come from SQL: one clock, the process's, decides what has expired.
 */
export interface Db {
  /** Runs one fixed statement; its text is prepared once per connection. */
  query<Row = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<Answer<Row>>;
  /** Runs a statement that was built for this call (a filter, a migration), without preparing it. */
  run<Row = Record<string, unknown>>(built: Knex.QueryBuilder | Knex.Raw): Promise<Answer<Row>>;
  /**
   * All or nothing. Inside an open transaction it joins that one. Statements of it that do not need one another's answer
   * are asked with `Promise.all`: they go in one journey, in that order.
   */
  transaction<T>(work: (db: Db) => Promise<T>, pace?: Pace): Promise<T>;
  /**
   * Says that there is something new: once this transaction is committed, and never where it is rolled back; outside of
   * one, at once. Who hears it is the topic's: this process, which costs nothing, or all of them.
   */
  announce<What>(topic: Topic<What>, what?: What): Promise<void>;
}

/** The whole database, which its opener closes. */
export interface Database extends Db {
  /** What this process asked of it since it was opened. */
  readonly tally: Readonly<Tally>;
  /**
   * Calls `hear` at each announcement of `topic`: a hint, and never the only way. It begins what it does, and nobody
   * waits for the end.
   */
  hear<What>(topic: Topic<What>, hear: (what: What | undefined) => void): Hearing;
  /** Connections to PostgreSQL, and how many statements and transactions wait for one; undefined on PGlite. */
  connections(): Connections | undefined;
  close(): Promise<void>;
}

/**
 * Lets one transaction at a time go on with `what` (an account, an address) and makes the others wait for its end.
 * Taken before any row, so that nobody who waits for a row holds the turn of another.
 */
export async function takeTurn(open: Db, what: string): Promise<void> {
  await open.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [what]);
}

/**
 * The same as a condition of a statement that does what follows, too: SQL that is true once the turn of `what` has come.
 * A row that the statement then goes by is locked or changed by it: it saw the table before it waited.
 */
export const turnTaken = (what: string): string =>
  `(SELECT pg_advisory_xact_lock(hashtextextended(${what}, 0))) IS NOT NULL`;

/** Whether a text can be the number of a row. PostgreSQL answers any other with a fault, and numbers come from addresses. */
export const isRowNumber = (text: string): boolean =>
  /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

/** Whether JSON may hold what PostgreSQL does not keep: a NUL or half a character, which JSON writes as escapes. */
export const mayBeUnkept = (json: string): boolean => /\\u(?:0000|d[89a-f])/i.test(json);

/** Writes SQL without a connection: for migrations, and for statements whose filters vary. */
export const sql: Knex = knex({ client: 'pg' });

function handle(query: Engine['query'], transaction: Db['transaction'], announce: Db['announce']): Db {
  return {
    query: <Row>(text: string, params: readonly unknown[] = []) =>
      query(text, params, true) as Promise<Answer<Row>>,
    run: <Row>(built: Knex.QueryBuilder | Knex.Raw) => {
      const native = built.toSQL().toNative();
      return query(native.sql, native.bindings, false) as Promise<Answer<Row>>;
    },
    transaction,
    announce,
  };
}

type AnyTopic = Pick<Topic, 'name' | 'everywhere'>;

/** PostgreSQL carries it to all who listen, with the commit of the transaction that said it. */
const sayElsewhere = async (query: Engine['query'], { name, everywhere }: AnyTopic): Promise<void> => {
  if (everywhere) await query('SELECT pg_notify($1, $2)', [channel, name], true);
};

/** Turns an engine into the handle that the house uses. */
export function databaseOf(engine: Engine): Database {
  const inside = new AsyncLocalStorage<true>();
  const hearers = new Map<string, Set<(what: unknown) => void>>();
  const said = (name: string, what?: unknown) => hearers.get(name)?.forEach((hear) => hear(what));
  let listening: Hearing | undefined;
  // What was said while nobody listened is lost: then everybody looks.
  const saidElsewhere = (name: string | undefined) => {
    if (name !== undefined) said(name);
    else for (const each of hearers.keys()) said(each);
  };
  // On PGlite an outer call inside a transaction would wait for itself for ever; here it fails at once, on both.
  const outside = () => {
    if (inside.getStore()) throw new Error('a statement used the outer handle inside a transaction');
  };
  const query: Engine['query'] = (text, params, prepare) => {
    outside();
    return engine.query(text, params, prepare);
  };
  const outer = handle(
    query,
    async (work, pace) => {
      outside();
      const topics = new Map<string, unknown[]>();
      const result = await engine.transaction((inner) => {
        const open: Db = handle(
          inner,
          (joined) => joined(open),
          async (topic, what) => {
            const told = topics.get(topic.name) ?? [];
            // What has nothing to tell is said once, however often it was announced.
            if (told.length === 0 || what !== undefined) told.push(what);
            topics.set(topic.name, told);
            await sayElsewhere(inner, topic);
          },
        );
        return inside.run(true, () => work(open));
      }, pace);
      for (const [name, told] of topics) for (const what of told) said(name, what);
      return result;
    },
    async (topic, what) => {
      await sayElsewhere(query, topic);
      said(topic.name, what);
    },
  );
  return {
    ...outer,
    tally: engine.tally,
    hear(topic, hear) {
      if (topic.everywhere) listening ??= engine.hear?.(saidElsewhere);
      const those = hearers.get(topic.name) ?? new Set();
      const each = hear as (what: unknown) => void;
      hearers.set(topic.name, those.add(each));
      return { stop: async () => void those.delete(each) };
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
function gatheringSocket(): Socket {
  const socket = new Socket();
  const write = socket.write.bind(socket) as (...given: unknown[]) => boolean;
  let held = false;
  socket.write = (...given: unknown[]) => {
    if (!held) {
      held = true;
      socket.cork();
      process.nextTick(() => {
        held = false;
        socket.uncork();
      });
    }
    return write(...given);
  };
  return socket;
}

/** What pg is asked; its types leave out that one question may have a time-out of its own. */
interface Question extends pg.QueryConfig {
  query_timeout?: number;
}
/** Milliseconds; no timer takes more (24 days). */
const longest = 2 ** 31 - 1;

/**
 * What a page out of its order costs, as on any disk without moving parts. By PostgreSQL's own figure, 4, a small table is
 * read from end to end, and goes on being read so by the plans that are kept while it grows.
 */
export const planning = '-c random_page_cost=1.1';

function postgres(url: string, connections: number): Engine {
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
    options: planning,
    // What is asked before an answer has come goes with it, in its order, and one's fault is not another's.
    pipeline: true,
    stream: gatheringSocket,
  });
  // An idle connection that PostgreSQL ends is replaced at the next call; unheard, the event would end the process.
  pool.on('error', () => undefined);
  // The pool hears only its idle connections; one that breaks inside a transaction would end the process likewise.
  pool.on('connect', (client) => client.on('error', () => undefined));
  const names = new Map<string, string>();
  const nameOf = (text: string) => {
    const name = names.get(text) ?? `hemma_${names.size + 1}`;
    names.set(text, name);
    return name;
  };
  const tally: Tally = { statements: 0, roundTrips: 0 };
  const asker = (client: pg.Pool | pg.PoolClient) => {
    let unanswered = 0;
    return async (asked: string | Question) => {
      tally.statements += 1;
      if (client === pool || unanswered === 0) tally.roundTrips += 1;
      unanswered += 1;
      try {
        return await client.query(asked);
      } finally {
        unanswered -= 1;
      }
    };
  };
  const query =
    (ask: ReturnType<typeof asker>, limits: Pick<Question, 'query_timeout'> = {}): Engine['query'] =>
    async (text, params, prepare) => {
      const values = [...params];
      const question = { text, values, ...limits };
      const result = await ask(prepare ? { ...question, name: nameOf(text) } : question);
      return { rows: result.rows, count: result.rowCount ?? 0 };
    };
  return {
    tally,
    query: query(asker(pool)),
    async transaction(work, { unhurried = false } = {}) {
      const client = await pool.connect();
      const ask = asker(client);
      let broken: Error | undefined;
      try {
        // Its answer comes before those of the statements that follow, and a fault of it is theirs as well.
        const begun = ask('BEGIN');
        begun.catch(() => undefined);
        if (unhurried) await ask('SET LOCAL statement_timeout = 0');
        const result = await work(query(ask, unhurried ? { query_timeout: longest } : {}));
        await begun;
        await ask('COMMIT');
        return result;
      } catch (error) {
        // A connection that answers nothing would be waited for once more; it is thrown away as it is.
        if (/read timeout/.test((error as Error).message)) broken = error as Error;
        else
          await ask('ROLLBACK').catch((fault: Error) => {
            broken = fault;
          });
        throw error;
      } finally {
        client.release(broken);
      }
    },
    connections: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    hear: (hear) => hearPostgres(url, hear),
    close: () => pool.end(),
  };
}

/**
 * Opens the database of the settings: PostgreSQL by DATABASE_URL, else the embedded one in the data folder.
 * Throws `DataFolderBusy` when another process serves that folder and `guest` is not set. `watched` stands between the
 * handle and the engine, for whoever counts what is asked.
 */
export async function openDatabase(
  settings: Settings,
  guest = false,
  watched: (engine: Engine) => Engine = (engine) => engine,
): Promise<Database> {
  const engine = settings.DATABASE_URL
    ? failingFast(postgres(settings.DATABASE_URL, settings.HEMMA_DATABASE_POOL))
    : await openDataFolder(settings.HEMMA_DATA, guest);
  return databaseOf(watched(engine));
}
