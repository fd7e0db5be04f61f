import type { Provider } from 'oidc-provider';
import type { Aftermath } from '../platform/aftermath.ts';
import type { Origin } from '../platform/audit.ts';
import { audit } from '../platform/audit.ts';
import type { Db } from '../platform/database.ts';
import type { EndedSession } from './records.ts';
import { endEverythingOf, endOtherSessions, endSessions } from './records.ts';

/** What of the library's client sends the logout token; its types leave it out. */
interface ToldClient {
  backchannelLogoutUri?: string | undefined;
  backchannelLogout(accountId: string, sid: string | undefined): Promise<void>;
}

/** Who ends sessions, and which: the one with the public number `only`, or all but `except`. */
export interface Ending {
  accountId: string;
  which: { only: string } | { except: string };
  origin: Origin;
}

async function tell(
  db: Db,
  provider: Provider,
  { accountId, origin }: { accountId: string; origin?: Origin | undefined },
  ended: EndedSession[],
) {
  const telling = ended.flat().map(async ({ clientId, sid }) => {
    const client = (await provider.Client.find(clientId)) as unknown as ToldClient | undefined;
    if (!client?.backchannelLogoutUri) return;
    // An application that does not answer within the library's 2.5 seconds is written down, as at any sign-out.
    await client.backchannelLogout(accountId, sid).catch((fault: Error) =>
      audit(db, {
        event: 'sign-out.application-failed',
        accountId,
        origin,
        detail: { application: clientId, reason: fault.message.slice(0, 200) },
      }),
    );
  });
  await Promise.all(telling);
}

/**
 * Ends sessions of a person's own and tells the applications that were signed in through them (OpenID Connect
 * Back-Channel Logout 1.0 §2.3). Another person's session is none of this account's and stays. Answers how many ended.
 */
export function endOwnSessions(db: Db, provider: Provider, ending: Ending): Promise<number> {
  const { accountId, which, origin } = ending;
  return db.transaction(async (open) => {
    const gone = await endSessions(open, accountId, which);
    if (gone.length > 0) {
      await audit(open, { event: 'session.ended', accountId, origin, detail: { sessions: gone.length } });
    }
    await open.committed(() => tell(db, provider, ending, gone));
    return gone.length;
  });
}

/**
 * How a change of factors or of the password ends sessions: in its own transaction, and the applications are told once
 * that is committed. One that hangs is waited for as long as at any sign-out, and holds no transaction meanwhile.
 */
export const endings = (
  db: Db,
  provider: Provider,
): Pick<Aftermath, 'endOtherSessions' | 'endEverything'> => ({
  async endOtherSessions(open, { kept, ...whose }) {
    const ended = await endOtherSessions(open, whose.accountId, kept);
    await open.committed(() => tell(db, provider, whose, ended));
  },
  async endEverything(open, whose) {
    const ended = await endEverythingOf(open, whose.accountId);
    await open.committed(() => tell(db, provider, whose, ended));
  },
});

/** The same for a shell, which has no provider that could tell applications. */
export const endEverythingSilently: Pick<Aftermath, 'endEverything'> = {
  async endEverything(open, { accountId }) {
    await endEverythingOf(open, accountId);
  },
};
