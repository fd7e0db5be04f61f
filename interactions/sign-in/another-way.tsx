import { z } from 'zod';
import { Layout } from '../ui/layout.tsx';
import type { Frame } from '../ui/layout.tsx';
import type { StepPage } from './interaction-context.ts';

interface AlternativeLink {
  href: string;
  label: string;
  help: string;
}

/** Every way that the account has, with a sentence each. They are links: choosing one writes nothing anywhere. */
export function AnotherWayPage({
  frame,
  ways: alternatives,
}: {
  frame: Frame;
  ways: readonly AlternativeLink[];
}) {
  const t = frame.t.anotherWay;
  return (
    <Layout frame={frame} title={t.title} step="another-way">
      <h1>{t.title}</h1>
      <ul class="list ways">
        {alternatives.map(({ href, label, help }) => (
          <li key={href}>
            <a href={href}>{label}</a>
            <span class="help">{help}</span>
          </li>
        ))}
      </ul>
    </Layout>
  );
}

const anotherWayForm = z.object({});

export const anotherWay: StepPage<z.output<typeof anotherWayForm>> = {
  form: anotherWayForm,
  show({ frame, record, progress: signInState }) {
    const t = frame.t.anotherWay;
    const at = (step: string) => `/interaction/${record.uid}/${step}`;
    // The app stays the first choice, also where it is newer than the code (Keycloak #44115).
    const app = { href: at('totp'), label: t.app, help: t.appHelp };
    const code = { href: at('recovery-code'), label: t.recoveryCode, help: t.recoveryCodeHelp };
    const off = signInState.situation.account?.authenticator === 'off';
    return <AnotherWayPage frame={frame} ways={off ? [code] : [app, code]} />;
  },
  // The page has no form: whatever is posted here is answered with the page that is open.
  answer: () => Promise.resolve(undefined),
};
