import type { MailContext, Message } from '../letter.ts';
import { composeMail, toSingleLine, notYouText, formatSentAt } from '../letter.ts';

/** A phone was connected (NIST SP 800-63B-4 §4.1.2.1). */
export function authenticatorEnrolledMail(facts: MailContext): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        'En telefon är kopplad till ditt konto',
        [
          `En autentiseringsapp kopplades till ditt konto ${formatSentAt(facts)}. Från och med nu behövs en kod ur den när du loggar in.`,
        ],
        notYouText(facts),
      )
    : composeMail(
        facts,
        'A phone was connected to your account',
        [
          `An authenticator app was connected to your account on ${formatSentAt(facts)}. From now on signing in takes a code from it.`,
        ],
        notYouText(facts),
      );
}

/** A recovery code went live; an older one is dead (NIST SP 800-63B-4 §4.2.1.1). */
export function recoveryCodeIssuedMail(facts: MailContext): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        'Du har en ny engångskod',
        [`En ny engångskod skapades för ditt konto ${formatSentAt(facts)}. En äldre kod gäller inte längre.`],
        notYouText(facts),
      )
    : composeMail(
        facts,
        'You have a new recovery code',
        [
          `A new recovery code was made for your account on ${formatSentAt(facts)}. An older one no longer works.`,
        ],
        notYouText(facts),
      );
}

/** A recovery code opened a sign-in (NIST SP 800-63B-4 §4.2.3). */
export function recoveryCodeUsedMail(facts: MailContext): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        'Din engångskod har använts',
        [
          `Någon med ditt lösenord skrev din engångskod ${formatSentAt(facts)}. Koden gäller en gång; spara den nya som visades.`,
        ],
        notYouText(facts),
      )
    : composeMail(
        facts,
        'Your recovery code was used',
        [
          `Somebody with your password typed your recovery code on ${formatSentAt(facts)}. It works once; save the new one that was shown.`,
        ],
        notYouText(facts),
      );
}

/** Two-step verification was switched off. */
export function mfaDeactivatedMail(facts: MailContext): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        'Tvåstegsverifieringen är avstängd',
        [
          `Tvåstegsverifieringen för ditt konto stängdes av ${formatSentAt(facts)}. Koderna från telefonen och den sparade engångskoden gäller inte längre.`,
        ],
        notYouText(facts),
      )
    : composeMail(
        facts,
        'Two-step verification is off',
        [
          `Two-step verification for your account was switched off on ${formatSentAt(facts)}. The codes from the phone and the saved recovery code no longer work.`,
        ],
        notYouText(facts),
      );
}

/** Another phone took the old one's place. */
export function authenticatorReplacedMail(facts: MailContext): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        'En ny telefon är kopplad till ditt konto',
        [
          `En ny telefon kopplades till ditt konto ${formatSentAt(facts)}. Koderna från den gamla gäller inte längre, inte heller den gamla engångskoden.`,
        ],
        notYouText(facts),
      )
    : composeMail(
        facts,
        'A new phone was connected to your account',
        [
          `A new phone was connected to your account on ${formatSentAt(facts)}. Codes from the old one no longer work, nor does the old recovery code.`,
        ],
        notYouText(facts),
      );
}

/** Too many wrong recovery codes: the saved one no longer opens anything. */
export function recoveryCodeDisabledMail(facts: MailContext): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        'Din engångskod gäller inte längre',
        [
          `Någon har skrivit fel engångskod många gånger, efter rätt lösenord. För att skydda ditt konto slutade koden gälla ${formatSentAt(facts)}. Nästa gång du loggar in med telefonen får du en ny.`,
        ],
        notYouText(facts),
      )
    : composeMail(
        facts,
        'Your recovery code no longer works',
        [
          `Somebody typed wrong recovery codes many times, after the right password. To protect your account the code stopped working on ${formatSentAt(facts)}. You get a new one the next time you sign in with your phone.`,
        ],
        notYouText(facts),
      );
}

/** Too many wrong codes: the authenticator no longer opens anything. */
export function authenticatorDisabledMail(facts: MailContext): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        'Din autentiseringsapp är avstängd',
        [
          `Någon har skrivit fel sexsiffrig kod många gånger, efter rätt lösenord. För att skydda ditt konto stängde vi av appen ${formatSentAt(facts)}. Byt ditt lösenord och kontakta ${facts.helpDesk} för att koppla appen på nytt.`,
        ],
        notYouText(facts),
      )
    : composeMail(
        facts,
        'Your authenticator app is switched off',
        [
          `Somebody typed wrong six-digit codes many times, after the right password. To protect your account we switched the app off on ${formatSentAt(facts)}. Change your password and contact ${facts.helpDesk} to connect the app anew.`,
        ],
        notYouText(facts),
      );
}

/** The right password, and then wrong six digits several times (ASVS 6.3.5). */
export function secondFactorFailedMail(facts: MailContext): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        'Någon har ditt lösenord men inte din telefon?',
        [
          `Ditt lösenord skrevs rätt ${formatSentAt(facts)}, men sedan skrevs fel sexsiffrig kod flera gånger. Ingen kom in.`,
        ],
        notYouText(facts),
      )
    : composeMail(
        facts,
        'Somebody has your password but not your phone?',
        [
          `Your password was typed correctly on ${formatSentAt(facts)}, and then a wrong six-digit code several times. Nobody got in.`,
        ],
        notYouText(facts),
      );
}

/** The right password after several wrong ones (ASVS 6.3.5). */
export function successAfterFailuresMail(facts: MailContext): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        'Rätt lösenord efter flera felaktiga försök',
        [`Ditt lösenord skrevs rätt ${formatSentAt(facts)}, efter flera felaktiga försök.`],
        notYouText(facts),
      )
    : composeMail(
        facts,
        'The right password after several wrong ones',
        [`Your password was typed correctly on ${formatSentAt(facts)}, after several wrong tries.`],
        notYouText(facts),
      );
}

/** A sign-in from a browser that this account has not used before (ASVS 6.3.5). */
export function newDeviceMail(facts: MailContext, device: string): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        'Inloggning från en ny enhet',
        [
          `Du loggade in från en enhet som vi inte har sett förut: ${toSingleLine(device)}, ${formatSentAt(facts)}.`,
        ],
        notYouText(facts),
      )
    : composeMail(
        facts,
        'Sign-in from a new device',
        [
          `You signed in from a device that we have not seen before: ${toSingleLine(device)}, on ${formatSentAt(facts)}.`,
        ],
        notYouText(facts),
      );
}

/** The password was changed. */
export function passwordChangedMail(facts: MailContext): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        'Ditt lösenord är ändrat',
        [`Ditt lösenord ändrades ${formatSentAt(facts)}.`],
        notYouText(facts),
      )
    : composeMail(
        facts,
        'Your password was changed',
        [`Your password was changed on ${formatSentAt(facts)}.`],
        notYouText(facts),
      );
}

/** The sign-in address was changed; this goes to the old one. */
export function emailChangedMail(facts: MailContext, to: string): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        'Din e-postadress är ändrad',
        [`Adressen som du loggar in med ändrades till ${toSingleLine(to)} ${formatSentAt(facts)}.`],
        notYouText(facts),
      )
    : composeMail(
        facts,
        'Your email address was changed',
        [`The address that you sign in with was changed to ${toSingleLine(to)} on ${formatSentAt(facts)}.`],
        notYouText(facts),
      );
}

/** The second address for notices was chosen or taken away; this goes to the sign-in address and to the old second one. */
export function noticeEmailChangedMail(facts: MailContext, to: string | undefined): Message {
  if (facts.locale === 'sv') {
    const what = to
      ? `Från och med ${formatSentAt(facts)} går våra meddelanden om ditt konto även till ${toSingleLine(to)}.`
      : `Från och med ${formatSentAt(facts)} går våra meddelanden om ditt konto bara till adressen som du loggar in med.`;
    return composeMail(facts, 'Din extra adress för meddelanden är ändrad', [what], notYouText(facts));
  }
  const what = to
    ? `From ${formatSentAt(facts)} on, our notices about your account also go to ${toSingleLine(to)}.`
    : `From ${formatSentAt(facts)} on, our notices about your account go to the address that you sign in with alone.`;
  return composeMail(facts, 'Your second address for notices was changed', [what], notYouText(facts));
}

/** A copy of all that is known of the person was taken away. */
export function dataDownloadedMail(facts: MailContext): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        'Dina uppgifter laddades ner',
        [
          `En fil med allt vi vet om dig laddades ner ${formatSentAt(facts)}, efter en inloggning i två steg.`,
        ],
        notYouText(facts),
      )
    : composeMail(
        facts,
        'Your data was downloaded',
        [
          `A file with all that we know of you was downloaded on ${formatSentAt(facts)}, after a sign-in in two steps.`,
        ],
        notYouText(facts),
      );
}

/** The account is gone. */
export function userDeletedMail(facts: MailContext): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        'Ditt konto är borttaget',
        [`Ditt konto togs bort ${formatSentAt(facts)}, med allt som hörde till det.`],
        notYouText(facts),
      )
    : composeMail(
        facts,
        'Your account is deleted',
        [`Your account was deleted on ${formatSentAt(facts)}, with all that belonged to it.`],
        notYouText(facts),
      );
}
