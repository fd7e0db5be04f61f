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
import type { Engine, Tally } from './engine.ts';
import { channel } from './notifications.ts';

/**
 * The embedded database: PGlite in a folder of ours. PGlite has no lock of its own and two processes would
 * silently lose rows, so the folder has a lock file with the owner's process id; and while the owner runs, the
 * command line reaches the database through a socket in the folder that only the folder's owner may open.
 */
export class DataFolderBusy extends Error {}

/** The folder cannot be made or written. */
export class DataFolderUnusable extends Error {}

const lives = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (fault) {
    return (fault as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** Takes the lock file by exclusive creation; a lock whose process is gone is removed once and taken anew. */
function takeLock(file: string): void {
  for (const attempt of [1, 2]) {
    try {
      const lock = openSync(file, 'wx', 0o600);
      writeSync(lock, String(process.pid));
      closeSync(lock);
      return;
    } catch (fault) {
      const { code, message } = fault as NodeJS.ErrnoException;
      if (code !== 'EEXIST') throw new DataFolderUnusable(message);
      const owner = Number(readFileSync(file, 'utf8'));
      if (attempt === 2 || owner === process.pid || (owner > 0 && lives(owner))) {
        throw new DataFolderBusy(`process ${owner} already uses ${file}`);
      }
      rmSync(file, { force: true });
    }
  }
}

function embedded(database: PGlite): Engine {
  type Runner = Pick<PGlite, 'query'>;
  const tally: Tally = { statements: 0, roundTrips: 0 };
  const ask =
    (runner: Runner): Engine['query'] =>
    async (text, params) => {
      tally.statements += 1;
      tally.roundTrips += 1;
      const result = await runner.query(text, [...params]);
      return { rows: result.rows, count: result.affectedRows || result.rows.length };
    };
  return {
    tally,
    query: ask(database),
    transaction: (work) => database.transaction((open) => work(ask(open as Runner))),
    hear(hear) {
      const heard = database.listen(channel, hear).catch(() => undefined);
      return { stop: async () => (await heard)?.() };
    },
    close: () => database.close(),
  };
}

// What goes over the socket: length, then a value in Node's own structured format (dates and bytes survive).
type Question = { sql: string; params: unknown[] } | 'begin' | 'commit' | 'rollback';
type Reply = { answer: { rows: unknown[]; count: number } } | { fault: string; code?: string };

function send(socket: Socket, value: Question | Reply): void {
  const body = serialize(value);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  socket.write(Buffer.concat([head, body]));
}

async function* messages<T>(socket: Socket): AsyncGenerator<T> {
  let waiting = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    waiting = Buffer.concat([waiting, chunk]);
    while (waiting.length >= 4 && waiting.length >= 4 + waiting.readUInt32BE()) {
      const end = 4 + waiting.readUInt32BE();
      yield deserialize(waiting.subarray(4, end)) as T;
      waiting = waiting.subarray(end);
    }
  }
}

const done: Reply = { answer: { rows: [], count: 0 } };

/** Answers one guest until it hangs up; a transaction that it left open is rolled back. */
async function serveGuest(engine: Engine, socket: Socket): Promise<void> {
  const questions = messages<Question>(socket);
  const answer = async (query: Engine['query'], question: Exclude<Question, string>) => {
    try {
      send(socket, { answer: await query(question.sql, question.params, false) });
    } catch (fault) {
      const { message, code } = fault as Error & { code?: string };
      send(socket, { fault: message, ...(code ? { code } : {}) });
    }
  };
  const transaction = async (query: Engine['query']) => {
    send(socket, done);
    for (let next = await questions.next(); !next.done; next = await questions.next()) {
      if (next.value === 'commit') return;
      if (typeof next.value === 'string') break;
      await answer(query, next.value);
    }
    throw new Error('rolled back by the guest');
  };
  for (let next = await questions.next(); !next.done; next = await questions.next()) {
    if (typeof next.value !== 'string')
      await answer((sql, params, prepare) => engine.query(sql, params, prepare), next.value);
    else {
      await engine.transaction(transaction).catch(() => undefined);
      if (socket.writable) send(socket, done);
    }
  }
}

async function listen(engine: Engine, path: string): Promise<Server> {
  rmSync(path, { force: true });
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    serveGuest(engine, socket).catch(() => socket.destroy());
  });
  // The socket is created under a mask, not opened first and closed to others later.
  const mask = process.umask(0o177);
  try {
    await new Promise<void>((ready, failed) => server.once('error', failed).listen(path, ready));
  } finally {
    process.umask(mask);
  }
  return server.unref();
}

/**
 * A socket's address holds some hundred bytes and folders lie deeper than that: it is bound and found through a
 * link with a short name, which is gone again at once. The socket itself lies in the data folder either way.
 */
async function nearby<T>(path: string, use: (path: string) => Promise<T>): Promise<T> {
  if (Buffer.byteLength(path) < 100) return use(path);
  const room = mkdtempSync(join(tmpdir(), 'hemma-'));
  try {
    symlinkSync(dirname(path), join(room, 'data'));
    return await use(join(room, 'data', basename(path)));
  } finally {
    rmSync(room, { recursive: true });
  }
}

/** A guest of the process that serves the folder: the same engine, spoken over its socket. */
async function visit(path: string): Promise<Engine> {
  const socket = connect(path);
  await new Promise<void>((ready, failed) => socket.once('error', failed).once('connect', ready));
  const replies = messages<Reply>(socket);
  const ask = async (question: Question) => {
    send(socket, question);
    const next = await replies.next();
    if (next.done) throw new Error('the provider hung up');
    if ('fault' in next.value) throw Object.assign(new Error(next.value.fault), { code: next.value.code });
    return next.value.answer;
  };
  // One conversation on one socket: statements wait their turn.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work, work);
    last = turn.catch(() => undefined);
    return turn;
  };
  const query: Engine['query'] = (sql, params) => ask({ sql, params: [...params] });
  return {
    // The process that serves the folder counts.
    tally: { statements: 0, roundTrips: 0 },
    query: (sql, params, prepare) => inTurn(() => query(sql, params, prepare)),
    transaction: (work) =>
      inTurn(async () => {
        await ask('begin');
        try {
          const result = await work(query);
          await ask('commit');
          return result;
        } catch (fault) {
          await ask('rollback');
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
export async function openDataFolder(folder: string, guest: boolean): Promise<Engine> {
  const path = (name: string) => join(resolve(folder), name);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (fault) {
    throw new DataFolderUnusable((fault as Error).message);
  }
  try {
    takeLock(path('lock'));
  } catch (fault) {
    if (guest && fault instanceof DataFolderBusy) {
      // Another command has the folder for itself at the moment: nobody answers, and the first fault says it best.
      return nearby(path('socket'), visit).catch(() => Promise.reject(fault));
    }
    throw fault;
  }
  // Loaded here, since a process on PostgreSQL never needs it.
  const { PGlite } = await import('@electric-sql/pglite');
  // int8 as a number and bytea as a Buffer, as pg gives them.
  const parsers = { 20: Number, 17: (hex: string) => Buffer.from(hex.slice(2), 'hex') };
  const engine = embedded(await PGlite.create({ dataDir: path('pglite'), parsers }));
  const server = guest ? undefined : await nearby(path('socket'), (socket) => listen(engine, socket));
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
