/**
 * What stands in front of several processes: it hands every connection to the next one, whoever sends it, and to
 * another where the first does not take it. No sticky sessions: whatever works here works on any process.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { isReady } from '../rig/process.ts';

export interface Balancer {
  port: number;
  /** How many connections each process took so far. */
  taken: number[];
  /** Sends everything to one process from now on, or in turn to all again. */
  only(place: number | undefined): void;
  /** Asks each process again and again whether it is ready, and sends nothing more to one that says no; until called off. */
  watch(): () => void;
  /** Whether a connection may go to that process now. */
  sendsTo(place: number): boolean;
  stop(): Promise<void>;
}

/** Milliseconds. */
const looksEvery = 250;

const opened = (port: number): Promise<Socket | undefined> =>
  new Promise((done) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.once('connect', () => done(socket));
    socket.once('error', () => done(undefined));
  });

function join(guest: Socket, house: Socket): void {
  for (const [from, to] of [
    [guest, house],
    [house, guest],
  ] as const) {
    from.on('error', () => to.destroy());
    from.pipe(to);
  }
}

/** `ports` may be filled in later: the balancer's own port is what the processes' issuer is built from. */
export async function startBalancer(ports: readonly number[]): Promise<Balancer> {
  const taken: number[] = [];
  const sockets = new Set<Socket>();
  let next = 0;
  let chosen: number | undefined;
  const unready = new Set<number>();
  const look = async (place: number) => {
    if (await isReady(`http://127.0.0.1:${ports[place] ?? 0}`)) unready.delete(place);
    else unready.add(place);
  };
  const serve = async (guest: Socket) => {
    const first = chosen ?? next++ % ports.length;
    const order =
      chosen === undefined ? ports.map((_port, place) => (first + place) % ports.length) : [first];
    for (const place of order.filter((one) => !unready.has(one))) {
      const house = await opened(ports[place] ?? 0);
      if (!house) continue;
      taken[place] = (taken[place] ?? 0) + 1;
      sockets.add(house);
      join(guest, house);
      return;
    }
    guest.destroy();
  };
  const server = createServer({ allowHalfOpen: true }, (guest) => {
    sockets.add(guest);
    guest.on('error', () => undefined);
    void serve(guest);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    taken,
    only: (place) => void (chosen = place),
    sendsTo: (place) => !unready.has(place),
    watch() {
      const timer = setInterval(() => void Promise.all(ports.map((_port, place) => look(place))), looksEvery);
      return () => {
        clearInterval(timer);
        unready.clear();
      };
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
