import type { Context } from 'koa';
import type { User } from '../../src/users/users.ts';
import { serializeAttributes, findAttributes } from '../../src/users/attributes.ts';
import { listClaims } from '../../src/users/claim-definitions.ts';
import { listDevices } from '../../src/users/devices.ts';
import { listUserGroups } from '../../src/users/groups.ts';
import { findActiveRecoveryCode } from '../../src/mfa/recovery-code.ts';
import { dataDownloadedMail } from '../../src/mail/templates/sign-in.ts';
import { listUserCases } from '../../src/help-desk/cases.ts';
import { listCodeSends } from '../../src/help-desk/help-desk-code.ts';
import { findAuthenticator } from '../../src/mfa/totp.ts';
import { listConnectedApplications } from '../../src/oidc/connected-applications.ts';
import { listActiveSessions } from '../../src/sessions/records.ts';
import type { AuditRow } from '../../src/audit/audit-log.ts';
import { recordAuditEvent, findAuditEvents } from '../../src/audit/audit-log.ts';
import type { Db } from '../../src/db/database.ts';
import { Form, SecondaryButton } from '../ui/form.tsx';
import { resolveLocale } from '../ui/frame.ts';
import { phrasesFor } from '../../src/i18n/phrases.ts';
import type { AppContext } from '../../src/context.ts';
import type { AccountSession } from './account-session.ts';
import { intentUrl } from './account-session.ts';
import type { MyDetailsPageProps } from './sections.tsx';
import { AccountSection } from './sections.tsx';

/** The copy of their data that a person has a right to (GDPR art. 15 and 20). */
export function MyDataSection({ frame, action, token, justInTwoSteps }: MyDetailsPageProps) {
  const t = frame.t.myDetails.data;
  return (
    <AccountSection title={t.title} data-section="data">
      <p class="quiet">{t.help}</p>
      <p class="quiet">{justInTwoSteps ? t.now : t.signInFirst}</p>
      <Form action={action} token={token} stays={justInTwoSteps}>
        <SecondaryButton name="download" value="yes" waiting={frame.t.form.waiting}>
          {t.download}
        </SecondaryButton>
      </Form>
    </AccountSection>
  );
}

const pageSize = 1000;

/** All audit rows of an account: as long as they are kept they are its person's to read. */
async function listAllEvents(db: Db, userId: string): Promise<AuditRow[]> {
  const all: AuditRow[] = [];
  let rows: AuditRow[];
  do {
    rows = await findAuditEvents(db, { accountId: userId, before: all.at(-1)?.id, limit: pageSize });
    all.push(...rows);
  } while (rows.length === pageSize);
  return all;
}

/** The person's cases: what was written down and when. Which operator it was is theirs, and no code is kept anywhere. */
async function exportHelpDeskCases(db: Db, userId: string) {
  const all = [];
  for (const one of await listUserCases(db, userId)) {
    const { number, openedAt, openedBy, address, checks, notes, closedAt, outcome } = one;
    all.push({
      number,
      opened: openedAt,
      openedBy: openedBy ? 'help-desk' : 'person',
      address,
      identityChecks: checks.map(({ name, at }) => ({ name, at })),
      notes: notes.map(({ text, at }) => ({ text, at })),
      codesSent: (await listCodeSends(db, one.id)).map(({ at }) => at),
      closed: closedAt,
      outcome,
    });
  }
  return all;
}

/** What is known of a person, in words and times; never a secret, nor what one could be recognised by. */
async function collectUserData({ db, provider, settings }: AppContext, user: User) {
  const authenticator = await findAuthenticator(db, user.id);
  const code = await findActiveRecoveryCode(db, user.id);
  const { id, email, noticeEmail, emailVerified, name, locale, role, createdAt } = user;
  return {
    provider: settings.HEMMA_ISSUER,
    at: new Date(),
    account: { id, email, noticeEmail, emailVerified, name, locale, role, created: createdAt },
    groups: (await listUserGroups(db, id)).map((group) => group.name),
    attributes: serializeAttributes(await listClaims(db), await findAttributes(db, id)),
    twoStepVerification: authenticator && {
      since: authenticator.createdAt,
      lastUsed: authenticator.lastUsedAt,
    },
    recoveryCode: code && { created: code.since, checked: code.checked },
    devices: (await listDevices(db, id)).map((device) => ({
      name: device.label,
      firstSeen: device.firstSeenAt,
      lastSeen: device.lastSeenAt,
      rememberedUntil: device.rememberedUntil,
    })),
    sessions: (await listActiveSessions(db, id)).map(({ signedInAt, place }) => ({
      signedIn: signedInAt,
      device: place?.device,
      address: place?.address,
      lastSeen: place?.at,
    })),
    grants: (await listConnectedApplications(db, provider, id)).map(
      ({ clientId, name: application, since, scopes }) => ({
        clientId,
        application,
        since,
        scopes,
      }),
    ),
    helpDeskCases: await exportHelpDeskCases(db, id),
    events: (await listAllEvents(db, id)).map(({ at, event, client_id: clientId, address }) => ({
      at,
      event,
      clientId,
      address,
    })),
  };
}

/** The sign-in that names what it is for and comes back to where the last button is. */
const downloadIntentUrl = (context: AppContext) =>
  intentUrl(context, 'download_data', { state: 'download-ready' });

/**
 * Hands over the file, to a session that was signed in with two factors within ten minutes; any other signs in anew
 * and comes back to press again: whoever finds an open browser takes nothing away.
 */
export async function downloadUserData(
  context: AppContext,
  ctx: Context,
  resident: AccountSession,
): Promise<void> {
  if (!resident.justInTwoSteps) {
    ctx.status = 303;
    return ctx.redirect(downloadIntentUrl(context));
  }
  const { account: user } = resident;
  const { origin: requestInfo } = ctx.state;
  await context.db.transaction(async (tx) => {
    await recordAuditEvent(tx, { event: 'account.data-downloaded', accountId: user.id, origin: requestInfo });
    await context.post(tx, user, 'data-downloaded', dataDownloadedMail);
  });
  const t = phrasesFor(resolveLocale(context, ctx, { account: user.locale })).myDetails.data;
  ctx.attachment(t.fileName);
  ctx.type = 'json';
  ctx.body = JSON.stringify(await collectUserData(context, user), null, 2);
}
