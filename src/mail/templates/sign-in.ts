import type { MailFacts, Message } from '../letter.ts';
import { letter, line, notYou, when } from '../letter.ts';

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

/** A recovery code opened a sign-in (NIST SP 800-63B-4 §4.2.3). */
export function recoveryCodeUsed(facts: MailFacts): Message {
  return facts.locale === 'sv'
    ? letter(
        facts,
        'Din engångskod har använts',
        [
          `Någon med ditt lösenord skrev din engångskod ${when(facts)}. Koden gäller en gång; spara den nya som visades.`,
        ],
        notYou(facts),
      )
    : letter(
        facts,
        'Your recovery code was used',
        [
          `Somebody with your password typed your recovery code on ${when(facts)}. It works once; save the new one that was shown.`,
        ],
        notYou(facts),
      );
}

/** Two-step verification was switched off. */
export function twoStepDeactivated(facts: MailFacts): Message {
  return facts.locale === 'sv'
    ? letter(
        facts,
        'Tvåstegsverifieringen är avstängd',
        [
          `Tvåstegsverifieringen för ditt konto stängdes av ${when(facts)}. Koderna från telefonen och den sparade engångskoden gäller inte längre.`,
        ],
        notYou(facts),
      )
    : letter(
        facts,
        'Two-step verification is off',
        [
          `Two-step verification for your account was switched off on ${when(facts)}. The codes from the phone and the saved recovery code no longer work.`,
        ],
        notYou(facts),
      );
}

/** Another phone took the old one's place. */
export function authenticatorReplaced(facts: MailFacts): Message {
  return facts.locale === 'sv'
    ? letter(
        facts,
        'En ny telefon är kopplad till ditt konto',
        [
          `En ny telefon kopplades till ditt konto ${when(facts)}. Koderna från den gamla gäller inte längre, inte heller den gamla engångskoden.`,
        ],
        notYou(facts),
      )
    : letter(
        facts,
        'A new phone was connected to your account',
        [
          `A new phone was connected to your account on ${when(facts)}. Codes from the old one no longer work, nor does the old recovery code.`,
        ],
        notYou(facts),
      );
}

/** Too many wrong recovery codes: the saved one no longer opens anything. */
export function recoveryCodeDisabled(facts: MailFacts): Message {
  return facts.locale === 'sv'
    ? letter(
        facts,
        'Din engångskod gäller inte längre',
        [
          `Någon har skrivit fel engångskod många gånger, efter rätt lösenord. För att skydda ditt konto slutade koden gälla ${when(facts)}. Nästa gång du loggar in med telefonen får du en ny.`,
        ],
        notYou(facts),
      )
    : letter(
        facts,
        'Your recovery code no longer works',
        [
          `Somebody typed wrong recovery codes many times, after the right password. To protect your account the code stopped working on ${when(facts)}. You get a new one the next time you sign in with your phone.`,
        ],
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

/** The password was changed. */
export function passwordChanged(facts: MailFacts): Message {
  return facts.locale === 'sv'
    ? letter(facts, 'Ditt lösenord är ändrat', [`Ditt lösenord ändrades ${when(facts)}.`], notYou(facts))
    : letter(
        facts,
        'Your password was changed',
        [`Your password was changed on ${when(facts)}.`],
        notYou(facts),
      );
}

/** The sign-in address was changed; this goes to the old one. */
export function emailChanged(facts: MailFacts, to: string): Message {
  return facts.locale === 'sv'
    ? letter(
        facts,
        'Din e-postadress är ändrad',
        [`Adressen som du loggar in med ändrades till ${line(to)} ${when(facts)}.`],
        notYou(facts),
      )
    : letter(
        facts,
        'Your email address was changed',
        [`The address that you sign in with was changed to ${line(to)} on ${when(facts)}.`],
        notYou(facts),
      );
}

/** The second address for notices was chosen or taken away; this goes to the sign-in address and to the old second one. */
export function noticeEmailChanged(facts: MailFacts, to: string | undefined): Message {
  if (facts.locale === 'sv') {
    const what = to
      ? `Från och med ${when(facts)} går våra meddelanden om ditt konto även till ${line(to)}.`
      : `Från och med ${when(facts)} går våra meddelanden om ditt konto bara till adressen som du loggar in med.`;
    return letter(facts, 'Din extra adress för meddelanden är ändrad', [what], notYou(facts));
  }
  const what = to
    ? `From ${when(facts)} on, our notices about your account also go to ${line(to)}.`
    : `From ${when(facts)} on, our notices about your account go to the address that you sign in with alone.`;
  return letter(facts, 'Your second address for notices was changed', [what], notYou(facts));
}

/** A copy of all that is known of the person was taken away. */
export function dataDownloaded(facts: MailFacts): Message {
  return facts.locale === 'sv'
    ? letter(
        facts,
        'Dina uppgifter laddades ner',
        [`En fil med allt vi vet om dig laddades ner ${when(facts)}, efter en inloggning i två steg.`],
        notYou(facts),
      )
    : letter(
        facts,
        'Your data was downloaded',
        [
          `A file with all that we know of you was downloaded on ${when(facts)}, after a sign-in in two steps.`,
        ],
        notYou(facts),
      );
}

/** The account is gone. */
export function accountDeleted(facts: MailFacts): Message {
  return facts.locale === 'sv'
    ? letter(
        facts,
        'Ditt konto är borttaget',
        [`Ditt konto togs bort ${when(facts)}, med allt som hörde till det.`],
        notYou(facts),
      )
    : letter(
        facts,
        'Your account is deleted',
        [`Your account was deleted on ${when(facts)}, with all that belonged to it.`],
        notYou(facts),
      );
}
