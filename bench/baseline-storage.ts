/**
 * Hemma's storage under the measure of the rest: one unit of work for each request, on PostgreSQL, and nothing else of the
 * house. What it costs is what storing costs; what Hemma costs besides is what else it does.
 */
import type { Middleware } from 'koa';
import type { Adapter } from 'oidc-provider';
import { readSettings } from '../config/settings.ts';
import { migrate } from '../migrations/index.ts';
import { getCookieNames } from '../src/oidc/cookie-names.ts';
import { createUnitOfWork } from '../src/oidc/storage/unit-of-work.ts';
import type { Database } from '../src/db/database.ts';
import { openDatabase } from '../src/db/database.ts';

export interface BaselineStorage {
  middleware: Middleware;
  adapter(model: string): Adapter;
  tally: Database['tally'];
  close(): Promise<void>;
}

/** The storage in the database that the environment's DATABASE_URL names, which is made ready. */
export async function openBaselineStorage(env: NodeJS.ProcessEnv): Promise<BaselineStorage> {
  const read = readSettings(env);
  if ('faults' in read) throw new Error(read.faults.join('\n'));
  const db = await openDatabase(read.settings);
  await migrate(db);
  const requestUnitOfWork = createUnitOfWork(db, getCookieNames({ development: true }), (fault) => {
    process.stderr.write(`${String(fault)}\n`);
  });
  return { ...requestUnitOfWork, tally: db.tally, close: () => db.close() };
}
