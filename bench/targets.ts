/** What is driven: the library over a Map, Hemma on PostgreSQL and on PGlite, and the hash alone. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Settings } from '../config/settings.ts';
import { readSettings } from '../config/settings.ts';
import { freePort } from '../test/rig/free-port.ts';
import type { Postgres } from '../test/rig/postgres.ts';
import type { QueryStats } from '../src/db/engine.ts';
import { processCpuTime, postgresCpuTime } from './accounting.ts';
import type { TargetAddress } from './driver.ts';
import type { CredentialsByEmail } from './town.ts';
import { baselineCredentials, usersWithPhones } from './town.ts';
import { withDatabase, resetTotpSteps, createFixture } from './fixtures.ts';
import type { BenchProcess } from './messages.ts';
import { startChildProcess } from './messages.ts';
import { postmasterPid, openWalCounter } from './server.ts';

/** What a target has cost so far: microseconds of processor time, what it asked of its database, and bytes of WAL. */
export interface ResourceUsage {
  provider: number;
  postgres: number;
  statements: number;
  roundTrips: number;
  wal: number;
}

export interface BenchTarget {
  address: TargetAddress;
  spent(): Promise<ResourceUsage>;
  /** Makes whatever a round used up good again. */
  refill(): Promise<void>;
  pids: readonly number[];
  stop(): Promise<void>;
}

type TallyProcess = BenchProcess<object, QueryStats>;

export const hashThreads: number = Math.max(1, availableParallelism() - 1);

/** Databases that a child is given settings for: what the rest of them is does not matter there. */
const unusedSecretKey = randomBytes(32).toString('base64url');

/** The library alone: over a Map, or over Hemma's storage in a database of its own. */
export async function startBaseline(database?: BenchHemmaOptions['on']): Promise<BenchTarget> {
  const port = await freePort();
  const host = `localhost:${port}`;
  const env = {
    BENCH_ISSUER: `http://${host}`,
    BENCH_PORT: String(port),
    BENCH_HASH_THREADS: String(hashThreads),
  };
  const there = database ? await databaseUrl(database) : undefined;
  const settings = { HEMMA_ISSUER: `http://${host}`, HEMMA_SECRET_KEYS: unusedSecretKey };
  const child: TallyProcess = await startChildProcess('baseline', {
    ...env,
    ...(there ? { ...settings, DATABASE_URL: there.url } : {}),
  });
  const credentials = Object.fromEntries(usersWithPhones.map((email) => [email, baselineCredentials]));
  return {
    address: { name: database ? 'storage' : 'map', ports: [port], host, pockets: credentials },
    pids: [child.pid],
    spent: async () => ({
      provider: processCpuTime(child.pid),
      postgres: there ? postgresCpuTime(there.postmaster) : 0,
      wal: (await there?.wal.bytes()) ?? 0,
      ...(await child.ask({})),
    }),
    refill: () => Promise.resolve(),
    async stop() {
      await child.stop();
      await there?.wal.end();
    },
  };
}

function readBenchSettings(env: Record<string, string>): Settings {
  const read = readSettings(env);
  if ('faults' in read) throw new Error(read.faults.join('\n'));
  return read.settings;
}

export interface BenchHemmaOptions {
  name: string;
  /** PostgreSQL and the database there; PGlite where undefined. */
  on?: { postgres: Postgres; database: string };
  processes?: number;
  /** The town is there already; its people have this in their pockets. */
  town?: { secretKey: string; pockets: CredentialsByEmail };
}

export interface HemmaTarget extends BenchTarget {
  settings: Settings;
  town: { secretKey: string; pockets: CredentialsByEmail };
}

async function databaseUrl({ postgres, database }: NonNullable<BenchHemmaOptions['on']>) {
  const url = postgres.url(database);
  return { url, postmaster: await postmasterPid(url), wal: await openWalCounter(url) };
}

/** What is there before anything is measured need not survive anything. */
const asyncCommitEnv = (url: string | undefined): Record<string, string> =>
  url ? { DATABASE_URL: `${url}?options=${encodeURIComponent('-c synchronous_commit=off')}` } : {};

/** What the image gives the program (see Dockerfile). */
const nodeFlags = ['--enable-source-maps'];

/** Hemma as one process or several, with the town in its database. */
export async function startBenchHemma(options: BenchHemmaOptions): Promise<HemmaTarget> {
  const { name, on, processes = 1, town } = options;
  const secretKey = town?.secretKey ?? randomBytes(32).toString('base64url');
  const data = on ? undefined : await mkdtemp(join(tmpdir(), 'hemma-bench-'));
  const there = on ? await databaseUrl(on) : undefined;
  const ports: number[] = [];
  for (let number = 0; number < processes; number += 1) ports.push(await freePort());
  const host = `localhost:${ports[0]}`;
  const env = {
    HEMMA_ISSUER: `http://${host}`,
    HEMMA_SECRET_KEYS: secretKey,
    HEMMA_HASH_THREADS: String(hashThreads),
    ...(there ? { DATABASE_URL: there.url } : { HEMMA_DATA: data ?? '' }),
  };
  const children: TallyProcess[] = [];
  const stop = async () => {
    await Promise.all(children.map((child) => child.stop()));
    await there?.wal.end();
    if (data) await rm(data, { recursive: true, force: true });
  };
  try {
    for (const port of ports)
      children.push(await startChildProcess('hemma', { ...env, HEMMA_PORT: String(port) }, nodeFlags));
    const settings = readBenchSettings(env);
    const credentials =
      town?.pockets ??
      (await withDatabase(readBenchSettings({ ...env, ...asyncCommitEnv(there?.url) }), createFixture));
    return {
      address: { name, ports, host, pockets: credentials },
      settings,
      town: { secretKey, pockets: credentials },
      pids: children.map(({ pid }) => pid),
      async spent() {
        const wal = (await there?.wal.bytes()) ?? 0;
        const postgres = there ? postgresCpuTime(there.postmaster) : 0;
        const tallies = await Promise.all(children.map((child) => child.ask({})));
        return {
          provider: children.reduce((sum, { pid }) => sum + processCpuTime(pid), 0),
          postgres,
          statements: tallies.reduce((sum, { statements }) => sum + statements, 0),
          roundTrips: tallies.reduce((sum, { roundTrips }) => sum + roundTrips, 0),
          wal,
        };
      },
      refill: () => withDatabase(settings, resetTotpSteps),
      stop,
    };
  } catch (fault) {
    await stop();
    throw fault;
  }
}
