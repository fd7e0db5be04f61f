import type { Locale } from '../i18n/phrases.ts';
import { formatMoment } from '../i18n/phrases.ts';

/** A mail's words. Text alone: it reads the same everywhere, and nothing in it can be a picture or a script. */
export interface Message {
  subject: string;
  text: string;
}

/** What every mail needs to know. `name` is the person's, `brand` the provider's. */
export interface MailContext {
  locale: Locale;
  brand: string;
  name: string;
  helpDesk: string;
  issuer: string;
  at: Date;
}

export const formatSentAt = ({ locale, at }: MailContext): string => formatMoment(locale, at);

// A name is the person's own text: one line of it, so that it can neither add a header nor a paragraph.
export const toSingleLine = (text: string) => text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();

export function composeMail(
  facts: MailContext,
  subject: string,
  paragraphs: string[],
  notYouNotice: string,
): Message {
  const greeting =
    facts.locale === 'sv' ? `Hej ${toSingleLine(facts.name)},` : `Hello ${toSingleLine(facts.name)},`;
  const closing = facts.locale === 'sv' ? `Hälsningar\n${facts.brand}` : `Regards\n${facts.brand}`;
  return {
    subject: toSingleLine(subject),
    text: `${[greeting, ...paragraphs, notYouNotice, closing].join('\n\n')}\n`,
  };
}

export const notYouText = (facts: MailContext) =>
  facts.locale === 'sv'
    ? `Var det inte du? Kontakta ${facts.helpDesk} genast, och lämna aldrig ut ditt lösenord eller en kod till någon.`
    : `Was it not you? Contact ${facts.helpDesk} at once, and never give your password or a code to anybody.`;
