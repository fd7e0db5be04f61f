import { formatDateTime } from '../../src/i18n/phrases.ts';
import type { Phrases } from '../../src/i18n/sv.ts';
import type { AuditEventType } from '../../src/audit/audit-log.ts';
import { auditEventTypes, findAuditEvents } from '../../src/audit/audit-log.ts';
import type { Db } from '../../src/db/database.ts';
import type { MyDetailsPageProps } from './sections.tsx';
import { AccountSection } from './sections.tsx';

/** What is recorded for operators and tells a person nothing: it goes with a row that is told, or is not about them. */
const hiddenEvents = [
  'account.deleted',
  'account.invitation-sent',
  'group.created',
  'group.renamed',
  'group.removed',
  'group.member-added',
  'group.member-removed',
  'bootstrap.token-made',
  'bootstrap.refused',
  'audit.exported',
  'accounts.imported',
  'accounts.exported',
  'totp.right',
  'device.recognised',
  'device.wrong-code',
  'sign-in.refused',
  'sign-out.application-failed',
  'token.issued',
  'token.refused',
  'client.applied',
  'client.secret-added',
  'client.secret-removed',
  'client.enabled',
  'client.disabled',
  'client.removed',
  'client.everyone-signed-out',
  'client.trial-begun',
  'client.registered',
  'initial-access-token.created',
  'initial-access-token.revoked',
  'resource-server.created',
  'resource-server.changed',
  'resource-server.removed',
  'claim.defined',
  'claim.changed',
  'claim.removed',
  'account.attributes-changed',
  'keys.made',
  'keys.rotated',
  'keys.withdrawn',
  'keys.removed',
  'help-desk.checked',
  'help-desk.noted',
  'help-desk.refused',
  'help-desk.approval-asked',
  'help-desk.approved',
  'help-desk.stop-refused',
  'request.refused',
] as const satisfies readonly AuditEventType[];

type VisibleEvent = Exclude<AuditEventType, (typeof hiddenEvents)[number]>;

const isVisibleEvent = (event: AuditEventType): event is VisibleEvent =>
  !hiddenEvents.some((one) => one === event);

/** A new event needs a phrase, or a place among the untold: anything else does not compile. */
const eventPhrases = (t: Phrases): Record<VisibleEvent, string> => t.myDetails.events.what;

export type RecentEvent = { id: number; at: Date; event: VisibleEvent; address: string | undefined };

/** The newest of what happened on an account and means something to its person; failed attempts too. */
export async function listRecentEvents(db: Db, userId: string): Promise<RecentEvent[]> {
  const rows = await findAuditEvents(db, {
    accountId: userId,
    events: auditEventTypes.filter(isVisibleEvent),
    limit: 20,
  });
  return rows.flatMap(({ id, at, event, address }) =>
    isVisibleEvent(event) ? [{ id, at, event, address: address ?? undefined }] : [],
  );
}

export function RecentEvents({ frame, events, helpDesk }: MyDetailsPageProps) {
  const t = frame.t.myDetails.events;
  const what = eventPhrases(frame.t);
  return (
    <AccountSection title={t.title} data-section="events">
      <p class="quiet">{t.help(helpDesk)}</p>
      <ul class="rows events">
        {events.map(({ id, at, event, address }) => (
          <li key={id} data-event={event}>
            <p>{what[event]}</p>
            <p class="help">
              <time dateTime={at.toISOString()}>{formatDateTime(frame.locale, at)}</time>
              {address && ` · ${address}`}
            </p>
          </li>
        ))}
      </ul>
    </AccountSection>
  );
}
