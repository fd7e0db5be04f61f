/** Ports of this machine that count the connections and bytes that arrive. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

export interface Listener {
  port: number;
  /** Connections that were accepted so far, on every address. */
  accepted(): number;
  /** Bytes that came in so far. */
  received(): number;
  stop(): Promise<void>;
}

async function listen(host: string, port: number, onSocket: (socket: Socket) => void) {
  const server = createServer(onSocket).listen(port, host);
  await once(server, 'listening');
  return server;
}

/** Listens on 127.0.0.1, and on ::1 with the same port where this machine has IPv6. Answers nothing. */
export async function startListener(): Promise<Listener> {
  let accepted = 0;
  let received = 0;
  const open = new Set<Socket>();
  const note = (socket: Socket) => {
    accepted += 1;
    open.add(socket);
    socket.on('data', (chunk: Buffer) => (received += chunk.length));
    socket.on('error', () => undefined);
    socket.on('close', () => open.delete(socket));
  };
  const first = await listen('127.0.0.1', 0, note);
  const { port } = first.address() as AddressInfo;
  const second = await listen('::1', port, note).catch(() => undefined);
  const servers: Server[] = second ? [first, second] : [first];
  return {
    port,
    accepted: () => accepted,
    received: () => received,
    async stop() {
      for (const socket of open) socket.destroy();
      await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
    },
  };
}
