/**
 * A door to PostgreSQL that reads what goes through (Frontend/Backend Protocol 3.0) and cuts a connection at the two nasty
 * moments of a commit: just before the database hears of it, and just after it was done and before anybody is told.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export type Moment = 'before it is sent' | 'after it was done';

export interface Cutter {
  port: number;
  /** Cuts at the `place`th commit from now on, counted from one. */
  arm(place: number, moment: Moment): void;
  /** Lets everything pass again; answers whether it has cut. */
  disarm(): boolean;
  stop(): Promise<void>;
}

/** One message: its letter and what stands in it. */
interface Message {
  letter: string;
  body: Buffer;
}

/** Takes whole messages off a stream; the first of a client has no letter. */
function reader(first: 'bare' | 'lettered') {
  let kept = Buffer.alloc(0);
  let bare = first === 'bare';
  return (bytes: Buffer): Message[] => {
    kept = Buffer.concat([kept, bytes]);
    const messages: Message[] = [];
    for (;;) {
      const start = bare ? 0 : 1;
      if (kept.length < start + 4) return messages;
      const end = start + kept.readUInt32BE(start);
      if (kept.length < end) return messages;
      const letter = bare ? '' : String.fromCharCode(kept[0] ?? 0);
      messages.push({ letter, body: kept.subarray(start + 4, end) });
      kept = kept.subarray(end);
      bare = false;
    }
  };
}

const words = (body: Buffer): string[] => body.toString('utf8').split('\0');
const writes = /\b(insert\s+into|update|delete\s+from)\s/i;
/** What the chores do on their own, whoever is at the pages, and that a secret was used, which is noted once a minute. */
const chore = /^\s*(insert\s+into|update|delete\s+from)\s+(mails|logout_\w+|client_secrets)\b/i;
/** How a transaction begins in which they remove what has expired. */
const sweeping = /\bpg_try_advisory_xact_lock\b/i;

/** Follows one client: which of its messages make something stay. */
function follower() {
  const texts = new Map<string, string>();
  let bound = '';
  let open = false;
  let swept = false;
  let written: string[] = [];
  let journeys = 0;
  const counts = () => !swept && written.some((text) => !chore.test(text));
  const run = (text: string): boolean => {
    if (/^\s*begin/i.test(text)) {
      open = true;
      swept = false;
      written = [];
      return false;
    }
    if (/^\s*(commit|rollback)/i.test(text)) {
      open = false;
      return /^\s*commit/i.test(text) && counts();
    }
    if (!open) [written, swept] = [[], false];
    if (sweeping.test(text)) swept = true;
    if (writes.test(text)) written.push(text);
    return !open && counts();
  };
  return {
    /** How many answers of the database end with what was sent so far. */
    journeys: () => journeys,
    /** Whether this message is a commit. */
    hear({ letter, body }: Message): boolean {
      if (letter === 'S') journeys += 1;
      if (letter === 'Q') {
        journeys += 1;
        return run(words(body)[0] ?? '');
      }
      const [one = '', two = ''] = words(body.subarray(0, letter === 'P' ? undefined : 200));
      if (letter === 'P') texts.set(one, two);
      if (letter === 'B') bound = texts.get(two) ?? '';
      return letter === 'E' && run(bound);
    },
  };
}

export async function startCutter(target: { host: string; port: number }): Promise<Cutter> {
  const sockets = new Set<Socket>();
  let left = 0;
  let moment: Moment = 'before it is sent';
  let cut = false;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  };
  const lead = (guest: Socket) => {
    const house = connect(target);
    keep(house);
    guest.on('close', () => house.destroy());
    house.on('close', () => guest.destroy());
    const [read, readBack] = [reader('bare'), reader('lettered')];
    const follow = follower();
    let answered = 0;
    /** The answer that nobody is to hear. */
    let secret: number | undefined;
    guest.on('data', (bytes: Buffer) => {
      for (const message of read(bytes)) {
        const commit = follow.hear(message);
        if (!commit || left === 0 || --left > 0) continue;
        cut = true;
        if (moment === 'before it is sent') {
          guest.destroy();
          return;
        }
        // The one of a prepared statement ends with the Sync that follows it.
        secret = follow.journeys() + (message.letter === 'E' ? 1 : 0);
      }
      house.write(bytes);
    });
    house.on('data', (bytes: Buffer) => {
      for (const { letter } of readBack(bytes)) if (letter === 'Z') answered += 1;
      // The first of them ends the greeting.
      if (secret !== undefined && answered - 1 >= secret) guest.destroy();
      else if (secret === undefined || answered - 1 < secret - 1) guest.write(bytes);
    });
  };
  const server = createServer((guest) => {
    keep(guest);
    lead(guest);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    arm(place, when) {
      [left, moment, cut] = [place, when, false];
    },
    disarm() {
      left = 0;
      return cut;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
