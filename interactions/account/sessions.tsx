import { formatDateTime } from '../../src/i18n/phrases.ts';
import { Form, SecondaryButton } from '../ui/form.tsx';
import type { MyDetailsPageProps } from './sections.tsx';
import { AccountSection } from './sections.tsx';

export type ListedSession = {
  id: string;
  /** Undefined where the browser does not say what it is. */
  device: string | undefined;
  signedIn: Date;
  seen: { at: Date; address: string } | undefined;
  isThisOne: boolean;
};

/** Where the person is signed in. This very session is ended by signing out, at the end of the page. */
export function SessionsSection({ frame, action, token, sessions }: MyDetailsPageProps) {
  const t = frame.t.myDetails.sessions;
  const others = sessions.some(({ isThisOne }) => !isThisOne);
  const time = (at: Date) => formatDateTime(frame.locale, at);
  return (
    <AccountSection title={t.title} data-section="sessions">
      <ul class="rows">
        {sessions.map(({ id, device = t.unknownDevice, signedIn, seen, isThisOne }) => (
          <li key={id} data-session={id} data-this-session={isThisOne}>
            <p>
              <strong>{isThisOne ? `${device} (${t.thisOne})` : device}</strong>
              <span class="help">{t.since(time(signedIn))}</span>
              {seen && <span class="help">{t.seen(time(seen.at), seen.address)}</span>}
            </p>
            {!isThisOne && (
              <Form action={action} token={token} label={`${t.end}: ${device}, ${t.since(time(signedIn))}`}>
                <SecondaryButton name="endSession" value={id} waiting={t.ending}>
                  {t.end}
                </SecondaryButton>
              </Form>
            )}
          </li>
        ))}
      </ul>
      {others && (
        <Form action={action} token={token}>
          <SecondaryButton name="endOtherSessions" value="yes" waiting={t.ending}>
            {t.endOthers}
          </SecondaryButton>
        </Form>
      )}
    </AccountSection>
  );
}
