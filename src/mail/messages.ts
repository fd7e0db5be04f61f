import type { Locale } from '../locales/phrases.ts';

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

const when = ({ locale, at }: MailFacts) =>
  new Intl.DateTimeFormat(locale, {
    dateStyle: 'long',
    timeStyle: 'short',
    timeZone: 'Europe/Stockholm',
  }).format(at);

// A name is the person's own text: one line of it, so that it can neither add a header nor a paragraph.
const line = (text: string) => text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();

function letter(facts: MailFacts, subject: string, paragraphs: string[], notYou: string): Message {
  const hello = facts.locale === 'sv' ? `Hej ${line(facts.name)},` : `Hello ${line(facts.name)},`;
  const closing = facts.locale === 'sv' ? `Hälsningar\n${facts.brand}` : `Regards\n${facts.brand}`;
  return { subject: line(subject), text: `${[hello, ...paragraphs, notYou, closing].join('\n\n')}\n` };
}

const notYou = (facts: MailFacts) =>
  facts.locale === 'sv'
    ? `Var det inte du? Kontakta ${facts.helpDesk} genast, och lämna aldrig ut ditt lösenord eller en kod till någon.`
    : `Was it not you? Contact ${facts.helpDesk} at once, and never give your password or a code to anybody.`;

/** A phone was connected (NIST SP 800-63B-4 §4.1.2.1). */
export function authenticatorConnected(facts: MailFacts): Message {
  return facts.locale === 'sv'
    ? letter(
        facts,
        'En telefon är kopplad till ditt konto',
        [
          `En autentiseringsapp kopplades till ditt konto ${when(facts)}. Från och med nu behövs en kod ur den när du loggar in.`,
        ],
        notYou(facts),
      )
    : letter(
        facts,
        'A phone was connected to your account',
        [
          `An authenticator app was connected to your account on ${when(facts)}. From now on signing in takes a code from it.`,
        ],
        notYou(facts),
      );
}

/** A recovery code went live; an older one is dead (NIST SP 800-63B-4 §4.2.1.1). */
export function recoveryCodeIssued(facts: MailFacts): Message {
  return facts.locale === 'sv'
    ? letter(
        facts,
        'Du har en ny engångskod',
        [`En ny engångskod skapades för ditt konto ${when(facts)}. En äldre kod gäller inte längre.`],
        notYou(facts),
      )
    : letter(
        facts,
        'You have a new recovery code',
        [`A new recovery code was made for your account on ${when(facts)}. An older one no longer works.`],
        notYou(facts),
      );
}

/** Too many wrong codes: the authenticator no longer opens anything. */
export function authenticatorDisabled(facts: MailFacts): Message {
  return facts.locale === 'sv'
    ? letter(
        facts,
        'Din autentiseringsapp är avstängd',
        [
          `Någon har skrivit fel sexsiffrig kod många gånger, efter rätt lösenord. För att skydda ditt konto stängde vi av appen ${when(facts)}. Byt ditt lösenord och kontakta ${facts.helpDesk} för att koppla appen på nytt.`,
        ],
        notYou(facts),
      )
    : letter(
        facts,
        'Your authenticator app is switched off',
        [
          `Somebody typed wrong six-digit codes many times, after the right password. To protect your account we switched the app off on ${when(facts)}. Change your password and contact ${facts.helpDesk} to connect the app anew.`,
        ],
        notYou(facts),
      );
}

/** The right password, and then wrong six digits several times (ASVS 6.3.5). */
export function wrongSecondFactor(facts: MailFacts): Message {
  return facts.locale === 'sv'
    ? letter(
        facts,
        'Någon har ditt lösenord men inte din telefon?',
        [
          `Ditt lösenord skrevs rätt ${when(facts)}, men sedan skrevs fel sexsiffrig kod flera gånger. Ingen kom in.`,
        ],
        notYou(facts),
      )
    : letter(
        facts,
        'Somebody has your password but not your phone?',
        [
          `Your password was typed correctly on ${when(facts)}, and then a wrong six-digit code several times. Nobody got in.`,
        ],
        notYou(facts),
      );
}

/** The right password after several wrong ones (ASVS 6.3.5). */
export function successAfterFailures(facts: MailFacts): Message {
  return facts.locale === 'sv'
    ? letter(
        facts,
        'Rätt lösenord efter flera felaktiga försök',
        [`Ditt lösenord skrevs rätt ${when(facts)}, efter flera felaktiga försök.`],
        notYou(facts),
      )
    : letter(
        facts,
        'The right password after several wrong ones',
        [`Your password was typed correctly on ${when(facts)}, after several wrong tries.`],
        notYou(facts),
      );
}

/** A sign-in from a browser that this account has not used before (ASVS 6.3.5). */
export function newDevice(facts: MailFacts, device: string): Message {
  return facts.locale === 'sv'
    ? letter(
        facts,
        'Inloggning från en ny enhet',
        [`Du loggade in från en enhet som vi inte har sett förut: ${line(device)}, ${when(facts)}.`],
        notYou(facts),
      )
    : letter(
        facts,
        'Sign-in from a new device',
        [`You signed in from a device that we have not seen before: ${line(device)}, on ${when(facts)}.`],
        notYou(facts),
      );
}

/** A typed code, before a phone may be connected. It is typed on the page that asked; no link changes anything. */
export function enrollmentCode(facts: MailFacts, code: string): Message {
  return facts.locale === 'sv'
    ? letter(
        facts,
        'Din kod för att koppla en telefon',
        [
          `Någon som kan ditt lösenord vill koppla en telefon till ditt konto. Är det du? Skriv den här koden på sidan som väntar:`,
          `    ${code}`,
          'Koden gäller i tio minuter.',
        ],
        notYou(facts),
      )
    : letter(
        facts,
        'Your code for connecting a phone',
        [
          `Somebody who knows your password wants to connect a phone to your account. Is it you? Type this code on the page that is waiting:`,
          `    ${code}`,
          'The code works for ten minutes.',
        ],
        notYou(facts),
      );
}
