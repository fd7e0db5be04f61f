/** Runs once after every test file: ends the PostgreSQL of the run and removes what the run left in its folder. */
import { rm } from 'node:fs/promises';
import type { Postgres } from './postgres.ts';

export default async function afterAll(): Promise<void> {
  const postgres = Reflect.get(globalThis, 'rigPostgres') as Postgres | undefined;
  await postgres?.stop();
  await rm(process.env['RIG_FOLDER'] ?? '', { recursive: true, force: true });
}
