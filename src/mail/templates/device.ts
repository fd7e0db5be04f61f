import type { MailFacts, Message } from '../letter.ts';
import { letter, line, notYou, when } from '../letter.ts';

/** A device without a browser was signed in: whoever was talked into it hears of it here, and how to end it. */
export function deviceAllowed(facts: MailFacts, application: string): Message {
  const name = line(application);
  return facts.locale === 'sv'
    ? letter(
        facts,
        `En enhet är inloggad i ${name}`,
        [
          `En enhet loggades in i ${name} med ditt konto ${when(facts)}, med en kod som skrevs i webbläsaren.`,
          `Känner du inte igen den, koppla från ${name} under Kopplade tjänster: ${facts.issuer}/account`,
        ],
        notYou(facts),
      )
    : letter(
        facts,
        `A device was signed in to ${name}`,
        [
          `A device was signed in to ${name} with your account on ${when(facts)}, by a code that was typed in the browser.`,
          `If you do not recognise it, disconnect ${name} under Connected applications: ${facts.issuer}/account`,
        ],
        notYou(facts),
      );
}
