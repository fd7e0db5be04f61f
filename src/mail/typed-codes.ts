import type { MailContext, Message } from './letter.ts';
import { composeMail, notYouText } from './letter.ts';

/** A typed code, before a phone may be connected. It is typed on the page that asked; no link changes anything. */
export function enrollmentCodeMail(facts: MailContext, code: string): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        'Din kod för att koppla en telefon',
        [
          `Någon som kan ditt lösenord vill koppla en telefon till ditt konto. Är det du? Skriv den här koden på sidan som väntar:`,
          `    ${code}`,
          'Koden gäller i tio minuter.',
        ],
        notYouText(facts),
      )
    : composeMail(
        facts,
        'Your code for connecting a phone',
        [
          `Somebody who knows your password wants to connect a phone to your account. Is it you? Type this code on the page that is waiting:`,
          `    ${code}`,
          'The code works for ten minutes.',
        ],
        notYouText(facts),
      );
}

/** A typed code that stands in for a forgotten password; the second factor is still asked. */
export function passwordCodeMail(facts: MailContext, code: string): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        'Din kod för att välja ett nytt lösenord',
        [
          'Någon vill välja ett nytt lösenord för ditt konto. Är det du? Skriv den här koden på sidan som väntar:',
          `    ${code}`,
          'Koden gäller i tio minuter, och den kod som din telefon visar behövs också.',
        ],
        notYouText(facts),
      )
    : composeMail(
        facts,
        'Your code for choosing a new password',
        [
          'Somebody wants to choose a new password for your account. Is it you? Type this code on the page that is waiting:',
          `    ${code}`,
          'The code works for ten minutes, and the code that your phone shows is needed as well.',
        ],
        notYouText(facts),
      );
}

/** A code that is typed together with the password while the password is throttled. */
export function throttledPasswordCode(facts: MailContext, code: string): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        'Din kod för att logga in',
        [
          'Någon vill logga in på ditt konto. Är det du? Skriv den här koden tillsammans med ditt lösenord:',
          `    ${code}`,
          'Koden gäller i tio minuter, i webbläsaren som bad om den.',
        ],
        'Var det inte du? Då behöver du inte göra något: koden fungerar bara med ditt lösenord. Lämna aldrig ut den till någon.',
      )
    : composeMail(
        facts,
        'Your code for signing in',
        [
          'Someone wants to sign in to your account. Is it you? Type this code together with your password:',
          `    ${code}`,
          'The code works for ten minutes, in the browser that asked for it.',
        ],
        'Was it not you? Then you need not do anything: the code only works with your password. Never give it to anyone.',
      );
}

/** A typed code at an address that is to hear of what happens to an account. */
export function noticeEmailCodeMail(facts: MailContext, code: string): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        'Bekräfta din extra adress för meddelanden',
        [
          `Skriv den här koden på sidan som väntar, så får även den här adressen våra meddelanden om ditt konto i ${facts.brand}:`,
          `    ${code}`,
          'Koden gäller i tio minuter. Ingen loggar in med den här adressen.',
        ],
        'Var det inte du? Då har någon skrivit fel adress, och du behöver inte göra något.',
      )
    : composeMail(
        facts,
        'Confirm your second address for notices',
        [
          `Type this code on the page that is waiting, and this address gets our notices about your ${facts.brand} account as well:`,
          `    ${code}`,
          'The code works for ten minutes. Nobody signs in with this address.',
        ],
        'Was it not you? Then somebody mistyped their address, and you need not do anything.',
      );
}

/** A typed code at an address that somebody wants to sign in with from now on. */
export function emailCodeMail(facts: MailContext, code: string): Message {
  return facts.locale === 'sv'
    ? composeMail(
        facts,
        'Bekräfta din nya e-postadress',
        [
          `Skriv den här koden på sidan som väntar, så blir det här adressen som du loggar in med i ${facts.brand}:`,
          `    ${code}`,
          'Koden gäller i tio minuter.',
        ],
        'Var det inte du? Då har någon skrivit fel adress, och du behöver inte göra något.',
      )
    : composeMail(
        facts,
        'Confirm your new email address',
        [
          `Type this code on the page that is waiting, and this becomes the address that you sign in to ${facts.brand} with:`,
          `    ${code}`,
          'The code works for ten minutes.',
        ],
        'Was it not you? Then somebody mistyped their address, and you need not do anything.',
      );
}
