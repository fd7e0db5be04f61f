import type { Locale } from '../i18n/phrases.ts';
import { formatMoment } from '../i18n/phrases.ts';

/** A mail's words. Text alone: it reads the same everywhere, and nothing in it can be a picture or a script. */
export interface Message {
  subject: string;
  text: string;
}

/** What every mail needs to know. `name` is the person's, `brand` the provider's. */
export interface MailFacts {
  locale: Locale;
  brand: string;
  name: string;
  helpDesk: string;
  issuer: string;
  at: Date;
}

export const when = ({ locale, at }: MailFacts): string => formatMoment(locale, at);

// A name is the person's own text: one line of it, so that it can neither add a header nor a paragraph.
export const line = (text: string) => text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();

export function letter(facts: MailFacts, subject: string, paragraphs: string[], notYou: string): Message {
  const hello = facts.locale === 'sv' ? `Hej ${line(facts.name)},` : `Hello ${line(facts.name)},`;
  const closing = facts.locale === 'sv' ? `Hälsningar\n${facts.brand}` : `Regards\n${facts.brand}`;
  return { subject: line(subject), text: `${[hello, ...paragraphs, notYou, closing].join('\n\n')}\n` };
}

export const notYou = (facts: MailFacts) =>
  facts.locale === 'sv'
    ? `Var det inte du? Kontakta ${facts.helpDesk} genast, och lämna aldrig ut ditt lösenord eller en kod till någon.`
    : `Was it not you? Contact ${facts.helpDesk} at once, and never give your password or a code to anybody.`;
