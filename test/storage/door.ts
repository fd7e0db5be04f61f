/** A door in front of a server (database, mail): open, shut, or open with nobody there. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Door {
  port: number;
  /** Connections that came while nobody was there. */
  unanswered(): number;
  /** Everything passes. */
  open(): void;
  /** Every connection breaks and none is taken. */
  shut(): void;
  /** Connections are taken and stay open, and not a byte goes either way. */
  silence(): void;
  stop(): Promise<void>;
}

export async function startDoor(target: { host: string; port: number }): Promise<Door> {
  const sockets = new Set<Socket>();
  let manner: 'open' | 'shut' | 'silent' = 'open';
  let unanswered = 0;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  };
  const lead = (guest: Socket) => {
    const house = connect(target);
    keep(house);
    guest.on('close', () => house.destroy());
    house.on('close', () => guest.destroy());
    const pass = (to: Socket) => (bytes: Buffer) => void (manner === 'open' && to.write(bytes));
    guest.on('data', pass(house));
    house.on('data', pass(guest));
  };
  const server = createServer((guest) => {
    keep(guest);
    if (manner === 'shut') guest.destroy();
    else if (manner === 'silent') unanswered++;
    else lead(guest);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const breakAll = () => sockets.forEach((socket) => socket.destroy());
  return {
    port: (server.address() as AddressInfo).port,
    unanswered: () => unanswered,
    open() {
      // What hung meanwhile has lost bytes and is of no use to anybody.
      if (manner === 'silent') breakAll();
      manner = 'open';
    },
    shut() {
      manner = 'shut';
      breakAll();
    },
    silence: () => void (manner = 'silent'),
    async stop() {
      breakAll();
      server.close();
      await once(server, 'close');
    },
  };
}
