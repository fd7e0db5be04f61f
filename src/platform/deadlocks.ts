import type { Db } from './database.ts';

/** How often the loser of a deadlock tries again; each time it finds more rows settled. */
const maxTries = 5;

const lost = (fault: unknown): boolean =>
  ['40P01', '40001'].includes((fault as { code?: string }).code ?? '');

/**
 * Runs something again where PostgreSQL ended it in favour of another transaction.
 *
 * @param run - What a rollback undoes, and nothing else.
 * @throws What `run` throws: the fifth deadlock, and every other fault at once.
 */
export async function retryOnDeadlock<T>(run: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run();
    } catch (fault) {
      if (!lost(fault) || attempt === maxTries) throw fault;
    }
  }
}

/** A transaction of its own that locks rows of which requests of other kinds lock some, in an order of theirs. */
export const transactionWithRetry = <T>(db: Db, work: (open: Db) => Promise<T>): Promise<T> =>
  retryOnDeadlock(() => db.transaction(work));
