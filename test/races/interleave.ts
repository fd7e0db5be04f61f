/** Forces an order on two requests: a transaction of the test holds what both need, and lets go when both wait. */
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';

export interface Held {
  /** Ends the transaction; whoever waited goes on, first come first served. */
  release(): Promise<void>;
}

const held = new Set<Held>();

/** Lets go of whatever a failed test still holds; call it in `afterEach` of every file that holds anything. */
export async function releaseAll(): Promise<void> {
  await Promise.all([...held].map((one) => one.release()));
}

/** Runs a locking statement in a transaction that stays open. */
export async function hold(databaseUrl: string, statement: string): Promise<Held> {
  const client = new Client({ connectionString: databaseUrl });
  // A connection that breaks while it holds something is the test's own doing.
  client.on('error', () => undefined);
  await client.connect();
  await client.query('BEGIN');
  await client.query(statement);
  const one: Held = {
    async release() {
      if (held.delete(one)) await client.end();
    },
  };
  held.add(one);
  return one;
}

/** Returns once at least so many connections of this database wait for a lock; throws after ten seconds. */
export const untilWaiting = (databaseUrl: string, count: number): Promise<void> =>
  until(databaseUrl, (waiting) => waiting >= count, `${count} requests wait for a lock`);

/** Returns once nobody waits for a lock any more; throws after ten seconds. */
export const untilNoneWaits = (databaseUrl: string): Promise<void> =>
  until(databaseUrl, (waiting) => waiting === 0, 'nobody waits for a lock');

async function until(databaseUrl: string, enough: (waiting: number) => boolean, what: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    let seen = 0;
    for (let turn = 0; turn < 400; turn++) {
      const { rows } = await client.query<{ waiting: string }>(
        `SELECT count(*) AS waiting FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      seen = Number(rows[0]?.waiting);
      if (enough(seen)) return;
      await wait(25);
    }
    throw new Error(`not so within ten seconds: ${what}; there are ${seen}`);
  } finally {
    await client.end();
  }
}
