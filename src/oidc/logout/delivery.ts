import type { Provider } from 'oidc-provider';
import type { Db } from '../../db/database.ts';
import type { ClientDescription } from '../../clients/schema.ts';
import { toClientMetadata } from '../../clients/metadata.ts';
import { findClientById } from '../../clients/clients.ts';
import type { LogoutMessage } from '../../sessions/logout-outbox.ts';
import {
  reserveDueMessages,
  maxPerClient,
  recordDeliveryFailure,
  settleLogoutMessage,
} from '../../sessions/logout-outbox.ts';

/** Sends one logout token. Throws where the application does not answer 200 or 204, and after five seconds. */
export type SendLogoutToken = (
  client: ClientDescription,
  accountId: string,
  sid: string | undefined,
) => Promise<void>;

/** What of the library's client sends the logout token; its types leave it out. */
interface BackchannelClient {
  backchannelLogout: (this: BackchannelClient, accountId: string, sid: string | undefined) => Promise<void>;
}

/**
 * Takes the sending of logout tokens over from the library, which would do it once, within the request that signs out,
 * and make the person wait. The token is still the library's: made at the moment of sending, by the provider's own keys,
 * good for two minutes (OpenID Connect Back-Channel Logout 1.0 §2.4).
 */
export function createLogoutSender(provider: Provider): SendLogoutToken {
  const clients = provider.Client.prototype as unknown as BackchannelClient;
  const { backchannelLogout } = clients;
  clients.backchannelLogout = () => Promise.resolve();
  const Client = provider.Client as unknown as new (metadata: object) => BackchannelClient;
  // Built here and not looked up: one that was switched off or removed meanwhile is told as well.
  return (client, accountId, sid) =>
    backchannelLogout.call(new Client(toClientMetadata(client, new Date())), accountId, sid);
}

const getFailureReason = (fault: unknown): string => {
  const { message, cause } = fault as Error;
  return (cause instanceof Error && cause.message !== '' ? cause.message : message).slice(0, 200);
};

async function deliverLogout(db: Db, send: SendLogoutToken, message: LogoutMessage): Promise<void> {
  const client =
    (message.described as ClientDescription | undefined) ??
    (await findClientById(db, message.clientId))?.client;
  if (!client?.backchannelLogoutUri) return settleLogoutMessage(db, message.id, 'not-told');
  try {
    await send(client, message.accountId, message.sid);
  } catch (fault) {
    return recordDeliveryFailure(db, message, getFailureReason(fault));
  }
  return settleLogoutMessage(db, message.id, 'signed-out');
}

/** Deliveries under way at once in one process. */
const maxConcurrentDeliveries = 200;

/** Delivers what the outbox holds, each message by itself: nobody waits for an application that hangs. */
export interface LogoutDelivery {
  /** Takes up what is due and answers when that is under way, not when it has arrived. */
  turn(): Promise<void>;
  /** Begins nothing more and waits for what is under way: five seconds at the most. */
  stop(): Promise<void>;
}

export function createLogoutDelivery(
  db: Db,
  send: SendLogoutToken,
  onFault: (fault: unknown) => void,
): LogoutDelivery {
  const activeDeliveries = new Map<Promise<void>, string>();
  let stopped = false;
  let turning: Promise<void> | undefined;
  let isRequested = false;
  const listBusyClients = () => {
    const counts = new Map<string, number>();
    for (const id of activeDeliveries.values()) counts.set(id, (counts.get(id) ?? 0) + 1);
    return [...counts].flatMap(([id, count]) => (count >= maxPerClient ? [id] : []));
  };
  const startDelivery = (message: LogoutMessage) => {
    const delivery = deliverLogout(db, send, message)
      .catch(onFault)
      .finally(() => {
        const more =
          activeDeliveries.size >= maxConcurrentDeliveries || listBusyClients().includes(message.clientId);
        activeDeliveries.delete(delivery);
        if (more) void deliverDue();
      });
    activeDeliveries.set(delivery, message.clientId);
  };
  const startDueDeliveries = async () => {
    const limit = maxConcurrentDeliveries - activeDeliveries.size;
    if (stopped || limit <= 0) return;
    for (const message of await reserveDueMessages(db, { limit, except: listBusyClients() }))
      startDelivery(message);
  };
  // One at a time; whoever asks meanwhile is answered by one more afterwards.
  const deliverDue = async (): Promise<void> => {
    isRequested = true;
    turning ??= (async () => {
      while (isRequested) {
        isRequested = false;
        await startDueDeliveries().catch(onFault);
      }
      turning = undefined;
    })();
    await turning;
  };
  return {
    turn: deliverDue,
    async stop() {
      stopped = true;
      await turning;
      await Promise.all(activeDeliveries.keys());
    },
  };
}
