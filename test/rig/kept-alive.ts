/**
 * Connections that are used again, as a browser does: a new one for each request was a tenth of what a test costs.
 * Only to providers of this very process, whose end is known beforehand: a kept connection would hold one that is told
 * to stop, and a request into one that is gone would fail where a new connection tells the truth.
 */
import { Agent } from 'node:http';

const agents = new Map<string, Agent>();

/** Milliseconds that a connection waits for its next request; the provider would wait five seconds. */
const idle = 1000;

/** From now on requests to a port of this process share connections; the answer ends that, before the provider stops. */
export function keepAlive(port: number): () => void {
  const agent = new Agent({ keepAlive: true, timeout: idle });
  agents.set(String(port), agent);
  return () => {
    agents.delete(String(port));
    // What still waits for its answer gets it, and is not kept then.
    Reflect.set(agent, 'keepAlive', false);
    for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
  };
}

/** For `agent` of a request to this address. */
export const agentFor = ({ protocol, port }: URL): Agent | false =>
  (protocol === 'http:' && agents.get(port)) || false;
