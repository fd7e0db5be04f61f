/** A person of the protocol tests: an account, a browser and a phone that never shows the same digits twice. */
import { decodeJwt, type JWTPayload } from 'jose';
import type { User } from '../../src/users/users.ts';
import { travel } from '../rig/clock.ts';
import { type Hemma, PASSWORD } from '../rig/hemma.ts';
import type { Begun, RelyingParty, Tokens } from '../rig/relying-party.ts';
import { scan, sixDigits } from '../rig/totp.ts';
import { newVisitor, type Screen, type Visitor } from '../rig/visitor.ts';

export interface Person {
  account: User;
  visitor: Visitor;
  phone: Phone;
  /** The pages of the last sign-in, in order. */
  steps: string[];
  /** Opens an address and answers every page of a sign-in until there is none; `remember` ticks the box. */
  signIn(url: string, how?: { remember?: boolean; consent?: 'allow' | 'deny' }): Promise<Screen>;
  /** The same from a page that is there already. */
  answer(screen: Screen, how?: Parameters<Person['signIn']>[1]): Promise<Screen>;
  /** Signs in to an application and redeems the code. */
  signInTo(party: RelyingParty, parameters?: Record<string, string | null>): Promise<SignedIn>;
  /** The same person at another computer, or the same without cookies. */
  elsewhere(): Person;
}

export interface SignedIn {
  begun: Begun;
  screen: Screen;
  tokens: Tokens;
  claims: JWTPayload & { acr?: string; amr?: string[]; auth_time?: number; sid?: string };
}

export interface Phone {
  key: string | undefined;
  last: number;
  /** What is on paper beside it. */
  recoveryCode?: string;
}

/** The next digits that the phone shows and that were not used yet; goes forward in time where they are too far. */
function nextDigits(phone: Phone): string {
  const now = () => Math.floor(Date.now() / 30_000);
  const wanted = Math.max(phone.last + 1, now() - 1);
  if (wanted > now() + 1) travel((wanted - 1 - now()) * 30_000);
  phone.last = wanted;
  return sixDigits(phone.key ?? '', { at: wanted * 30_000 });
}

function answerTo(screen: Screen, person: Person, phone: Phone, how: Parameters<Person['signIn']>[1]) {
  switch (screen.step ?? '') {
    case 'password':
      return { email: person.account.email, password: PASSWORD };
    case 're-enrollment':
    case 'enrollment':
      phone.key = scan(
        screen.page.querySelector('a[href^="otpauth:"]')?.getAttribute('href')?.replaceAll('&amp;', '&') ??
          '',
      ).key;
      return { code: nextDigits(phone) };
    case 'totp':
      return { code: nextDigits(phone), ...(how?.remember ? { rememberDevice: 'yes' } : {}) };
    case 'new-recovery-code':
      phone.recoveryCode =
        screen.page.querySelector('[data-recovery-code]')?.getAttribute('data-recovery-code') ?? '';
      return { lastGroup: phone.recoveryCode.slice(-4) };
    case 'consent':
      return {};
    default:
      return undefined;
  }
}

function personOf(account: User, phone: Phone): Person {
  const visitor = newVisitor();
  const person: Person = {
    account,
    visitor,
    phone,
    steps: [],
    signIn: async (url, how = {}) => person.answer(await visitor.visit(url), how),
    async answer(first, how = {}) {
      person.steps = [];
      let screen = first;
      for (let page = 0; page < 10; page++) {
        const answer = answerTo(screen, person, phone, how);
        if (!answer) return screen;
        person.steps.push(screen.step ?? '');
        const button = screen.step === 'consent' ? `choice=${how.consent ?? 'allow'}` : undefined;
        screen = await visitor.submit(answer, button);
      }
      throw new Error(`the sign-in has no end: ${person.steps.join(', ')}; ${screen.alert ?? ''}`);
    },
    async signInTo(party, parameters = {}) {
      const begun = await party.begin(parameters);
      const screen = await person.signIn(begun.url);
      if (screen.step !== 'back') throw new Error(`ended at ${screen.url.href}: ${screen.text}`);
      const maxAge = parameters['max_age'] ? Number(parameters['max_age']) : undefined;
      const tokens = await party.redeem(begun, screen.url, maxAge);
      return { begun, screen, tokens, claims: decodeJwt(tokens.id_token ?? '') };
    },
    elsewhere: () => personOf(account, phone),
  };
  return person;
}

let people = 0;

/** A new person; `twoStep: false` may sign in with a password alone. */
export async function newPerson(hemma: Hemma, { twoStep = true } = {}): Promise<Person> {
  const email = `person-${(people += 1)}@example.com`;
  const account = await hemma.account({ email, twoStepRequired: twoStep });
  return personOf(account, { key: undefined, last: 0 });
}
