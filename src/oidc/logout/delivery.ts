import type { Provider } from 'oidc-provider';
import type { Db } from '../../db/database.ts';
import type { ClientDescription } from '../../clients/schema.ts';
import { protocolMetadata } from '../../clients/metadata.ts';
import { clientById } from '../../clients/clients.ts';
import type { LogoutMessage } from '../../sessions/logout-outbox.ts';
import { claimDue, mostOfOne, noteFailure, settle } from '../../sessions/logout-outbox.ts';

/** Sends one logout token. Throws where the application does not answer 200 or 204, and after five seconds. */
export type SendLogout = (
  client: ClientDescription,
  accountId: string,
  sid: string | undefined,
) => Promise<void>;

/** What of the library's client sends the logout token; its types leave it out. */
interface Telling {
  backchannelLogout: (this: Telling, accountId: string, sid: string | undefined) => Promise<void>;
}

/**
 * Takes the sending of logout tokens over from the library, which would do it once, within the request that signs out,
 * and make the person wait. The token is still the library's: made at the moment of sending, by the provider's own keys,
 * good for two minutes (OpenID Connect Back-Channel Logout 1.0 §2.4).
 */
export function takeOverSending(provider: Provider): SendLogout {
  const clients = provider.Client.prototype as unknown as Telling;
  const { backchannelLogout } = clients;
  clients.backchannelLogout = () => Promise.resolve();
  const Client = provider.Client as unknown as new (metadata: object) => Telling;
  // Built here and not looked up: one that was switched off or removed meanwhile is told as well.
  return (client, accountId, sid) =>
    backchannelLogout.call(new Client(protocolMetadata(client, new Date())), accountId, sid);
}

const reasonOf = (fault: unknown): string => {
  const { message, cause } = fault as Error;
  return (cause instanceof Error && cause.message !== '' ? cause.message : message).slice(0, 200);
};

async function deliver(db: Db, send: SendLogout, message: LogoutMessage): Promise<void> {
  const client =
    (message.described as ClientDescription | undefined) ?? (await clientById(db, message.clientId))?.client;
  if (!client?.backchannelLogoutUri) return settle(db, message.id, 'not-told');
  try {
    await send(client, message.accountId, message.sid);
  } catch (fault) {
    return noteFailure(db, message, reasonOf(fault));
  }
  return settle(db, message.id, 'signed-out');
}

/** Deliveries under way at once in one process. */
const most = 200;

/** Delivers what the outbox holds, each message by itself: nobody waits for an application that hangs. */
export interface LogoutDelivery {
  /** Takes up what is due and answers when that is under way, not when it has arrived. */
  turn(): Promise<void>;
  /** Begins nothing more and waits for what is under way: five seconds at the most. */
  stop(): Promise<void>;
}

export function logoutDelivery(db: Db, send: SendLogout, onFault: (fault: unknown) => void): LogoutDelivery {
  const underWay = new Map<Promise<void>, string>();
  let stopped = false;
  let turning: Promise<void> | undefined;
  let asked = false;
  const full = () => {
    const counts = new Map<string, number>();
    for (const id of underWay.values()) counts.set(id, (counts.get(id) ?? 0) + 1);
    return [...counts].flatMap(([id, count]) => (count >= mostOfOne ? [id] : []));
  };
  const begin = (message: LogoutMessage) => {
    const delivery = deliver(db, send, message)
      .catch(onFault)
      .finally(() => {
        const more = underWay.size >= most || full().includes(message.clientId);
        underWay.delete(delivery);
        if (more) void turn();
      });
    underWay.set(delivery, message.clientId);
  };
  const takeUp = async () => {
    const limit = most - underWay.size;
    if (stopped || limit <= 0) return;
    for (const message of await claimDue(db, { limit, except: full() })) begin(message);
  };
  // One at a time; whoever asks meanwhile is answered by one more afterwards.
  const turn = async (): Promise<void> => {
    asked = true;
    turning ??= (async () => {
      while (asked) {
        asked = false;
        await takeUp().catch(onFault);
      }
      turning = undefined;
    })();
    await turning;
  };
  return {
    turn,
    async stop() {
      stopped = true;
      await turning;
      await Promise.all(underWay.keys());
    },
  };
}
