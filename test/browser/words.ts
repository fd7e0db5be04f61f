/**
 * What the pages say, as the product's style guide has it and not as its own phrase files do: a journey reads the
 * screen with the eyes of a person, so a wrong word is a fault.
 */
export interface Words {
  locale: 'sv-SE' | 'en-GB';
  signIn: string;
  signInTitle: string;
  continueTo: (application: string) => string;
  email: string;
  password: string;
  wrongPair: string;
  sixDigitsTitle: string;
  sixDigitsHelp: string;
  sixDigits: string;
  wrongDigits: string;
  usedDigits: string;
  remember: string;
  enrolTitle: string;
  cannotScan: string;
  openApp: string;
  typeDigits: string;
  connect: string;
  newCodeTitle: string;
  newCodeHelp: string;
  copy: string;
  copied: string;
  download: string;
  fileName: string;
  print: string;
  lastGroup: string;
  wrongLastGroup: string;
  saved: string;
  myDetails: string;
  signOut: string;
  signOutTitle: string;
  stayHere: string;
  signedOutOf: (application: string) => string;
  signInAgain: string;
  payments: string;
  payslips: string;
  mailTitle: string;
  mailField: string;
  mailAgain: string;
  goOn: string;
  twoStepOn: string;
  twoStepOff: string;
  codeMade: string;
  forget: string;
  allow: string;
  deny: string;
}

const sv: Words = {
  locale: 'sv-SE',
  signIn: 'Logga in',
  signInTitle: 'Logga in',
  continueTo: (application) => `för att fortsätta till ${application}`,
  email: 'E-postadress',
  password: 'Lösenord',
  wrongPair: 'E-postadressen eller lösenordet stämmer inte.',
  sixDigitsTitle: 'Skriv koden från din app',
  sixDigitsHelp: 'Öppna Google Authenticator eller din autentiseringsapp och skriv de sex siffrorna.',
  sixDigits: 'Sex siffror',
  wrongDigits: 'Koden stämmer inte. Vänta på nästa kod och försök igen.',
  usedDigits: 'Den koden är redan använd. Vänta på nästa, högst 30 sekunder.',
  remember: 'Kom ihåg den här enheten i 30 dagar',
  enrolTitle: 'Koppla din telefon',
  cannotScan: 'Jag kan inte skanna',
  openApp: 'Öppna appen på den här telefonen',
  typeDigits: 'Skriv de sex siffrorna som appen visar',
  connect: 'Koppla telefonen',
  newCodeTitle: 'Spara din engångskod',
  newCodeHelp: 'Den släpper in dig om telefonen försvinner. Vi visar den bara nu.',
  copy: 'Kopiera',
  copied: 'Kopierad',
  download: 'Ladda ner',
  fileName: 'engangskod.txt',
  print: 'Skriv ut',
  lastGroup: 'Skriv de fyra sista tecknen',
  wrongLastGroup: 'Tecknen stämmer inte med slutet på koden. Titta på de fyra sista och skriv dem igen.',
  saved: 'Jag har sparat koden',
  myDetails: 'Mina uppgifter',
  signOut: 'Logga ut',
  signOutTitle: 'Logga ut från allt här?',
  stayHere: 'Fortsätt vara inloggad här',
  signedOutOf: (application) => `Du är utloggad från ${application}`,
  signInAgain: 'Logga in igen',
  payments: 'Betalningar att godkänna',
  payslips: 'Lönebesked',
  mailTitle: 'Skriv koden från mejlet',
  mailField: 'Koden i mejlet',
  mailAgain: 'Skicka en ny kod',
  goOn: 'Fortsätt',
  twoStepOn: 'Tvåstegsverifiering är på, sedan',
  twoStepOff: 'Tvåstegsverifiering är av',
  codeMade: 'Du skapade och sparade din engångskod',
  forget: 'Glöm',
  allow: 'Tillåt',
  deny: 'Tillåt inte',
};

const en: Words = {
  locale: 'en-GB',
  signIn: 'Sign in',
  signInTitle: 'Sign in',
  continueTo: (application) => `to continue to ${application}`,
  email: 'Email address',
  password: 'Password',
  wrongPair: "That email address and password don't match.",
  sixDigitsTitle: 'Enter the code from your app',
  sixDigitsHelp: 'Open Google Authenticator or your authenticator app and type the six digits.',
  sixDigits: 'Six digits',
  wrongDigits: "That code isn't right. Wait for the next one and try again.",
  usedDigits: 'That code has been used. Wait for the next one, at most 30 seconds.',
  remember: 'Remember this device for 30 days',
  enrolTitle: 'Connect your phone',
  cannotScan: "I can't scan",
  openApp: 'Open the app on this phone',
  typeDigits: 'Type the six digits it shows',
  connect: 'Connect the phone',
  newCodeTitle: 'Save your recovery code',
  newCodeHelp: 'It lets you in if you lose your phone. We only show it now.',
  copy: 'Copy',
  copied: 'Copied',
  download: 'Download',
  fileName: 'recovery-code.txt',
  print: 'Print',
  lastGroup: 'Type the last four characters',
  wrongLastGroup: "That isn't how the code ends. Look at the last four characters and type them again.",
  saved: 'I have saved the code',
  myDetails: 'My details',
  signOut: 'Sign out',
  signOutTitle: 'Sign out of everything here?',
  stayHere: 'Stay signed in here',
  signedOutOf: (application) => `You are signed out of ${application}`,
  signInAgain: 'Sign in again',
  payments: 'Payments to approve',
  payslips: 'Payslips',
  mailTitle: 'Enter the code from the email',
  mailField: 'The code in the email',
  mailAgain: 'Send a new code',
  goOn: 'Continue',
  twoStepOn: 'Two-step verification is on, since',
  twoStepOff: 'Two-step verification is off',
  codeMade: 'You made and saved your recovery code',
  forget: 'Forget',
  allow: 'Allow',
  deny: "Don't allow",
};

export const words = { sv, en };
export type Language = keyof typeof words;
