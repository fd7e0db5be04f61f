import type { Context, Middleware } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { DeviceConfirmation, DeviceRefusal } from '../../src/oidc/device-flow.ts';
import { formatDateTime } from '../../src/i18n/phrases.ts';
import { isSameOriginRequest } from '../../src/http/request-info.ts';
import type { Refusal } from '../ui/form.tsx';
import { AlertIcon, Field, Form, SecondaryButton, SubmitButton, LinkList } from '../ui/form.tsx';
import { createFrame } from '../ui/frame.ts';
import type { AppContext } from '../../src/context.ts';
import type { Frame } from '../ui/layout.tsx';
import { Layout, renderPage } from '../ui/layout.tsx';
import { translateRefusal, setRetryAfter } from '../ui/refusal.ts';

const devicePath = '/device';

/** What nobody from the house will ever ask for: said before a code is typed and before it is said yes to. */
function Warning({ frame }: { frame: Frame }) {
  return (
    <div class="notice" data-warning>
      <AlertIcon />
      <p>{frame.t.deviceFlow.warning}</p>
    </div>
  );
}

type EntryPageProps = {
  frame: Frame;
  xsrf: string;
  /** From a link, or typed before. */
  code?: string | undefined;
  /** The code came with a link: the person compares it, and presses the button. */
  linked?: boolean;
  refusal?: Refusal | undefined;
};

export function CodeEntryPage({ frame, xsrf, code, linked = false, refusal }: EntryPageProps) {
  const t = frame.t.deviceFlow.entry;
  return (
    <Layout frame={frame} title={t.title} step="device" scripts={['waiting-button']}>
      <h1>{t.title}</h1>
      <p class="lead">{linked ? t.compare : t.help}</p>
      {linked ? <Warning frame={frame} /> : <p>{frame.t.deviceFlow.warning}</p>}
      <Form action={devicePath} refusal={refusal} fields={['user_code']}>
        <input type="hidden" name="xsrf" value={xsrf} />
        <Field
          name="user_code"
          label={t.code}
          help={t.codeHelp}
          value={code}
          autocomplete="off"
          code
          autofocus={!linked}
          refusal={refusal}
        />
        <SubmitButton waiting={t.waiting}>{t.submit}</SubmitButton>
      </Form>
    </Layout>
  );
}

/** Names the application, the code and where the device is; only the button of this page lets it in. */
export function CodeConfirmPage({
  frame,
  xsrf,
  asking: confirmation,
}: {
  frame: Frame;
  xsrf: string;
  asking: DeviceConfirmation;
}) {
  const t = frame.t.deviceFlow.confirm;
  const { clientName, userCode, from, nearby, email } = confirmation;
  const what = [...(from.device === '?' ? [] : [from.device]), from.address].join(' · ');
  const where = nearby ? t.sameNetwork(what) : t.otherNetwork(what);
  return (
    <Layout frame={frame} title={t.title(clientName)} step="device-confirm" scripts={['waiting-button']}>
      <h1>{t.title(clientName)}</h1>
      <p>{t.compare}</p>
      <p class="recovery-code" data-user-code>
        {userCode}
      </p>
      <Warning frame={frame} />
      <p class="quiet">
        {t.asked(formatDateTime(frame.locale, from.at))} {where}
      </p>
      <Form action={devicePath}>
        <input type="hidden" name="xsrf" value={xsrf} />
        <input type="hidden" name="user_code" value={userCode} />
        <SubmitButton name="confirm" value="yes" waiting={t.waiting}>
          {t.allow}
        </SubmitButton>
        <SecondaryButton name="abort" value="yes" waiting={t.waiting}>
          {t.deny}
        </SecondaryButton>
      </Form>
      {email !== undefined && <p class="whose">{t.asWhom(email)}</p>}
    </Layout>
  );
}

export function DeviceAllowedPage({ frame }: { frame: Frame }) {
  const t = frame.t.deviceFlow.allowed;
  return (
    <Layout frame={frame} title={t.title} step="device-allowed">
      <h1>{t.title}</h1>
      <p class="lead">{t.help}</p>
      <p class="quiet">{t.later}</p>
      <LinkList ways={[{ href: '/account', label: frame.t.page.myDetails }]} />
    </Layout>
  );
}

export function DeviceNotAllowedPage({ frame, contact }: { frame: Frame; contact: string }) {
  const t = frame.t.deviceFlow.notAllowed;
  return (
    <Layout frame={frame} title={t.title} step="device-not-allowed">
      <h1>{t.title}</h1>
      <p class="lead">{t.help}</p>
      <p class="quiet">{t.stranger(contact)}</p>
      <LinkList ways={[{ href: '/account', label: frame.t.page.myDetails }]} />
    </Layout>
  );
}

const sessionXsrfToken = (ctx: KoaContextWithOIDC): string =>
  ((ctx.oidc.session?.state ?? {}) as { secret?: string }).secret ?? '';

function sendHtml(ctx: Context, body: string): void {
  ctx.set('Cache-Control', 'no-store');
  ctx.type = 'html';
  ctx.body = body;
}

/** The code of a link, kept in the other language's link as well. */
function deviceFrame(context: AppContext, ctx: Context, code: string | undefined): Frame {
  const frame = createFrame(context, ctx);
  if (code === undefined) return frame;
  const query = (locale: string) => new URLSearchParams({ user_code: code, ui_locales: locale }).toString();
  return { ...frame, languageUrl: (locale) => `?${query(locale)}` };
}

export function renderCodeEntry(
  context: AppContext,
  ctx: KoaContextWithOIDC,
  refused: DeviceRefusal | undefined,
): void {
  const { userCode: linked } = ctx.state as { userCode?: string };
  const frame = deviceFrame(context, ctx, linked);
  const about = refused?.code.endsWith('-user-code') ? 'user_code' : undefined;
  const refusal =
    refused && translateRefusal(frame, refused, context.settings.HEMMA_HELP_DESK_CONTACT, about);
  if (refused) ctx.status = refused.code === 'form-expired' ? 403 : 422;
  if (refused) setRetryAfter(ctx, refused);
  const code = linked ?? refused?.typed;
  const props = { frame, xsrf: sessionXsrfToken(ctx), code, linked: linked !== undefined, refusal };
  sendHtml(ctx, renderPage(frame, <CodeEntryPage {...props} />));
}

export function renderCodeConfirm(
  context: AppContext,
  ctx: KoaContextWithOIDC,
  confirmation: DeviceConfirmation,
): void {
  const frame = createFrame(context, ctx, { uiLocales: confirmation.uiLocales });
  sendHtml(
    ctx,
    renderPage(frame, <CodeConfirmPage frame={frame} xsrf={sessionXsrfToken(ctx)} asking={confirmation} />),
  );
}

export function renderDeviceAllowed(context: AppContext, ctx: KoaContextWithOIDC): void {
  const wish = ctx.oidc.params?.ui_locales;
  const frame = createFrame(context, ctx, { uiLocales: typeof wish === 'string' ? wish : undefined });
  sendHtml(ctx, renderPage(frame, <DeviceAllowedPage frame={frame} />));
}

export function renderDeviceNotAllowed(context: AppContext, ctx: KoaContextWithOIDC): void {
  const frame = createFrame(context, ctx);
  const contact = context.settings.HEMMA_HELP_DESK_CONTACT;
  sendHtml(ctx, renderPage(frame, <DeviceNotAllowedPage frame={frame} contact={contact} />));
}

/**
 * A link may bring a code (RFC 8628 §3.3.1): it is put into the field, and nothing is sent before the person presses the
 * button. The library would post it by a script of its own. A form comes from our own pages alone.
 */
export function guardDeviceCode(context: AppContext): Middleware {
  return (ctx, next) => {
    if (ctx.path !== '/device') return next();
    if (ctx.method === 'POST' && !isSameOriginRequest(ctx, context.settings.HEMMA_ISSUER))
      return ctx.throw(403, 'foreign-form');
    const { user_code: code, ...rest } = ctx.query;
    if (code === undefined) return next();
    // The library reads the request itself, so the code is taken out of it.
    ctx.query = rest;
    if (typeof code === 'string' && code.length <= 20) ctx.state.userCode = code;
    return next();
  };
}
