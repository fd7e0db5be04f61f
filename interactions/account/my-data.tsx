import type { Context } from 'koa';
import type { Account } from '../../src/users/users.ts';
import { asWritten, attributesOf } from '../../src/users/attributes.ts';
import { listClaims } from '../../src/users/claim-definitions.ts';
import { devicesOf } from '../../src/users/devices.ts';
import { groupsOf } from '../../src/users/groups.ts';
import { liveCode } from '../../src/mfa/recovery-code.ts';
import { dataDownloaded } from '../../src/mail/templates/sign-in.ts';
import { casesOf } from '../../src/help-desk/cases.ts';
import { sendsOf } from '../../src/help-desk/help-desk-code.ts';
import { authenticatorOf } from '../../src/mfa/totp.ts';
import { applicationsOf } from '../../src/oidc/connected-applications.ts';
import { sessionsOf } from '../../src/sessions/records.ts';
import type { AuditRow } from '../../src/audit/audit-log.ts';
import { audit, auditRows } from '../../src/audit/audit-log.ts';
import type { Db } from '../../src/db/database.ts';
import { Form, SecondaryButton } from '../ui/form.tsx';
import { localeOf } from '../ui/frame.ts';
import { phrasesFor } from '../../src/i18n/phrases.ts';
import type { House } from '../../src/context.ts';
import type { Resident } from './account-session.ts';
import { ceremony } from './account-session.ts';
import type { MyDetailsPageProps } from './sections.tsx';
import { Section } from './sections.tsx';

/** The copy of their data that a person has a right to (GDPR art. 15 and 20). */
export function MyData({ frame, action, token, justInTwoSteps }: MyDetailsPageProps) {
  const t = frame.t.myDetails.data;
  return (
    <Section title={t.title} data-section="data">
      <p class="quiet">{t.help}</p>
      <p class="quiet">{justInTwoSteps ? t.now : t.signInFirst}</p>
      <Form action={action} token={token} stays={justInTwoSteps}>
        <SecondaryButton name="download" value="yes" waiting={frame.t.form.waiting}>
          {t.download}
        </SecondaryButton>
      </Form>
    </Section>
  );
}

const page = 1000;

/** All audit rows of an account: as long as they are kept they are its person's to read. */
async function eventsOf(db: Db, accountId: string): Promise<AuditRow[]> {
  const all: AuditRow[] = [];
  let rows: AuditRow[];
  do {
    rows = await auditRows(db, { accountId, before: all.at(-1)?.id, limit: page });
    all.push(...rows);
  } while (rows.length === page);
  return all;
}

/** The person's cases: what was written down and when. Which operator it was is theirs, and no code is kept anywhere. */
async function helpDeskCases(db: Db, accountId: string) {
  const all = [];
  for (const one of await casesOf(db, accountId)) {
    const { number, openedAt, openedBy, address, checks, notes, closedAt, outcome } = one;
    all.push({
      number,
      opened: openedAt,
      openedBy: openedBy ? 'help-desk' : 'person',
      address,
      identityChecks: checks.map(({ name, at }) => ({ name, at })),
      notes: notes.map(({ text, at }) => ({ text, at })),
      codesSent: (await sendsOf(db, one.id)).map(({ at }) => at),
      closed: closedAt,
      outcome,
    });
  }
  return all;
}

/** What is known of a person, in words and times; never a secret, nor what one could be recognised by. */
async function dataOf({ db, provider, settings }: House, account: Account) {
  const authenticator = await authenticatorOf(db, account.id);
  const code = await liveCode(db, account.id);
  const { id, email, noticeEmail, emailVerified, name, locale, role, createdAt } = account;
  return {
    provider: settings.HEMMA_ISSUER,
    at: new Date(),
    account: { id, email, noticeEmail, emailVerified, name, locale, role, created: createdAt },
    groups: (await groupsOf(db, id)).map((group) => group.name),
    attributes: asWritten(await listClaims(db), await attributesOf(db, id)),
    twoStepVerification: authenticator && {
      since: authenticator.createdAt,
      lastUsed: authenticator.lastUsedAt,
    },
    recoveryCode: code && { created: code.since, checked: code.checked },
    devices: (await devicesOf(db, id)).map((device) => ({
      name: device.label,
      firstSeen: device.firstSeenAt,
      lastSeen: device.lastSeenAt,
      rememberedUntil: device.rememberedUntil,
    })),
    sessions: (await sessionsOf(db, id)).map(({ signedInAt, place }) => ({
      signedIn: signedInAt,
      device: place?.device,
      address: place?.address,
      lastSeen: place?.at,
    })),
    grants: (await applicationsOf(db, provider, id)).map(
      ({ clientId, name: application, since, scopes }) => ({
        clientId,
        application,
        since,
        scopes,
      }),
    ),
    helpDeskCases: await helpDeskCases(db, id),
    events: (await eventsOf(db, id)).map(({ at, event, client_id: clientId, address }) => ({
      at,
      event,
      clientId,
      address,
    })),
  };
}

/** The sign-in that names what it is for and comes back to where the last button is. */
const downloadCeremony = (house: House) => ceremony(house, 'download_data', { state: 'download-ready' });

/**
 * Hands over the file, to a session that was signed in with two factors within ten minutes; any other signs in anew
 * and comes back to press again: whoever finds an open browser takes nothing away.
 */
export async function download(house: House, ctx: Context, resident: Resident): Promise<void> {
  if (!resident.justInTwoSteps) {
    ctx.status = 303;
    return ctx.redirect(downloadCeremony(house));
  }
  const { account } = resident;
  const { origin } = ctx.state;
  await house.db.transaction(async (open) => {
    await audit(open, { event: 'account.data-downloaded', accountId: account.id, origin });
    await house.post(open, account, 'data-downloaded', dataDownloaded);
  });
  const t = phrasesFor(localeOf(house, ctx, { account: account.locale })).myDetails.data;
  ctx.attachment(t.fileName);
  ctx.type = 'json';
  ctx.body = JSON.stringify(await dataOf(house, account), null, 2);
}
