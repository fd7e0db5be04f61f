import type { MailContext, Message } from '../letter.ts';
import { composeMail, toSingleLine, notYouText, formatSentAt } from '../letter.ts';

/** A device without a browser was signed in: whoever was talked into it hears of it here, and how to end it. */
export function deviceAuthorizedMail(facts: MailContext, application: string): Message {
  const name = toSingleLine(application);
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        `En enhet är inloggad i ${name}`,
        [
          `En enhet loggades in i ${name} med ditt konto ${formatSentAt(facts)}, med en kod som skrevs i webbläsaren.`,
          `Känner du inte igen den, koppla från ${name} under Kopplade tjänster: ${facts.issuer}/account`,
        ],
        notYouText(facts),
      )
    : composeMail(
        facts,
        `A device was signed in to ${name}`,
        [
          `A device was signed in to ${name} with your account on ${formatSentAt(facts)}, by a code that was typed in the browser.`,
          `If you do not recognise it, disconnect ${name} under Connected applications: ${facts.issuer}/account`,
        ],
        notYouText(facts),
      );
}
