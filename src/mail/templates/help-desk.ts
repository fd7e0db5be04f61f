import type { MailContext, Message } from '../letter.ts';
import { composeMail, toSingleLine, notYouText, formatSentAt } from '../letter.ts';

/** The person's own way to stop a case: a code that is typed, on a page that a link only opens. */
const disputeInstructions = (facts: MailContext, disputeCode: string) =>
  facts.locale === 'sv'
    ? `Var det inte du? Öppna ${facts.issuer}/help-desk/stop och skriv den här koden, så stoppas allt:\n\n    ${disputeCode}\n\nByt sedan ditt lösenord, och lämna aldrig ut det eller en kod till någon.`
    : `Was it not you? Open ${facts.issuer}/help-desk/stop and type this code, and everything is stopped:\n\n    ${disputeCode}\n\nThen change your password, and never give it or a code to anybody.`;

/** A case was opened, by whoever has the password or by an operator. */
export function caseOpenedMail(facts: MailContext, number: string, disputeCode: string): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        `Ditt ärende hos supporten: ${number}`,
        [
          `Ett ärende om en förlorad telefon öppnades för ditt konto ${formatSentAt(facts)}. Numret är ${number}.`,
          `Är det du? Kontakta ${facts.helpDesk} och säg numret.`,
        ],
        disputeInstructions(facts, disputeCode),
      )
    : composeMail(
        facts,
        `Your case at the help desk: ${number}`,
        [
          `A case about a lost phone was opened for your account on ${formatSentAt(facts)}. Its number is ${number}.`,
          `Is it you? Contact ${facts.helpDesk} and say the number.`,
        ],
        disputeInstructions(facts, disputeCode),
      );
}

/** The code itself. It goes to the sign-in address and nowhere else, and nobody at the help desk sees it. */
export function helpDeskCodeMail(facts: MailContext, code: string): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        'Din kod för att koppla en ny telefon',
        [
          'Logga in med ditt lösenord som vanligt. Skriv den här koden där du annars skriver de sex siffrorna eller din engångskod:',
          `    ${code}`,
          'Koden gäller i en timme, en gång, och bara för att koppla en ny telefon. Din sparade engångskod gäller inte längre; du får en ny.',
        ],
        'Ingen hos supporten kan se koden, och ingen där frågar efter den. Lämna aldrig ut den till någon.',
      )
    : composeMail(
        facts,
        'Your code for connecting a new phone',
        [
          'Sign in with your password as usual. Type this code where you otherwise type the six digits or your recovery code:',
          `    ${code}`,
          'The code works for an hour, once, and only for connecting a new phone. Your saved recovery code no longer works; you get a new one.',
        ],
        'Nobody at the help desk can see the code, and nobody there asks for it. Never give it to anybody.',
      );
}

/** A code was sent; this notice carries the way to stop it, and not the code. */
export function helpDeskCodeSentMail(facts: MailContext, number: string, disputeCode: string): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        'Supporten har skickat en kod till dig',
        [
          `Supporten skickade en kod till din e-postadress ${formatSentAt(facts)}, i ärende ${number}. Tillsammans med ditt lösenord kopplar den en ny telefon.`,
        ],
        disputeInstructions(facts, disputeCode),
      )
    : composeMail(
        facts,
        'The help desk has sent you a code',
        [
          `The help desk sent a code to your email address on ${formatSentAt(facts)}, in case ${number}. Together with your password it connects a new phone.`,
        ],
        disputeInstructions(facts, disputeCode),
      );
}

/** Somebody typed the code from the help desk after the right password. */
export function helpDeskCodeUsedMail(facts: MailContext): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        'Koden från supporten har använts',
        [
          `Någon med ditt lösenord skrev koden från supporten ${formatSentAt(facts)}. Nästa steg är att koppla en ny telefon.`,
        ],
        notYouText(facts),
      )
    : composeMail(
        facts,
        'The code from the help desk was used',
        [
          `Somebody with your password typed the code from the help desk on ${formatSentAt(facts)}. The next step is to connect a new phone.`,
        ],
        notYouText(facts),
      );
}

/** An operator closed it. */
export function caseClosedMail(facts: MailContext, number: string): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        `Ärende ${number} är stängt`,
        [
          `Supporten stängde ärende ${number} ${formatSentAt(facts)}. En kod från supporten som inte var använd gäller inte längre.`,
        ],
        `Behöver du fortfarande hjälp? Kontakta ${facts.helpDesk}.`,
      )
    : composeMail(
        facts,
        `Case ${number} is closed`,
        [
          `The help desk closed case ${number} on ${formatSentAt(facts)}. A code from the help desk that was not used no longer works.`,
        ],
        `Do you still need help? Contact ${facts.helpDesk}.`,
      );
}

/** Nobody did anything in it for so many days. */
export function caseExpiredMail(facts: MailContext, number: string, days: number): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        `Ärende ${number} är stängt`,
        [
          `Inget har hänt i ärende ${number} på ${days} dagar, så det stängdes ${formatSentAt(facts)}. En kod från supporten som inte var använd gäller inte längre.`,
        ],
        `Behöver du fortfarande hjälp? Kontakta ${facts.helpDesk}.`,
      )
    : composeMail(
        facts,
        `Case ${number} is closed`,
        [
          `Nothing has happened in case ${number} for ${days} days, so it was closed on ${formatSentAt(facts)}. A code from the help desk that was not used no longer works.`,
        ],
        `Do you still need help? Contact ${facts.helpDesk}.`,
      );
}

/** The person stopped it. */
export function caseDisputedMail(facts: MailContext, number: string): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        `Ärende ${number} är stoppat`,
        [
          `Någon skrev stoppkoden ur vårt mejl ${formatSentAt(facts)}. Ärendet är stängt, och en kod från supporten som inte var använd gäller inte längre.`,
          `Öppnade du inte ärendet själv har någon annan ditt lösenord: byt det nu.`,
        ],
        notYouText(facts),
      )
    : composeMail(
        facts,
        `Case ${number} is stopped`,
        [
          `Somebody typed the stop code from our email on ${formatSentAt(facts)}. The case is closed, and a code from the help desk that was not used no longer works.`,
          `If you did not open the case yourself, somebody else has your password: change it now.`,
        ],
        notYouText(facts),
      );
}

/** An operator asked to begin anew; another one may allow it at any moment. */
export function accountResetRequestedMail(facts: MailContext, number: string, disputeCode: string): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        'Supporten vill nollställa ditt konto',
        [
          `I ärende ${number} bad en handläggare ${formatSentAt(facts)} om att nollställa ditt konto: lösenord, telefon och engångskod slutar då gälla, och du bjuds in på nytt. En annan handläggare måste godkänna det.`,
        ],
        disputeInstructions(facts, disputeCode),
      )
    : composeMail(
        facts,
        'The help desk wants to reset your account',
        [
          `In case ${number} an operator asked on ${formatSentAt(facts)} to reset your account: password, phone and recovery code then stop working, and you are invited anew. Another operator has to approve it.`,
        ],
        disputeInstructions(facts, disputeCode),
      );
}

/** Password and phone were lost together, and two operators agreed: everything begins anew. The link only opens a page. */
export function accountResetInvitationMail(facts: MailContext): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        `Börja om med ditt konto i ${toSingleLine(facts.brand)}`,
        [
          `Supporten har nollställt ditt konto ${formatSentAt(facts)}. Ditt gamla lösenord, din telefon och din engångskod gäller inte längre, och du är utloggad överallt.`,
          `Öppna ${facts.issuer}/account och välj ”Glömt lösenordet?”. Då får du en kod hit, väljer ett lösenord och kopplar din telefon.`,
        ],
        notYouText(facts),
      )
    : composeMail(
        facts,
        `Begin anew with your account at ${toSingleLine(facts.brand)}`,
        [
          `The help desk has reset your account on ${formatSentAt(facts)}. Your old password, your phone and your recovery code no longer work, and you are signed out everywhere.`,
          `Open ${facts.issuer}/account and choose “Forgotten your password?”. You get a code here, choose a password and connect your phone.`,
        ],
        notYouText(facts),
      );
}
