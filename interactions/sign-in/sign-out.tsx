import type { KoaContextWithOIDC } from 'oidc-provider';
import { isBuiltInClient } from '../../config/built-in-clients.ts';
import { findClientName } from '../../src/oidc/sessions.ts';
import { Form, SecondaryButton, SubmitButton } from '../ui/form.tsx';
import { createFrame } from '../ui/frame.ts';
import type { AppContext } from '../../src/context.ts';
import type { Frame } from '../ui/layout.tsx';
import { Layout, renderPage } from '../ui/layout.tsx';

type SignOutPageProps = {
  frame: Frame;
  /** Address and `xsrf` of the form come from the provider (RP-Initiated Logout 1.0 §2: it asks first). */
  action: string;
  xsrf: string;
  /** The names of the applications in this session. */
  clients: readonly string[];
};

export function SignOutPage({ frame, action, xsrf, clients }: SignOutPageProps) {
  const t = frame.t.signOut;
  return (
    <Layout frame={frame} title={t.title} step="sign-out" scripts={['waiting-button']}>
      <h1>{t.title}</h1>
      <p class="lead">{clients.length > 0 ? t.help : t.helpWithout}</p>
      {clients.length > 0 && (
        <ul class="list">
          {clients.map((name) => (
            <li key={name}>{name}</li>
          ))}
        </ul>
      )}
      <Form action={action}>
        <input type="hidden" name="xsrf" value={xsrf} />
        <SubmitButton name="logout" value="yes" waiting={t.waiting}>
          {t.submit}
        </SubmitButton>
        <SecondaryButton waiting={frame.t.form.waiting}>{t.stay}</SecondaryButton>
      </Form>
    </Layout>
  );
}

/** Asks once whether to sign out everywhere, naming the applications of this session. */
export async function renderSignOut(
  context: AppContext,
  ctx: KoaContextWithOIDC,
  { action, xsrf }: { action: string; xsrf: string },
): Promise<void> {
  const ids = Object.keys(ctx.oidc.session?.authorizations ?? {}).filter((id) => !isBuiltInClient(id));
  const clients = (await Promise.all(ids.map((id) => findClientName(context.db, id)))).toSorted();
  const requestingClient = ctx.oidc.params?.ui_locales;
  const frame = createFrame(context, ctx, {
    uiLocales: typeof requestingClient === 'string' ? requestingClient : undefined,
  });
  // The page afterwards is asked for without the application's wish.
  const { state } = (ctx.oidc.session ?? {}) as { state?: { locale?: string } };
  if (state) state.locale = frame.locale;
  ctx.type = 'html';
  ctx.body = renderPage(frame, <SignOutPage {...{ frame, action, xsrf, clients }} />);
}
