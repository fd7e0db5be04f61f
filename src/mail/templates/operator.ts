import type { MailContext, Message } from '../letter.ts';
import { composeMail, notYouText, formatSentAt } from '../letter.ts';

/** What operators do to an account is told to its person, in the words of the deed. */

const forgotPasswordLabel = ({ locale }: MailContext) =>
  locale === 'sv' ? 'Glömt lösenordet?' : 'Forgotten your password?';

/**
 * An invitation. Its link only opens the sign-in, so whatever follows links in mails accepts nothing; the password is
 * chosen with a code that is mailed when the person asks for it.
 */
export function invitationMail(facts: MailContext, email: string): Message {
  const { brand, issuer } = facts;
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        `Du är inbjuden till ${brand}`,
        [
          `Du har fått ett konto hos ${brand}. Du loggar in med adressen ${email}.`,
          `Så kommer du igång:\n\n1. Öppna ${issuer}/account\n2. Tryck på ”${forgotPasswordLabel(facts)}” och skriv din e-postadress.\n3. Skriv koden som vi då mejlar dig, och välj ett lösenord.\n4. Koppla din telefon. Ha din autentiseringsapp till hands.`,
          'Gör det helst inom sju dagar.',
        ],
        `Väntade du dig inget konto? Då behöver du inte göra något. Undrar du, kontakta ${facts.helpDesk}.`,
      )
    : composeMail(
        facts,
        `You are invited to ${brand}`,
        [
          `You have an account with ${brand}. You sign in with the address ${email}.`,
          `This is how you begin:\n\n1. Open ${issuer}/account\n2. Press “${forgotPasswordLabel(facts)}” and type your email address.\n3. Type the code that we mail you then, and choose a password.\n4. Connect your phone. Have your authenticator app at hand.`,
          'Do it within seven days if you can.',
        ],
        `Did you not expect an account? Then there is nothing to do. If you wonder, contact ${facts.helpDesk}.`,
      );
}

/** The account was disabled. */
export function userDisabledMail(facts: MailContext): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        'Ditt konto är avstängt',
        [
          `En administratör stängde av ditt konto ${formatSentAt(facts)}. Du är utloggad överallt och kan inte logga in.`,
        ],
        `Undrar du varför? Kontakta ${facts.helpDesk}.`,
      )
    : composeMail(
        facts,
        'Your account is disabled',
        [
          `An administrator disabled your account on ${formatSentAt(facts)}. You are signed out everywhere and cannot sign in.`,
        ],
        `Do you wonder why? Contact ${facts.helpDesk}.`,
      );
}

/** The account works again. */
export function userEnabledMail(facts: MailContext): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        'Ditt konto är öppet igen',
        [`En administratör öppnade ditt konto ${formatSentAt(facts)}. Du loggar in som förut.`],
        notYouText(facts),
      )
    : composeMail(
        facts,
        'Your account is open again',
        [`An administrator enabled your account on ${formatSentAt(facts)}. You sign in as before.`],
        notYouText(facts),
      );
}

/** Somebody of the house ended the person's sessions. */
export function signedOutByOperatorMail(facts: MailContext): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        'Du är utloggad överallt',
        [
          `Supporten eller en administratör loggade ut dig överallt ${formatSentAt(facts)}. Du loggar in som förut.`,
        ],
        `Undrar du varför? Kontakta ${facts.helpDesk}.`,
      )
    : composeMail(
        facts,
        'You are signed out everywhere',
        [
          `The help desk or an administrator signed you out everywhere on ${formatSentAt(facts)}. You sign in as before.`,
        ],
        `Do you wonder why? Contact ${facts.helpDesk}.`,
      );
}

/** Two-step verification is no longer the person's choice. */
export function mfaRequiredMail(facts: MailContext): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        'Tvåstegsverifiering krävs nu',
        [
          `Från och med ${formatSentAt(facts)} loggar du in i två steg. Är ingen telefon kopplad får du koppla en nästa gång du loggar in.`,
        ],
        `Undrar du varför? Kontakta ${facts.helpDesk}.`,
      )
    : composeMail(
        facts,
        'Two-step verification is now required',
        [
          `From ${formatSentAt(facts)} on you sign in in two steps. If no phone is connected you connect one the next time you sign in.`,
        ],
        `Do you wonder why? Contact ${facts.helpDesk}.`,
      );
}

const roleLabels = {
  sv: { person: 'ingen särskild roll', 'help-desk': 'support', administrator: 'administratör' },
  en: { person: 'no special role', 'help-desk': 'help desk', administrator: 'administrator' },
} as const;

/** The person has another role from now on. */
export function roleChangedMail(facts: MailContext, role: keyof (typeof roleLabels)['sv']): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        'Din roll är ändrad',
        [
          `Din roll ändrades ${formatSentAt(facts)}. Du har nu: ${roleLabels.sv[role]}. Du är utloggad överallt; logga in igen.`,
        ],
        notYouText(facts),
      )
    : composeMail(
        facts,
        'Your role was changed',
        [
          `Your role was changed on ${formatSentAt(facts)}. You now have: ${roleLabels.en[role]}. You are signed out everywhere; sign in again.`,
        ],
        notYouText(facts),
      );
}
