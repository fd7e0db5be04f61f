import { bodyParser } from '@koa/bodyparser';
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { z } from 'zod';
import { accountById, chooseLocale } from '../../src/accounts/accounts.ts';
import type { Account } from '../../src/accounts/accounts.ts';
import { forgetDevice, knownDevice, rememberedDevices } from '../../src/accounts/devices.ts';
import { liveCodeSince } from '../../src/factors/recovery-code.ts';
import { authenticatorOf } from '../../src/factors/totp.ts';
import { sessionSeconds } from '../../src/oidc/provider.ts';
import { cookieName, sentByOurPage } from '../../src/platform/http.ts';
import { frameOf } from '../page/frame.ts';
import type { House } from '../page/house.ts';
import { renderPage } from '../page/layout.tsx';
import type { ComponentChildren } from 'preact';
import { formatDate, locales, phrasesFor } from '../../src/locales/phrases.ts';
import type { Locale } from '../../src/locales/phrases.ts';
import { Form, SecondaryButton } from '../page/form.tsx';
import type { Refusal } from '../page/form.tsx';
import { Layout } from '../page/layout.tsx';
import type { Frame } from '../page/layout.tsx';

type Device = { id: string; name: string; lastUsed: Date; until: Date; isThisOne?: boolean };

type MyDetailsPageProps = {
  frame: Frame;
  /** Both forms post here: `locale` saves the language, `forget` (a device's id) forgets a device. */
  action: string;
  token: string;
  account: { name: string; email: string; locale: Locale };
  /** `since` is undefined while two-step verification is off. */
  twoStep: { since?: Date | undefined; lastUsed?: Date | undefined };
  recoveryCode?: { issued: Date } | undefined;
  devices: readonly Device[];
  /** Links to the ceremonies; a link that is missing is not offered. */
  urls: {
    signOut: string;
    move?: string | undefined;
    activate?: string | undefined;
    deactivate?: string | undefined;
    newRecoveryCode?: string | undefined;
    checkRecoveryCode?: string | undefined;
  };
  languageSaved?: boolean;
  refusal?: Refusal | undefined;
};

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

function TwoStep({ frame, twoStep, urls }: MyDetailsPageProps) {
  const t = frame.t.myDetails.twoStep;
  const { since, lastUsed } = twoStep;
  if (!since) {
    return (
      <Section title={t.title} data-two-step="off">
        <p class="state">{t.off}</p>
        <p class="quiet">{t.offHelp}</p>
        <Actions links={[{ href: urls.activate, label: t.activate }]} />
      </Section>
    );
  }
  return (
    <Section title={t.title} data-two-step="on">
      <p class="state">{t.onSince(formatDate(frame.locale, since))}</p>
      <p class="quiet">{lastUsed ? t.lastUsed(formatDate(frame.locale, lastUsed)) : t.neverUsed}</p>
      <Actions
        links={[
          { href: urls.move, label: t.move },
          { href: urls.deactivate, label: t.deactivate, danger: true },
        ]}
      />
    </Section>
  );
}

function RecoveryCode({ frame, recoveryCode, urls }: MyDetailsPageProps) {
  const t = frame.t.myDetails.recoveryCode;
  return (
    <Section title={t.title} data-recovery-code-state={recoveryCode ? 'saved' : 'none'}>
      <p class="state">{recoveryCode ? t.issued(formatDate(frame.locale, recoveryCode.issued)) : t.none}</p>
      <p class="quiet">{recoveryCode ? t.help : t.noneHelp}</p>
      <Actions
        links={[
          { href: urls.checkRecoveryCode, label: t.check },
          { href: urls.newRecoveryCode, label: t.renew },
        ]}
      />
    </Section>
  );
}

function Devices({ frame, action, token, devices }: MyDetailsPageProps) {
  const t = frame.t.myDetails.devices;
  return (
    <Section title={t.title}>
      <p class="quiet">{devices.length > 0 ? t.help : t.none}</p>
      {devices.length > 0 && (
        <ul class="rows">
          {devices.map((device) => (
            <li key={device.id} data-device={device.id}>
              <p>
                <strong>{device.isThisOne ? `${device.name} (${t.thisDevice})` : device.name}</strong>
                <span class="help">{t.lastUsed(formatDate(frame.locale, device.lastUsed))}</span>
                <span class="help">{t.until(formatDate(frame.locale, device.until))}</span>
              </p>
              <Form action={action} token={token} label={`${t.forget} ${device.name}`}>
                <SecondaryButton name="forget" value={device.id} waiting={t.forgetting}>
                  {t.forget}
                </SecondaryButton>
              </Form>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function Language({ frame, action, token, account, languageSaved, refusal }: MyDetailsPageProps) {
  const t = frame.t.myDetails.language;
  return (
    <Section title={t.title}>
      {languageSaved && (
        <p class="done" role="status">
          {t.saved}
        </p>
      )}
      <Form action={action} token={token} refusal={refusal}>
        <div class="field">
          <label for="locale">{t.label}</label>
          <select id="locale" name="locale" class="input">
            {locales.map((locale) => (
              <option key={locale} value={locale} lang={locale} selected={locale === account.locale}>
                {phrasesFor(locale).page.languageName}
              </option>
            ))}
          </select>
        </div>
        <SecondaryButton waiting={t.saving}>{t.save}</SecondaryButton>
      </Form>
    </Section>
  );
}

type SectionProps = {
  title: string;
  'data-two-step'?: 'on' | 'off';
  'data-saved-code'?: 'yes' | 'no';
  children: ComponentChildren;
};

function Section({ title, children, ...hooks }: SectionProps) {
  return (
    <section {...hooks}>
      <h2>{title}</h2>
      <div>{children}</div>
    </section>
  );
}

type Action = { href: string | undefined; label: string; danger?: boolean };

function Actions({ links }: { links: readonly Action[] }) {
  const offered = links.flatMap(({ href, ...link }) => (href === undefined ? [] : [{ ...link, href }]));
  if (offered.length === 0) return null;
  return (
    <p class="actions">
      {offered.map(({ href, label, danger }) => (
        <a key={label} href={href} class={danger ? 'button secondary danger' : 'button secondary'}>
          {label}
        </a>
      ))}
    </p>
  );
}

/** Who is signed in, by the provider's own session, and the token that binds forms to that session. */
interface Resident {
  account: Account;
  session: string;
}

async function residentOf(house: House, ctx: Context): Promise<Resident | undefined> {
  const session = await house.provider.Session.get(ctx);
  const account = session.accountId ? await accountById(house.db, session.accountId) : undefined;
  if (!account || account.disabledAt || !session.uid) return undefined;
  // Being used keeps a session from running idle, here as on the provider's own pages.
  await session.save(sessionSeconds(session.loginTs));
  return { account, session: session.uid };
}

/** The way to a session: an ordinary sign-in that comes back here with no token at all (`response_type=none`). */
function toSignIn(house: House, ctx: Context): void {
  const issuer = house.settings.HEMMA_ISSUER;
  const query = new URLSearchParams({
    client_id: 'hemma-account',
    response_type: 'none',
    scope: 'openid',
    redirect_uri: `${issuer}/account`,
  });
  ctx.status = 303;
  ctx.redirect(`${issuer}/auth?${query.toString()}`);
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
  const sent = form.safeParse(ctx.request.body ?? {});
  if (!sent.success) return ctx.throw(400, 'malformed-form');
  const { token, locale, forget } = sent.data;
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
  router.post('/account', bodyParser({ enableTypes: ['form'], formLimit: '16kb' }), (ctx) =>
    answer(house, ctx),
  );
  return router.routes() as unknown as Middleware;
}
