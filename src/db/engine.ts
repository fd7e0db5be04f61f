import type { Subscription } from './notifications.ts';

/** The rows that a statement gave back, and how many rows it touched. */
export interface QueryResult<Row> {
  rows: Row[];
  count: number;
}

/** What was asked of a database since it was opened: statements, BEGIN and COMMIT among them, and journeys there and back. */
export interface QueryStats {
  statements: number;
  roundTrips: number;
}

/** `unhurried`: its statements have as long as they need, where an engine has a time-out for others. */
export interface TransactionOptions {
  unhurried?: boolean;
}

/** Connections that are open, those of them that nobody uses, and how many wait for one. */
export interface PoolStats {
  total: number;
  idle: number;
  waiting: number;
}

/** What an engine must be able to do: pg, PGlite and the socket of a running process each do it their way. */
export interface Engine {
  query(sql: string, params: readonly unknown[], prepare: boolean): Promise<QueryResult<unknown>>;
  transaction<T>(work: (query: Engine['query']) => Promise<T>, options?: TransactionOptions): Promise<T>;
  readonly tally: QueryStats;
  /** An engine without a pool has none. */
  connections?(): PoolStats;
  /**
   * Hears the names of topics that are announced everywhere, and undefined when some may have been missed; a guest of
   * another process hears nothing.
   */
  hear?(listener: (name: string | undefined) => void): Subscription;
  close(): Promise<void>;
}
