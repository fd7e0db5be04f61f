import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  symlinkSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { PGlite } from '@electric-sql/pglite';
import type { Engine, QueryStats } from './engine.ts';
import { notificationChannel } from './notifications.ts';

/**
 * The embedded database: PGlite in a folder of ours. PGlite has no lock of its own and two processes would
 * silently lose rows, so the folder has a lock file with the owner's process id; and while the owner runs, the
 * command line reaches the database through a socket in the folder that only the folder's owner may open.
 */
export class DataFolderLockedError extends Error {}

/** The folder cannot be made or written. */
export class DataFolderUnusableError extends Error {}

const isProcessAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (fault) {
    return (fault as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** Takes the lock file by exclusive creation; a lock whose process is gone is removed once and taken anew. */
function acquireFileLock(file: string): void {
  for (const attempt of [1, 2]) {
    try {
      const lock = openSync(file, 'wx', 0o600);
      writeSync(lock, String(process.pid));
      closeSync(lock);
      return;
    } catch (fault) {
      const { code, message } = fault as NodeJS.ErrnoException;
      if (code !== 'EEXIST') throw new DataFolderUnusableError(message);
      const owner = Number(readFileSync(file, 'utf8'));
      if (attempt === 2 || owner === process.pid || (owner > 0 && isProcessAlive(owner))) {
        throw new DataFolderLockedError(`process ${owner} already uses ${file}`);
      }
      rmSync(file, { force: true });
    }
  }
}

function createPgliteEngine(database: PGlite): Engine {
  type Runner = Pick<PGlite, 'query'>;
  const stats: QueryStats = { statements: 0, roundTrips: 0 };
  const createQuery =
    (runner: Runner): Engine['query'] =>
    async (text, params) => {
      stats.statements += 1;
      stats.roundTrips += 1;
      const result = await runner.query(text, [...params]);
      return { rows: result.rows, count: result.affectedRows || result.rows.length };
    };
  return {
    tally: stats,
    query: createQuery(database),
    transaction: (work) => database.transaction((open) => work(createQuery(open as Runner))),
    hear(listener) {
      const listening = database.listen(notificationChannel, listener).catch(() => undefined);
      return { stop: async () => (await listening)?.() };
    },
    close: () => database.close(),
  };
}

// What goes over the socket: length, then a value in Node's own structured format (dates and bytes survive).
type SocketRequest = { sql: string; params: unknown[] } | 'begin' | 'commit' | 'rollback';
type SocketResponse = { answer: { rows: unknown[]; count: number } } | { fault: string; code?: string };

function sendMessage(socket: Socket, value: SocketRequest | SocketResponse): void {
  const body = serialize(value);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  socket.write(Buffer.concat([head, body]));
}

async function* readMessages<T>(socket: Socket): AsyncGenerator<T> {
  let buffer = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    buffer = Buffer.concat([buffer, chunk]);
    while (buffer.length >= 4 && buffer.length >= 4 + buffer.readUInt32BE()) {
      const end = 4 + buffer.readUInt32BE();
      yield deserialize(buffer.subarray(4, end)) as T;
      buffer = buffer.subarray(end);
    }
  }
}

const emptyResponse: SocketResponse = { answer: { rows: [], count: 0 } };

/** Answers one guest until it hangs up; a transaction that it left open is rolled back. */
async function serveAttachedProcess(engine: Engine, socket: Socket): Promise<void> {
  const requests = readMessages<SocketRequest>(socket);
  const respond = async (query: Engine['query'], request: Exclude<SocketRequest, string>) => {
    try {
      sendMessage(socket, { answer: await query(request.sql, request.params, false) });
    } catch (fault) {
      const { message, code } = fault as Error & { code?: string };
      sendMessage(socket, { fault: message, ...(code ? { code } : {}) });
    }
  };
  const transaction = async (query: Engine['query']) => {
    sendMessage(socket, emptyResponse);
    for (let next = await requests.next(); !next.done; next = await requests.next()) {
      if (next.value === 'commit') return;
      if (typeof next.value === 'string') break;
      await respond(query, next.value);
    }
    throw new Error('rolled back by the guest');
  };
  for (let next = await requests.next(); !next.done; next = await requests.next()) {
    if (typeof next.value !== 'string')
      await respond((sql, params, prepare) => engine.query(sql, params, prepare), next.value);
    else {
      await engine.transaction(transaction).catch(() => undefined);
      if (socket.writable) sendMessage(socket, emptyResponse);
    }
  }
}

async function listenOnSocket(engine: Engine, path: string): Promise<Server> {
  rmSync(path, { force: true });
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    serveAttachedProcess(engine, socket).catch(() => socket.destroy());
  });
  // The socket is created under a mask, not opened first and closed to others later.
  const mask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
  } finally {
    process.umask(mask);
  }
  return server.unref();
}

/**
 * A socket's address holds some hundred bytes and folders lie deeper than that: it is bound and found through a
 * link with a short name, which is gone again at once. The socket itself lies in the data folder either way.
 */
async function withShortSocketPath<T>(path: string, use: (path: string) => Promise<T>): Promise<T> {
  if (Buffer.byteLength(path) < 100) return use(path);
  const tempFolder = mkdtempSync(join(tmpdir(), 'hemma-'));
  try {
    symlinkSync(dirname(path), join(tempFolder, 'data'));
    return await use(join(tempFolder, 'data', basename(path)));
  } finally {
    rmSync(tempFolder, { recursive: true });
  }
}

/** A guest of the process that serves the folder: the same engine, spoken over its socket. */
async function attachToSocket(path: string): Promise<Engine> {
  const socket = connect(path);
  await new Promise<void>((resolve, reject) => socket.once('error', reject).once('connect', resolve));
  const replies = readMessages<SocketResponse>(socket);
  const sendRequest = async (request: SocketRequest) => {
    sendMessage(socket, request);
    const next = await replies.next();
    if (next.done) throw new Error('the provider hung up');
    if ('fault' in next.value) throw Object.assign(new Error(next.value.fault), { code: next.value.code });
    return next.value.answer;
  };
  // One conversation on one socket: statements wait their turn.
  let previous: Promise<unknown> = Promise.resolve();
  const serialize = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = previous.then(work, work);
    previous = turn.catch(() => undefined);
    return turn;
  };
  const query: Engine['query'] = (sql, params) => sendRequest({ sql, params: [...params] });
  return {
    // The process that serves the folder counts.
    tally: { statements: 0, roundTrips: 0 },
    query: (sql, params, prepare) => serialize(() => query(sql, params, prepare)),
    transaction: (work) =>
      serialize(async () => {
        await sendRequest('begin');
        try {
          const result = await work(query);
          await sendRequest('commit');
          return result;
        } catch (fault) {
          await sendRequest('rollback');
          throw fault;
        }
      }),
    close: async () => void socket.end(),
  };
}

/**
 * Opens the embedded database in `folder` (made when missing). A guest (the command line) goes through the
 * socket of the process that serves the folder, or opens it alone when none does.
 */
export async function openDataFolder(folder: string, attach: boolean): Promise<Engine> {
  const path = (name: string) => join(resolve(folder), name);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (fault) {
    throw new DataFolderUnusableError((fault as Error).message);
  }
  try {
    acquireFileLock(path('lock'));
  } catch (fault) {
    if (attach && fault instanceof DataFolderLockedError) {
      // Another command has the folder for itself at the moment: nobody answers, and the first fault says it best.
      return withShortSocketPath(path('socket'), attachToSocket).catch(() => Promise.reject(fault));
    }
    throw fault;
  }
  // Loaded here, since a process on PostgreSQL never needs it.
  const { PGlite } = await import('@electric-sql/pglite');
  // int8 as a number and bytea as a Buffer, as pg gives them.
  const parsers = { 20: Number, 17: (hex: string) => Buffer.from(hex.slice(2), 'hex') };
  const engine = createPgliteEngine(await PGlite.create({ dataDir: path('pglite'), parsers }));
  const server = attach
    ? undefined
    : await withShortSocketPath(path('socket'), (socket) => listenOnSocket(engine, socket));
  return {
    ...engine,
    async close() {
      server?.close();
      await engine.close();
      rmSync(path('socket'), { force: true });
      rmSync(path('lock'), { force: true });
    },
  };
}
