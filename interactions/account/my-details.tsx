import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { z } from 'zod';
import { chooseLocale } from '../../src/accounts/accounts.ts';
import { forgetDevice, knownDevice, rememberedDevices } from '../../src/accounts/devices.ts';
import { liveCodeSince } from '../../src/factors/recovery-code.ts';
import { authenticatorOf } from '../../src/factors/totp.ts';
import { cookieName, sentByOurPage } from '../../src/platform/http.ts';
import { frameOf } from '../page/frame.ts';
import type { House } from '../page/house.ts';
import { Layout, renderPage } from '../page/layout.tsx';
import { posted, readForm } from '../page/posted.ts';
import type { Resident } from './resident.ts';
import { residentOf, toSignIn } from './resident.ts';
import type { MyDetailsPageProps } from './sections.tsx';
import { Actions, Devices, Language, RecoveryCode, Section, TwoStep } from './sections.tsx';

/** Each section says the state first and the action after it; what takes something away stands last. */
export function MyDetailsPage(props: MyDetailsPageProps) {
  const { frame, account, urls } = props;
  const t = frame.t.myDetails;
  return (
    <Layout frame={frame} title={t.title} step="account" kind="room" scripts={['waiting-button']}>
      <h1>{t.title}</h1>
      <Section title={t.about.title}>
        <dl>
          <dt>{t.about.name}</dt>
          <dd>{account.name}</dd>
          <dt>{t.about.email}</dt>
          <dd>{account.email}</dd>
        </dl>
      </Section>
      <Language {...props} />
      <TwoStep {...props} />
      <RecoveryCode {...props} />
      <Devices {...props} />
      <Section title={t.signOut.title}>
        <p class="quiet">{t.signOut.help}</p>
        <Actions links={[{ href: urls.signOut, label: t.signOut.action }]} />
      </Section>
    </Layout>
  );
}

async function show(
  house: House,
  ctx: Context,
  { account, session }: Resident,
  languageSaved: boolean,
): Promise<void> {
  const { db, settings, vault } = house;
  const token = ctx.cookies.get(cookieName(settings, 'device'), { signed: false });
  const authenticator = await authenticatorOf(db, account.id);
  const issued = await liveCodeSince(db, account.id);
  const here = token ? await knownDevice(db, account.id, token) : undefined;
  const devices = await rememberedDevices(db, account.id);
  const frame = frameOf(house, ctx, { account: account.locale });
  const signOut = '/session/end';
  const page = (
    <MyDetailsPage
      frame={{ ...frame, user: { name: account.name, signOutUrl: signOut } }}
      action="/account"
      token={vault.mac('account form', session)}
      account={{ name: account.name, email: account.email, locale: account.locale ?? frame.locale }}
      twoStep={authenticator ? { since: authenticator.createdAt, lastUsed: authenticator.lastUsedAt } : {}}
      recoveryCode={issued && { issued }}
      devices={devices.map(({ id, label, lastSeenAt, rememberedUntil }) => ({
        id,
        name: label,
        lastUsed: lastSeenAt,
        until: rememberedUntil ?? lastSeenAt,
        isThisOne: id === here?.id,
      }))}
      urls={{ signOut }}
      languageSaved={languageSaved}
    />
  );
  ctx.type = 'html';
  ctx.body = renderPage(frame, page);
}

const form = z.object({
  token: z.string().max(200),
  locale: z.enum(['sv', 'en']).optional(),
  forget: z.string().max(100).optional(),
});

async function answer(house: House, ctx: Context): Promise<void> {
  if (!sentByOurPage(ctx, house.settings.HEMMA_ISSUER)) ctx.throw(403, 'foreign-form');
  const resident = await residentOf(house, ctx);
  if (!resident) return toSignIn(house, ctx);
  const { token, locale, forget } = posted(ctx, form);
  if (!house.vault.macMatches('account form', resident.session, token)) ctx.throw(403, 'form-expired');
  const { account } = resident;
  if (forget) await forgetDevice(house.db, account.id, forget, ctx.state.origin);
  if (locale) {
    await chooseLocale(house.db, account.id, locale, ctx.state.origin);
    // The choice just made is the newest wish; an older click on a page's foot must not outvote it.
    ctx.cookies.set(cookieName(house.settings, 'language'), null, { path: '/' });
  }
  ctx.status = 303;
  ctx.redirect(locale ? '/account?saved=language' : '/account');
}

/** My details. What needs a fresh proof is a link into a sign-in; the two forms here change nobody's access. */
export function myDetails(house: House): Middleware {
  const router = new Router();
  router.get('/account', async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    const resident = await residentOf(house, ctx);
    if (!resident) return toSignIn(house, ctx);
    return show(house, ctx, resident, ctx.query.saved === 'language');
  });
  router.post('/account', readForm, (ctx) => answer(house, ctx));
  return router.routes() as unknown as Middleware;
}
