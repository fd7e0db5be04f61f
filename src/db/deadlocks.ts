import type { Db } from './database.ts';
import type { TransactionOptions } from './engine.ts';

/** How often the loser of a deadlock tries again; each time it finds more rows settled. */
const maxTries = 5;

const codeOf = (fault: unknown): string => (fault as { code?: string }).code ?? '';
const lost = (fault: unknown): boolean => ['40P01', '40001'].includes(codeOf(fault));

/** Nothing more is done in a transaction after a fault (PostgreSQL, `in_failed_sql_transaction`). */
const isOver = (fault: unknown): boolean => codeOf(fault) === '25P02';

/**
 * Runs something again where PostgreSQL ended it in favour of another transaction. Inside a transaction that was open
 * before, nothing can be run again: its opener gets the first fault, and runs all of it again.
 *
 * @param run - What a rollback undoes, and nothing else.
 * @throws What `run` throws: the fifth deadlock, and every other fault at once.
 */
export async function retryOnDeadlock<T>(run: () => Promise<T>): Promise<T> {
  let before: unknown;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run();
    } catch (fault) {
      if (before !== undefined && isOver(fault)) throw before;
      if (!lost(fault) || attempt === maxTries) throw fault;
      before = fault;
    }
  }
}

/** A transaction of its own that locks rows of which requests of other kinds lock some, in an order of theirs. */
export const transactionWithRetry = <T>(
  db: Db,
  work: (open: Db) => Promise<T>,
  pace?: TransactionOptions,
): Promise<T> => retryOnDeadlock(() => db.transaction(work, pace));
