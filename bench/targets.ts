/** What is driven: the library over a Map, Hemma on PostgreSQL and on PGlite, and the hash alone. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Settings } from '../config/settings.ts';
import { readSettings } from '../config/settings.ts';
import { freePort } from '../test/rig/free-port.ts';
import type { Postgres } from '../test/rig/postgres.ts';
import type { Tally } from '../src/db/engine.ts';
import { cpuOf, cpuOfPostgres } from './accounting.ts';
import type { Address } from './driver.ts';
import type { Pockets } from './town.ts';
import { baselineKept, withPhones } from './town.ts';
import { beside, forgetDigits, makeTown } from './fixtures.ts';
import type { Child } from './messages.ts';
import { startChild } from './messages.ts';
import { postmasterOf, walOf } from './server.ts';

/** What a target has cost so far: microseconds of processor time, what it asked of its database, and bytes of WAL. */
export interface Spent {
  provider: number;
  postgres: number;
  statements: number;
  roundTrips: number;
  wal: number;
}

export interface Target {
  address: Address;
  spent(): Promise<Spent>;
  /** Makes whatever a round used up good again. */
  refill(): Promise<void>;
  pids: readonly number[];
  stop(): Promise<void>;
}

type Told = Child<object, Tally>;

export const hashThreads: number = Math.max(1, availableParallelism() - 1);

/** Databases that a child is given settings for: what the rest of them is does not matter there. */
const keyOfNothing = randomBytes(32).toString('base64url');

/** The library alone: over a Map, or over Hemma's storage in a database of its own. */
export async function startBaseline(on?: HemmaOptions['on']): Promise<Target> {
  const port = await freePort();
  const host = `localhost:${port}`;
  const env = {
    BENCH_ISSUER: `http://${host}`,
    BENCH_PORT: String(port),
    BENCH_HASH_THREADS: String(hashThreads),
  };
  const there = on ? await urlOf(on) : undefined;
  const settings = { HEMMA_ISSUER: `http://${host}`, HEMMA_SECRET_KEYS: keyOfNothing };
  const child: Told = await startChild('baseline', {
    ...env,
    ...(there ? { ...settings, DATABASE_URL: there.url } : {}),
  });
  const pockets = Object.fromEntries(withPhones.map((email) => [email, baselineKept]));
  return {
    address: { name: on ? 'storage' : 'map', ports: [port], host, pockets },
    pids: [child.pid],
    spent: async () => ({
      provider: cpuOf(child.pid),
      postgres: there ? cpuOfPostgres(there.postmaster) : 0,
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

function settingsOf(env: Record<string, string>): Settings {
  const read = readSettings(env);
  if ('faults' in read) throw new Error(read.faults.join('\n'));
  return read.settings;
}

export interface HemmaOptions {
  name: string;
  /** PostgreSQL and the database there; PGlite where undefined. */
  on?: { postgres: Postgres; database: string };
  processes?: number;
  /** The town is there already; its people have this in their pockets. */
  town?: { secretKey: string; pockets: Pockets };
}

export interface HemmaTarget extends Target {
  settings: Settings;
  town: { secretKey: string; pockets: Pockets };
}

async function urlOf({ postgres, database }: NonNullable<HemmaOptions['on']>) {
  const url = postgres.url(database);
  return { url, postmaster: await postmasterOf(url), wal: await walOf(url) };
}

/** What is there before anything is measured need not survive anything. */
const hasty = (url: string | undefined): Record<string, string> =>
  url ? { DATABASE_URL: `${url}?options=${encodeURIComponent('-c synchronous_commit=off')}` } : {};

/** What the image gives the program (see Dockerfile). */
const asDeployed = ['--enable-source-maps'];

/** Hemma as one process or several, with the town in its database. */
export async function startHemma(options: HemmaOptions): Promise<HemmaTarget> {
  const { name, on, processes = 1, town } = options;
  const secretKey = town?.secretKey ?? randomBytes(32).toString('base64url');
  const data = on ? undefined : await mkdtemp(join(tmpdir(), 'hemma-bench-'));
  const there = on ? await urlOf(on) : undefined;
  const ports: number[] = [];
  for (let number = 0; number < processes; number += 1) ports.push(await freePort());
  const host = `localhost:${ports[0]}`;
  const env = {
    HEMMA_ISSUER: `http://${host}`,
    HEMMA_SECRET_KEYS: secretKey,
    HEMMA_HASH_THREADS: String(hashThreads),
    ...(there ? { DATABASE_URL: there.url } : { HEMMA_DATA: data ?? '' }),
  };
  const children: Told[] = [];
  const stop = async () => {
    await Promise.all(children.map((child) => child.stop()));
    await there?.wal.end();
    if (data) await rm(data, { recursive: true, force: true });
  };
  try {
    for (const port of ports)
      children.push(await startChild('hemma', { ...env, HEMMA_PORT: String(port) }, asDeployed));
    const settings = settingsOf(env);
    const pockets = town?.pockets ?? (await beside(settingsOf({ ...env, ...hasty(there?.url) }), makeTown));
    return {
      address: { name, ports, host, pockets },
      settings,
      town: { secretKey, pockets },
      pids: children.map(({ pid }) => pid),
      async spent() {
        const wal = (await there?.wal.bytes()) ?? 0;
        const postgres = there ? cpuOfPostgres(there.postmaster) : 0;
        const tallies = await Promise.all(children.map((child) => child.ask({})));
        return {
          provider: children.reduce((sum, { pid }) => sum + cpuOf(pid), 0),
          postgres,
          statements: tallies.reduce((sum, { statements }) => sum + statements, 0),
          roundTrips: tallies.reduce((sum, { roundTrips }) => sum + roundTrips, 0),
          wal,
        };
      },
      refill: () => beside(settings, forgetDigits),
      stop,
    };
  } catch (fault) {
    await stop();
    throw fault;
  }
}
