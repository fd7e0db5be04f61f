import Router from '@koa/router';
import type { Context } from 'koa';
import { z } from 'zod';
import { isBootstrapOpen, createFirstAdministrator } from '../../../src/users/bootstrap.ts';
import { isSameOriginRequest } from '../../../src/http/request-info.ts';
import type { Refusal } from '../../ui/form.tsx';
import { Field, Form, PasswordField, SubmitButton } from '../../ui/form.tsx';
import { createFrame } from '../../ui/frame.ts';
import type { AppContext } from '../../../src/context.ts';
import type { Frame } from '../../ui/layout.tsx';
import { Layout, renderPage } from '../../ui/layout.tsx';
import { parseForm, parseFormBody } from '../../ui/parse-form.ts';
import { translateRefusal } from '../../ui/refusal.ts';

const bootstrapForm = z.object({
  token: z.string().max(200).default(''),
  name: z.string().max(1000).default(''),
  email: z.string().max(1000).default(''),
  password: z.string().max(1000).default(''),
});

type BootstrapPageProps = {
  frame: Frame;
  typed: { name?: string; email?: string };
  refusal?: Refusal | undefined;
};

/** Where the first administrator comes in. The token is typed: an address would keep it in histories and logs. */
export function BootstrapPage({ frame, typed, refusal }: BootstrapPageProps) {
  const t = frame.t.console.bootstrap;
  const fields = ['token', 'name', 'email', 'password'];
  return (
    <Layout frame={frame} title={t.title} step="bootstrap" scripts={['waiting-button', 'show-password']}>
      <h1>{t.title}</h1>
      <p class="lead">{t.help}</p>
      <Form action="/admin/bootstrap" refusal={refusal} fields={fields}>
        <Field name="token" label={t.token} autocomplete="off" code autofocus refusal={refusal} />
        <Field name="name" label={t.name} value={typed.name} autocomplete="name" refusal={refusal} />
        <Field
          name="email"
          label={t.email}
          value={typed.email}
          autocomplete="username"
          inputmode="email"
          refusal={refusal}
        />
        <PasswordField
          t={frame.t}
          name="password"
          label={t.password}
          help={t.passwordHelp}
          autocomplete="new-password"
          refusal={refusal}
        />
        <SubmitButton waiting={t.waiting}>{t.submit}</SubmitButton>
      </Form>
    </Layout>
  );
}

const refusedField = (code: string): string | undefined => {
  if (code === 'has-account') return 'email';
  return ['token', 'name', 'email', 'password'].find((field) => code.includes(field));
};

function renderBootstrap(
  context: AppContext,
  ctx: Context,
  typed: BootstrapPageProps['typed'],
  refusal?: Refusal,
): void {
  const frame = createFrame(context, ctx);
  ctx.status = refusal ? (refusal.code === 'throttled' ? 429 : 422) : 200;
  ctx.type = 'html';
  ctx.body = renderPage(frame, <BootstrapPage {...{ frame, typed, refusal }} />);
}

async function submitBootstrap(context: AppContext, ctx: Context): Promise<void> {
  const { db, hasher, settings } = context;
  if (!isSameOriginRequest(ctx, settings.HEMMA_ISSUER)) return ctx.throw(403, 'foreign-form');
  const sent = parseForm(ctx, bootstrapForm);
  const brand = settings.HEMMA_BRAND_NAME;
  const refused = await createFirstAdministrator(db, hasher, brand, { ...sent, origin: ctx.state.origin });
  if (refused) {
    const { code } = refused;
    const contact = settings.HEMMA_HELP_DESK_CONTACT;
    return renderBootstrap(
      context,
      ctx,
      sent,
      translateRefusal(createFrame(context, ctx), refused, contact, refusedField(code)),
    );
  }
  // The person signs in like anybody, and connects a phone: the console is behind two steps.
  ctx.status = 303;
  return ctx.redirect('/admin');
}

/** The page is there until there is an administrator, and never again. */
export function routes(context: AppContext): Router {
  const router = new Router();
  router.use('/admin/bootstrap', async (ctx, next) => {
    ctx.set('Cache-Control', 'no-store');
    if (!(await isBootstrapOpen(context.db))) ctx.throw(404, 'not-found');
    await next();
  });
  router.get('/admin/bootstrap', (ctx) => renderBootstrap(context, ctx, {}));
  router.post('/admin/bootstrap', parseFormBody, (ctx) => submitBootstrap(context, ctx));
  return router;
}
