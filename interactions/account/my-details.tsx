import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { listClaims } from '../../src/users/claim-definitions.ts';
import { knownDevice, rememberedDevices } from '../../src/users/devices.ts';
import { liveCode } from '../../src/mfa/recovery-code.ts';
import { authenticatorOf } from '../../src/mfa/totp.ts';
import { applicationsOf } from '../../src/oidc/connected-applications.ts';
import { sessionsOf } from '../../src/sessions/records.ts';
import { cookieName } from '../../src/http/request-info.ts';
import { frameOf } from '../ui/frame.ts';
import type { House } from '../../src/context.ts';
import { Layout, renderPage } from '../ui/layout.tsx';
import { readForm } from '../ui/parse-form.ts';
import { answer } from './respond.ts';
import { Applications } from './applications.tsx';
import { Events, recentEvents } from './events.tsx';
import { MyData } from './my-data.tsx';
import type { Resident } from './account-session.ts';
import { ceremony, residentOf, toSignIn } from './account-session.ts';
import type { MyDetailsPageProps } from './sections.tsx';
import { Actions, Devices, Language, notices, RecoveryCode, Section, TwoStep } from './sections.tsx';
import { Sessions } from './sessions.tsx';

/** Each section says the state first and the action after it; what takes something away stands last. */
export function MyDetailsPage(props: MyDetailsPageProps) {
  const { frame, account, urls, notice } = props;
  const t = frame.t.myDetails;
  return (
    <Layout frame={frame} title={t.title} step="account" kind="room" scripts={['waiting-button']}>
      <h1>{t.title}</h1>
      {notice && notice !== 'language-saved' && (
        <p class="done" role="status" data-notice={notice}>
          {t.notices[notice]}
        </p>
      )}
      <Section title={t.about.title}>
        <dl>
          <dt>{t.about.name}</dt>
          <dd>{account.name}</dd>
          <dt>{t.about.email}</dt>
          <dd>{account.email}</dd>
          {account.noticeEmail && (
            <>
              <dt>{t.about.noticeEmail}</dt>
              <dd>{account.noticeEmail}</dd>
            </>
          )}
        </dl>
        <Actions
          links={[
            { href: urls.changePassword, label: t.about.changePassword },
            { href: urls.changeEmail, label: t.about.changeEmail },
            {
              href: urls.changeNoticeEmail,
              label: account.noticeEmail ? t.about.changeNoticeEmail : t.about.addNoticeEmail,
            },
          ]}
        />
      </Section>
      <Language {...props} />
      <TwoStep {...props} />
      <RecoveryCode {...props} />
      <Devices {...props} />
      <Sessions {...props} />
      <Applications {...props} />
      <Events {...props} />
      <MyData {...props} />
      <Section title={t.signOut.title}>
        <p class="quiet">{t.signOut.help}</p>
        <Actions links={[{ href: urls.signOut, label: t.signOut.action }]} />
      </Section>
      <Section title={t.deletion.title}>
        <p class="quiet">{t.deletion.help}</p>
        <Actions links={[{ href: urls.deleteAccount, label: t.deletion.action, danger: true }]} />
      </Section>
    </Layout>
  );
}

type Known = Pick<MyDetailsPageProps, 'devices' | 'sessions' | 'applications' | 'own' | 'events'>;

/** What the page lists, each asked of the room that owns it. */
async function listsOf(house: House, ctx: Context, { account, session }: Resident): Promise<Known> {
  const { db, provider, settings } = house;
  const token = ctx.cookies.get(cookieName(settings, 'device'), { signed: false });
  const here = token ? await knownDevice(db, account.id, token) : undefined;
  const devices = await rememberedDevices(db, account.id);
  const isHere = ({ uid }: { uid: string }) => uid === session;
  const sessions = await sessionsOf(db, account.id);
  return {
    devices: devices.map(({ id, label, lastSeenAt, rememberedUntil }) => ({
      id,
      name: label,
      lastUsed: lastSeenAt,
      until: rememberedUntil ?? lastSeenAt,
      isThisOne: id === here?.id,
    })),
    sessions: [...sessions.filter(isHere), ...sessions.filter((one) => !isHere(one))].map((one) => ({
      id: one.uid,
      device: one.place?.device === '?' ? undefined : one.place?.device,
      signedIn: one.signedInAt,
      seen: one.place,
      isThisOne: isHere(one),
    })),
    applications: await applicationsOf(db, provider, account.id),
    own: await listClaims(db),
    events: await recentEvents(db, account.id),
  };
}

async function show(house: House, ctx: Context, resident: Resident): Promise<void> {
  const { db, settings, vault } = house;
  const { account, session, justInTwoSteps } = resident;
  const authenticator = await authenticatorOf(db, account.id);
  const code = await liveCode(db, account.id);
  const frame = frameOf(house, ctx, { account: account.locale });
  const signOut = '/session/end';
  const consoleUrl = account.role === 'person' ? undefined : '/admin';
  const page = (
    <MyDetailsPage
      frame={{ ...frame, user: { name: account.name, signOutUrl: signOut, consoleUrl } }}
      action="/account"
      token={vault.mac('account form', session)}
      account={{ ...account, locale: account.locale ?? frame.locale }}
      twoStep={authenticator ? { since: authenticator.createdAt, lastUsed: authenticator.lastUsedAt } : {}}
      recoveryCode={code && { issued: code.since, checked: code.checked }}
      {...await listsOf(house, ctx, resident)}
      justInTwoSteps={justInTwoSteps}
      helpDesk={settings.HEMMA_HELP_DESK_CONTACT}
      urls={{
        signOut,
        changePassword: ceremony(house, 'change_password'),
        changeEmail: ceremony(house, 'change_email'),
        changeNoticeEmail: ceremony(house, 'change_notice_email'),
        deleteAccount: ceremony(house, 'delete_account'),
        ...(authenticator
          ? {
              move: ceremony(house, 'replace_authenticator'),
              deactivate: ceremony(house, 'deactivate_two_step'),
              newRecoveryCode: ceremony(house, 'new_recovery_code'),
              checkRecoveryCode: code && ceremony(house, 'check_recovery_code'),
            }
          : { activate: ceremony(house, 'activate_two_step') }),
      }}
      notice={notices.find((notice) => notice === ctx.query.notice)}
    />
  );
  ctx.type = 'html';
  ctx.body = renderPage(frame, page);
}

/** What the provider brings a person back with is for programs: the address that stays is the plain one. */
function cameBack(ctx: Context): boolean {
  if (ctx.query.iss === undefined && ctx.query.error === undefined) return false;
  ctx.status = 303;
  const said = ctx.query.error === undefined ? ctx.query.state : 'nothing-changed';
  const notice = notices.find((one) => one === said);
  ctx.redirect(notice ? `/account?notice=${notice}` : '/account');
  return true;
}

/** My details. What needs a fresh proof is a link into a sign-in; the forms here change nobody's access but end it. */
export function myDetails(house: House): Middleware {
  const router = new Router();
  router.get('/account', async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    const resident = await residentOf(house, ctx);
    // Without a session an error would lead to a sign-in that may end in the same error, for ever.
    if (!resident && ctx.query.error !== undefined) return ctx.throw(400, 'sign-in-ended');
    if (!resident) return toSignIn(house, ctx);
    if (cameBack(ctx)) return undefined;
    return show(house, ctx, resident);
  });
  router.post('/account', readForm, (ctx) => answer(house, ctx));
  return router.routes() as unknown as Middleware;
}
