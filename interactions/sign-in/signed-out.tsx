import type { KoaContextWithOIDC } from 'oidc-provider';
import { frameOf } from '../page/frame.ts';
import type { House } from '../page/house.ts';
import { renderPage } from '../page/layout.tsx';
import type { Phrases } from '../../src/locales/sv.ts';
import { Form, SecondaryButton, SubmitButton } from '../page/form.tsx';
import { Layout } from '../page/layout.tsx';
import type { Frame } from '../page/layout.tsx';

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

export type SignOutOutcome = { name: string; outcome: keyof Phrases['signedOut']['outcomes'] };

type SignedOutPageProps = {
  frame: Frame;
  /** What each application answered: the truth, also when one did not. */
  results?: readonly SignOutOutcome[];
  signInUrl?: string | undefined;
};

export function SignedOutPage({ frame, results = [], signInUrl }: SignedOutPageProps) {
  const t = frame.t.signedOut;
  const silent = results.some(({ outcome }) => outcome === 'no-answer');
  return (
    <Layout frame={frame} title={t.title} step="signed-out">
      <h1>{t.title}</h1>
      {results.length > 0 && (
        <ul class="list" aria-label={t.results}>
          {results.map(({ name, outcome }) => (
            <li key={name} data-outcome={outcome}>
              {name}: {t.outcomes[outcome]}
            </li>
          ))}
        </ul>
      )}
      <p class="lead">{silent ? t.noAnswerHelp : t.everywhere}</p>
      {signInUrl && (
        <div class="actions">
          <a class="button" href={signInUrl}>
            {t.signInAgain}
          </a>
        </div>
      )}
    </Layout>
  );
}

const wishes = (ctx: KoaContextWithOIDC) => {
  const asked = ctx.oidc.params?.ui_locales;
  return { uiLocales: typeof asked === 'string' ? asked : undefined };
};

/** Asks once whether to sign out everywhere, naming the applications of this session. */
export async function showSignOut(
  house: House,
  ctx: KoaContextWithOIDC,
  { action, xsrf }: { action: string; xsrf: string },
): Promise<void> {
  const ids = Object.keys(ctx.oidc.session?.authorizations ?? {}).filter(
    (id) => !/^hemma-(account|admin)$/.test(id),
  );
  const clients = await Promise.all(ids.map((id) => house.provider.Client.find(id)));
  const names = clients
    .flatMap((client) => (client ? [client.clientName ?? client.clientId] : []))
    .toSorted();
  const frame = frameOf(house, ctx, wishes(ctx));
  ctx.type = 'html';
  ctx.body = renderPage(frame, <SignOutPage {...{ frame, action, xsrf, clients: names }} />);
}

/** The end of a sign-out that no application asked to come back from. */
export function showSignedOut(house: House, ctx: KoaContextWithOIDC): void {
  const frame = frameOf(house, ctx, wishes(ctx));
  ctx.set('Clear-Site-Data', '"cache"');
  ctx.type = 'html';
  ctx.body = renderPage(frame, <SignedOutPage frame={frame} signInUrl="/account" />);
}
