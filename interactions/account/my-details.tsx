import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { listClaims } from '../../src/users/claim-definitions.ts';
import { findDeviceByToken, listTrustedDevices } from '../../src/users/devices.ts';
import { findActiveRecoveryCode } from '../../src/mfa/recovery-code.ts';
import { findAuthenticator } from '../../src/mfa/totp.ts';
import { listConnectedApplications } from '../../src/oidc/connected-applications.ts';
import { listActiveSessions } from '../../src/sessions/records.ts';
import { cookieName } from '../../src/http/request-info.ts';
import { createFrame } from '../ui/frame.ts';
import type { AppContext } from '../../src/context.ts';
import { Layout, renderPage } from '../ui/layout.tsx';
import { parseFormBody } from '../ui/parse-form.ts';
import { submitMyDetails } from './respond.ts';
import { ConnectedApplications } from './applications.tsx';
import { RecentEvents, listRecentEvents } from './events.tsx';
import { MyDataSection } from './my-data.tsx';
import type { AccountSession } from './account-session.ts';
import { intentUrl, findAccountSession, redirectToSignIn } from './account-session.ts';
import type { MyDetailsPageProps } from './sections.tsx';
import {
  SectionLinks,
  TrustedDevicesSection,
  LanguageSection,
  myDetailsNotices,
  RecoveryCodeSection,
  AccountSection,
  TwoStepSection,
} from './sections.tsx';
import { SessionsSection } from './sessions.tsx';

/** Each section says the state first and the action after it; what takes something away stands last. */
export function MyDetailsPage(props: MyDetailsPageProps) {
  const { frame, account: user, urls, notice } = props;
  const t = frame.t.myDetails;
  return (
    <Layout frame={frame} title={t.title} step="account" kind="room" scripts={['waiting-button']}>
      <h1>{t.title}</h1>
      {notice && notice !== 'language-saved' && (
        <p class="done" role="status" data-notice={notice}>
          {t.notices[notice]}
        </p>
      )}
      <AccountSection title={t.about.title}>
        <dl>
          <dt>{t.about.name}</dt>
          <dd>{user.name}</dd>
          <dt>{t.about.email}</dt>
          <dd>{user.email}</dd>
          {user.noticeEmail && (
            <>
              <dt>{t.about.noticeEmail}</dt>
              <dd>{user.noticeEmail}</dd>
            </>
          )}
        </dl>
        <SectionLinks
          links={[
            { href: urls.changePassword, label: t.about.changePassword },
            { href: urls.changeEmail, label: t.about.changeEmail },
            {
              href: urls.changeNoticeEmail,
              label: user.noticeEmail ? t.about.changeNoticeEmail : t.about.addNoticeEmail,
            },
          ]}
        />
      </AccountSection>
      <LanguageSection {...props} />
      <TwoStepSection {...props} />
      <RecoveryCodeSection {...props} />
      <TrustedDevicesSection {...props} />
      <SessionsSection {...props} />
      <ConnectedApplications {...props} />
      <RecentEvents {...props} />
      <MyDataSection {...props} />
      <AccountSection title={t.signOut.title}>
        <p class="quiet">{t.signOut.help}</p>
        <SectionLinks links={[{ href: urls.signOut, label: t.signOut.action }]} />
      </AccountSection>
      <AccountSection title={t.deletion.title}>
        <p class="quiet">{t.deletion.help}</p>
        <SectionLinks links={[{ href: urls.deleteAccount, label: t.deletion.action, danger: true }]} />
      </AccountSection>
    </Layout>
  );
}

type MyDetailsLists = Pick<MyDetailsPageProps, 'devices' | 'sessions' | 'applications' | 'own' | 'events'>;

/** What the page lists, each asked of the room that owns it. */
async function loadMyDetailsLists(
  context: AppContext,
  ctx: Context,
  { account: user, session }: AccountSession,
): Promise<MyDetailsLists> {
  const { db, provider, settings } = context;
  const token = ctx.cookies.get(cookieName(settings, 'device'), { signed: false });
  const currentDeviceId = token ? await findDeviceByToken(db, user.id, token) : undefined;
  const devices = await listTrustedDevices(db, user.id);
  const isHere = ({ uid }: { uid: string }) => uid === session;
  const sessions = await listActiveSessions(db, user.id);
  return {
    devices: devices.map(({ id, label, lastSeenAt, rememberedUntil }) => ({
      id,
      name: label,
      lastUsed: lastSeenAt,
      until: rememberedUntil ?? lastSeenAt,
      isThisOne: id === currentDeviceId?.id,
    })),
    sessions: [...sessions.filter(isHere), ...sessions.filter((one) => !isHere(one))].map((one) => ({
      id: one.uid,
      device: one.place?.device === '?' ? undefined : one.place?.device,
      signedIn: one.signedInAt,
      seen: one.place,
      isThisOne: isHere(one),
    })),
    applications: await listConnectedApplications(db, provider, user.id),
    own: await listClaims(db),
    events: await listRecentEvents(db, user.id),
  };
}

async function renderMyDetails(context: AppContext, ctx: Context, resident: AccountSession): Promise<void> {
  const { db, settings, vault: encryption } = context;
  const { account: user, session, justInTwoSteps } = resident;
  const authenticator = await findAuthenticator(db, user.id);
  const code = await findActiveRecoveryCode(db, user.id);
  const frame = createFrame(context, ctx, { account: user.locale });
  const signOut = '/session/end';
  const consoleUrl = user.role === 'person' ? undefined : '/admin';
  const page = (
    <MyDetailsPage
      frame={{ ...frame, user: { name: user.name, signOutUrl: signOut, consoleUrl } }}
      action="/account"
      token={encryption.mac('account form', session)}
      account={{ ...user, locale: user.locale ?? frame.locale }}
      twoStep={authenticator ? { since: authenticator.createdAt, lastUsed: authenticator.lastUsedAt } : {}}
      recoveryCode={code && { issued: code.since, checked: code.checked }}
      {...await loadMyDetailsLists(context, ctx, resident)}
      justInTwoSteps={justInTwoSteps}
      helpDesk={settings.HEMMA_HELP_DESK_CONTACT}
      urls={{
        signOut,
        changePassword: intentUrl(context, 'change_password'),
        changeEmail: intentUrl(context, 'change_email'),
        changeNoticeEmail: intentUrl(context, 'change_notice_email'),
        deleteAccount: intentUrl(context, 'delete_account'),
        ...(authenticator
          ? {
              move: intentUrl(context, 'replace_authenticator'),
              deactivate: intentUrl(context, 'deactivate_two_step'),
              newRecoveryCode: intentUrl(context, 'new_recovery_code'),
              checkRecoveryCode: code && intentUrl(context, 'check_recovery_code'),
            }
          : { activate: intentUrl(context, 'activate_two_step') }),
      }}
      notice={myDetailsNotices.find((notice) => notice === ctx.query.notice)}
    />
  );
  ctx.type = 'html';
  ctx.body = renderPage(frame, page);
}

/** What the provider brings a person back with is for programs: the address that stays is the plain one. */
function hasReturnNotice(ctx: Context): boolean {
  if (ctx.query.iss === undefined && ctx.query.error === undefined) return false;
  ctx.status = 303;
  const parameter = ctx.query.error === undefined ? ctx.query.state : 'nothing-changed';
  const notice = myDetailsNotices.find((one) => one === parameter);
  ctx.redirect(notice ? `/account?notice=${notice}` : '/account');
  return true;
}

/** My details. What needs a fresh proof is a link into a sign-in; the forms here change nobody's access but end it. */
export function createAccountRoutes(context: AppContext): Middleware {
  const router = new Router();
  router.get('/account', async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    const resident = await findAccountSession(context, ctx);
    // Without a session an error would lead to a sign-in that may end in the same error, for ever.
    if (!resident && ctx.query.error !== undefined) return ctx.throw(400, 'sign-in-ended');
    if (!resident) return redirectToSignIn(context, ctx);
    if (hasReturnNotice(ctx)) return undefined;
    return renderMyDetails(context, ctx, resident);
  });
  router.post('/account', parseFormBody, (ctx) => submitMyDetails(context, ctx));
  return router.routes() as unknown as Middleware;
}
