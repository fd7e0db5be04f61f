import type { ComponentChildren } from 'preact';
import { formatDate, locales, phrasesFor } from '../../src/i18n/phrases.ts';
import type { Locale } from '../../src/i18n/phrases.ts';
import { Form, SecondaryButton } from '../ui/form.tsx';
import type { Refusal } from '../ui/form.tsx';
import type { Frame } from '../ui/layout.tsx';
import type { ClaimDefinition } from '../../src/users/claim-definitions.ts';
import type { ConnectedApplication } from '../../src/oidc/connected-applications.ts';
import type { RecentEvent } from './events.tsx';
import type { ListedSession } from './sessions.tsx';

type TrustedDevice = { id: string; name: string; lastUsed: Date; until: Date; isThisOne?: boolean };

/** What a form of the page led to, said when it is shown again. The address may be anybody's link: it changes nothing. */
export const myDetailsNotices = [
  'language-saved',
  'session-ended',
  'others-ended',
  'disconnected',
  'nothing-changed',
  'download-ready',
] as const;
export type MyDetailsNotice = (typeof myDetailsNotices)[number];

export type MyDetailsPageProps = {
  frame: Frame;
  /** All forms post here; each button has a field of its own (see respond.ts). */
  action: string;
  token: string;
  account: { name: string; email: string; noticeEmail: string | undefined; locale: Locale };
  /** `since` is undefined while two-step verification is off. */
  twoStep: { since?: Date | undefined; lastUsed?: Date | undefined };
  recoveryCode?: { issued: Date; checked: Date | undefined } | undefined;
  devices: readonly TrustedDevice[];
  sessions: readonly ListedSession[];
  applications: readonly ConnectedApplication[];
  /** The claims of the house's own, for their words. */
  own: readonly ClaimDefinition[];
  events: readonly RecentEvent[];
  /** Whether the session is fresh and strong enough to take the data away. */
  justInTwoSteps: boolean;
  /** Whom to call about what one does not recognise. */
  helpDesk: string;
  /** Links to the ceremonies; a link that is missing is not offered. */
  urls: {
    signOut: string;
    changePassword: string;
    changeEmail: string;
    changeNoticeEmail: string;
    deleteAccount: string;
    move?: string | undefined;
    activate?: string | undefined;
    deactivate?: string | undefined;
    newRecoveryCode?: string | undefined;
    checkRecoveryCode?: string | undefined;
  };
  notice?: MyDetailsNotice | undefined;
  refusal?: Refusal | undefined;
};

export function TwoStepSection({ frame, twoStep, urls }: MyDetailsPageProps) {
  const t = frame.t.myDetails.twoStep;
  const { since, lastUsed } = twoStep;
  if (!since) {
    return (
      <AccountSection title={t.title} data-two-step="off">
        <p class="state">{t.off}</p>
        <p class="quiet">{t.offHelp}</p>
        <SectionLinks links={[{ href: urls.activate, label: t.activate }]} />
      </AccountSection>
    );
  }
  return (
    <AccountSection title={t.title} data-two-step="on">
      <p class="state">{t.onSince(formatDate(frame.locale, since))}</p>
      <p class="quiet">{lastUsed ? t.lastUsed(formatDate(frame.locale, lastUsed)) : t.neverUsed}</p>
      <SectionLinks
        links={[
          { href: urls.move, label: t.move },
          { href: urls.deactivate, label: t.deactivate, danger: true },
        ]}
      />
    </AccountSection>
  );
}

export function RecoveryCodeSection({ frame, recoveryCode, urls }: MyDetailsPageProps) {
  const t = frame.t.myDetails.recoveryCode;
  return (
    <AccountSection title={t.title} data-recovery-code-state={recoveryCode ? 'saved' : 'none'}>
      <p class="state">{recoveryCode ? t.issued(formatDate(frame.locale, recoveryCode.issued)) : t.none}</p>
      <p class="quiet">{recoveryCode ? t.help : t.noneHelp}</p>
      {recoveryCode?.checked && (
        <p class="quiet">{t.checked(formatDate(frame.locale, recoveryCode.checked))}</p>
      )}
      <SectionLinks
        links={[
          { href: urls.checkRecoveryCode, label: t.check },
          { href: urls.newRecoveryCode, label: t.renew },
        ]}
      />
    </AccountSection>
  );
}

export function TrustedDevicesSection({ frame, action, token, devices }: MyDetailsPageProps) {
  const t = frame.t.myDetails.devices;
  return (
    <AccountSection title={t.title}>
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
    </AccountSection>
  );
}

export function LanguageSection({
  frame,
  action,
  token,
  account: user,
  notice,
  refusal,
}: MyDetailsPageProps) {
  const t = frame.t.myDetails.language;
  return (
    <AccountSection title={t.title}>
      {notice === 'language-saved' && (
        <p class="done" role="status">
          {t.saved}
        </p>
      )}
      <Form action={action} token={token} refusal={refusal}>
        <div class="field">
          <label for="locale">{t.label}</label>
          <select id="locale" name="locale" class="input">
            {locales.map((locale) => (
              <option key={locale} value={locale} lang={locale} selected={locale === user.locale}>
                {phrasesFor(locale).page.languageName}
              </option>
            ))}
          </select>
        </div>
        <SecondaryButton waiting={t.saving}>{t.save}</SecondaryButton>
      </Form>
    </AccountSection>
  );
}

type AccountSectionProps = {
  title: string;
  'data-two-step'?: 'on' | 'off';
  'data-recovery-code-state'?: 'saved' | 'none';
  'data-section'?: string;
  children: ComponentChildren;
};

export function AccountSection({ title, children, ...hooks }: AccountSectionProps) {
  return (
    <section {...hooks}>
      <h2>{title}</h2>
      <div>{children}</div>
    </section>
  );
}

type SectionLink = { href: string | undefined; label: string; danger?: boolean };

export function SectionLinks({ links }: { links: readonly SectionLink[] }) {
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
