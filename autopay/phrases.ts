import type { Language } from './language.ts';
import type { AppName } from './settings.ts';

/** The name is a name: it is the same in every language. */
export const APP_NAMES: Record<AppName, string> = { autopay: 'Autopay', lon: 'Lön' };

const sv = {
  locale: 'sv-SE',
  otherLanguage: { tag: 'en', name: 'English' },
  signIn: 'Logga in',
  signInAgain: 'Logga in igen',
  signOut: 'Logga ut',
  myDetails: 'Mina uppgifter',
  newPhone: 'Ny telefon?',
  tryAgain: 'Försök igen',
  toStart: 'Till startsidan',
  example: 'Ett exempel att prova med. Inga pengar flyttas.',
  supportCode: 'Kod för supporten:',
  welcome: {
    autopay: {
      title: 'Godkänn betalningar, tryggt och i tid',
      text: 'Här ser du företagets betalningar och godkänner dem innan de går till banken.',
    },
    lon: {
      title: 'Dina lönebesked på ett ställe',
      text: 'Här ser du vad du har tjänat, vad som dras i skatt och när pengarna kommer.',
    },
    where: (host: string) => `Du loggar in på ${host} och kommer sedan tillbaka hit.`,
  },
  payments: {
    title: 'Betalningar att godkänna',
    waiting: (count: number, sum: string) =>
      count === 1
        ? `1 betalning väntar på dig, ${sum}.`
        : `${count} betalningar väntar på dig, tillsammans ${sum}.`,
    noneWaiting: 'Allt är godkänt. Inget väntar på dig.',
    payee: 'Mottagare',
    reference: 'Referens',
    due: 'Betalas',
    amount: 'Belopp',
    decision: 'Beslut',
    approve: 'Godkänn',
    approveWhat: (payee: string, sum: string) => ` betalningen till ${payee}, ${sum}`,
    approved: 'Godkänd',
    stepUp:
      'Var det mer än fem minuter sedan du loggade in? Då gör du det igen när du godkänner, med två steg.',
  },
  notApproved: {
    title: 'Betalningen godkändes inte',
    stillWaiting: (payee: string, sum: string) =>
      `Betalningen till ${payee}, ${sum}, väntar kvar. Inga pengar är på väg.`,
    toPayments: 'Till betalningarna',
    reasons: {
      declined: 'Inloggningen avbröts. Godkänn igen när du vill.',
      refused:
        'Inloggningstjänsten sa nej den här gången. Godkänn igen, och hör av dig till supporten om det händer en gång till.',
      lost: 'Din inloggning tog för lång tid eller användes redan. Godkänn igen, så går det oftast bra.',
      unreachable: 'Inloggningstjänsten svarar inte just nu. Vänta en stund och godkänn igen.',
      trouble: 'Inloggningstjänsten har bekymmer. Vänta en stund och godkänn igen.',
      someoneElse:
        'Den som loggade in är en annan än den som ville godkänna. För säkerhets skull gjorde vi ingenting.',
      signedOut: 'Du är inte inloggad här längre. Logga in och godkänn igen.',
      tooWeak:
        'Det behövs en inloggning med två steg, och den här hade bara ett. Godkänn igen och använd din telefon.',
      tooOld:
        'Det gick för lång tid efter inloggningen. Godkänn igen, och kom tillbaka hit inom fem minuter.',
    },
  },
  payslips: {
    title: 'Lönebesked',
    lead: (sum: string, date: string) => `Senaste lönen: ${sum}, utbetald ${date}.`,
    month: 'Månad',
    paid: 'Utbetald',
    gross: 'Lön före skatt',
    tax: 'Skatt',
    net: 'Till dig',
  },
  signedOut: {
    title: (app: string) => `Du är utloggad från ${app}`,
    text: 'Du kan stänga fönstret.',
    hereOnly:
      'Inloggningstjänsten svarade inte, så du kan vara inloggad i andra tjänster. Delar du datorn med andra? Stäng webbläsaren.',
  },
  problems: {
    declined: {
      title: 'Inloggningen avbröts',
      text: 'Den blev inte klar. Börja om när du vill.',
    },
    refused: {
      title: 'Inloggningen gick inte igenom',
      text: 'Inloggningstjänsten sa nej den här gången. Försök igen, och hör av dig till supporten om det händer en gång till.',
    },
    lost: {
      title: 'Vi tappade bort din inloggning',
      text: 'Den tog för lång tid, användes redan eller började i en annan webbläsare. Börja om, så går det oftast bra.',
    },
    unreachable: {
      title: 'Inloggningen går inte att nå just nu',
      text: 'Inloggningstjänsten svarar inte. Vänta en stund och försök igen.',
    },
    trouble: {
      title: 'Inloggningstjänsten har bekymmer',
      text: 'Vi kunde inte slutföra inloggningen. Vänta en stund och försök igen.',
    },
    sessionEnded: {
      title: 'Du är inte inloggad längre',
      text: 'Det du gjorde nyss sparades inte. Logga in igen och gör om det.',
    },
    otherSite: {
      title: 'Det där kom inte från vår sida',
      text: 'För säkerhets skull gjorde vi ingenting. Gå till startsidan och försök därifrån.',
    },
    form: {
      title: 'Vi förstod inte det du skickade',
      text: 'Ingenting sparades. Gå till startsidan och försök därifrån.',
    },
    notFound: { title: 'Sidan finns inte', text: 'Adressen kan vara gammal eller felskriven.' },
    internal: {
      title: 'Något gick fel hos oss',
      text: 'Det var inte ditt fel. Vänta en stund och försök igen.',
    },
  },
};

const en: typeof sv = {
  locale: 'en-GB',
  otherLanguage: { tag: 'sv', name: 'Svenska' },
  signIn: 'Sign in',
  signInAgain: 'Sign in again',
  signOut: 'Sign out',
  myDetails: 'My details',
  newPhone: 'New phone?',
  tryAgain: 'Try again',
  toStart: 'To the start page',
  example: 'An example to try things with. No money moves.',
  supportCode: 'Code for support:',
  welcome: {
    autopay: {
      title: 'Approve payments, safely and on time',
      text: 'See what your company is about to pay, and approve it before it goes to the bank.',
    },
    lon: {
      title: 'Your payslips in one place',
      text: 'See what you have earned, what goes in tax and when the money arrives.',
    },
    where: (host: string) => `You sign in at ${host} and then come back here.`,
  },
  payments: {
    title: 'Payments to approve',
    waiting: (count: number, sum: string) =>
      count === 1
        ? `1 payment is waiting for you, ${sum}.`
        : `${count} payments are waiting for you, ${sum} in all.`,
    noneWaiting: 'Everything is approved. Nothing is waiting for you.',
    payee: 'Payee',
    reference: 'Reference',
    due: 'Pay on',
    amount: 'Amount',
    decision: 'Decision',
    approve: 'Approve',
    approveWhat: (payee: string, sum: string) => ` the payment to ${payee}, ${sum}`,
    approved: 'Approved',
    stepUp:
      'Was it more than five minutes since you signed in? Then you do it again when you approve, in two steps.',
  },
  notApproved: {
    title: 'The payment was not approved',
    stillWaiting: (payee: string, sum: string) =>
      `The payment to ${payee}, ${sum}, is still waiting. No money is on its way.`,
    toPayments: 'To the payments',
    reasons: {
      declined: 'The sign-in was stopped. Approve again whenever you like.',
      refused:
        'The sign-in service said no this time. Approve again, and contact support if it happens once more.',
      lost: 'Your sign-in took too long or was used already. Approving again usually works.',
      unreachable: 'The sign-in service does not answer right now. Wait a moment and approve again.',
      trouble: 'The sign-in service has trouble. Wait a moment and approve again.',
      someoneElse: 'Whoever signed in is not the person who wanted to approve. To be safe we did nothing.',
      signedOut: 'You are no longer signed in here. Sign in and approve again.',
      tooWeak:
        'A sign-in in two steps is needed, and this one had only one. Approve again and use your phone.',
      tooOld:
        'Too much time went by after the sign-in. Approve again, and come back here within five minutes.',
    },
  },
  payslips: {
    title: 'Payslips',
    lead: (sum: string, date: string) => `Latest pay: ${sum}, paid on ${date}.`,
    month: 'Month',
    paid: 'Paid on',
    gross: 'Pay before tax',
    tax: 'Tax',
    net: 'To you',
  },
  signedOut: {
    title: (app: string) => `You are signed out of ${app}`,
    text: 'You can close this window.',
    hereOnly:
      'The sign-in service did not answer, so you may still be signed in to other services. Do you share this computer? Close the browser.',
  },
  problems: {
    declined: {
      title: 'The sign-in was stopped',
      text: 'It was not finished. Start again whenever you like.',
    },
    refused: {
      title: 'The sign-in did not go through',
      text: 'The sign-in service said no this time. Try again, and contact support if it happens once more.',
    },
    lost: {
      title: 'We lost track of your sign-in',
      text: 'It took too long, was used already or began in another browser. Starting again usually works.',
    },
    unreachable: {
      title: 'Sign-in cannot be reached right now',
      text: 'The sign-in service does not answer. Wait a moment and try again.',
    },
    trouble: {
      title: 'The sign-in service has trouble',
      text: 'We could not finish your sign-in. Wait a moment and try again.',
    },
    sessionEnded: {
      title: 'You are no longer signed in',
      text: 'What you just did was not saved. Sign in again and do it once more.',
    },
    otherSite: {
      title: 'That did not come from our page',
      text: 'To be safe we did nothing. Go to the start page and try from there.',
    },
    form: {
      title: 'We did not understand what you sent',
      text: 'Nothing was saved. Go to the start page and try from there.',
    },
    notFound: { title: 'There is no such page', text: 'The address may be old or mistyped.' },
    internal: {
      title: 'Something went wrong on our side',
      text: 'It was not your fault. Wait a moment and try again.',
    },
  },
};

export type Phrases = typeof sv;
export type ProblemName = keyof Phrases['problems'];
export type NotApprovedReason = keyof Phrases['notApproved']['reasons'];

export const PHRASES: Record<Language, Phrases> = { sv, en };
