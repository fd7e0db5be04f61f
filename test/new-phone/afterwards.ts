/** What is left when somebody dropped out on the way, and the way in from there. */
import { expect } from '@jest/globals';
import { at, connectPhone, type Kept, recoveryCodeOnPage, typePassword } from '../rig/ceremony.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import type { Trip } from './journeys.ts';
import { codeOpens, digitsOpen, newKeyOnPage, nextDigits, recover, toSixDigits } from './people.ts';

export interface Lives {
  oldPhone: boolean;
  oldCode: boolean;
  newPhone: boolean;
  newCode: boolean;
}

export const NOTHING: Lives = { oldPhone: false, oldCode: false, newPhone: false, newCode: false };
export const THE_OLD: Lives = { ...NOTHING, oldPhone: true, oldCode: true };
export const NEW_PHONE: Lives = { ...NOTHING, newPhone: true };
export const THE_NEW: Lives = { ...NOTHING, newPhone: true, newCode: true };

/** The person scans the QR code, or writes the code down, that stands on the page now. */
function takeWhatIsShown(trip: Trip): void {
  const { screen } = trip.visitor;
  if (screen.step === 'enrollment' || screen.step === 're-enrollment') trip.newKey = newKeyOnPage(screen);
  if (screen.step === 'new-recovery-code') trip.newCode = recoveryCodeOnPage(screen);
}

/** Tries everything that the person has, in other browsers. A code that opens is not spent by that. */
export async function whatLives(trip: Trip): Promise<Lives> {
  takeWhatIsShown(trip);
  const { town, person, newKey, newCode } = trip;
  const oldPhone = await digitsOpen(town, person, person.key);
  if (oldPhone === 'off') return NOTHING;
  return {
    oldPhone,
    oldCode: await codeOpens(town, person, person.recoveryCode),
    newPhone: newKey !== undefined && (await digitsOpen(town, person, newKey)) === true,
    newCode: newCode !== undefined && (await codeOpens(town, person, newCode)),
  };
}

async function byNewPhone({ person }: Trip, visitor: Visitor, url: string, key: string): Promise<Kept> {
  await toSixDigits(visitor, url, person.email);
  await visitor.submit({ code: nextDigits(key) });
  if (visitor.screen.step === 'back') return { key, recoveryCode: '' };
  // No code lived: a new one is shown before the sign-in ends (DESIGN §5).
  const recoveryCode = recoveryCodeOnPage(visitor.screen);
  await visitor.submit({ lastGroup: recoveryCode.slice(-4) });
  return { key, recoveryCode };
}

async function byMail({ town, person }: Trip, visitor: Visitor, url: string): Promise<Kept> {
  await visitor.visit(url);
  // The browser that deactivated may connect a phone for ten minutes; any other proves the mailbox first.
  if ((await typePassword(visitor, person.email)).step === 'enrollment') return connectPhone(visitor);
  at('mailed-code', visitor.screen);
  // The latest: looking at what lives has had some sent already.
  for (;;) {
    const mail = await town.hemma.mail.mailTo(person.email, /\d{4} \d{4}/);
    await visitor.submit({ code: /\d{4} \d{4}/.exec(mail.text)?.[0] ?? '' });
    if (visitor.screen.step === 'enrollment') return connectPhone(visitor);
  }
}

/**
 * The person, whose old phone is gone, gets in by what is left, ends at Autopay and has a phone and a code that
 * live; the code of before opens nothing more. Somebody signed in is asked anew.
 */
export async function getsIn(trip: Trip, lives: Lives, visitor = newVisitor()): Promise<Kept> {
  const { town, person, newKey = '', newCode = '' } = trip;
  const { url } = await town.autopay.begin({ prompt: 'login' });
  const by = async (): Promise<Kept> => {
    if (lives.newPhone) return byNewPhone(trip, visitor, url, newKey);
    if (lives.newCode) return recover(visitor, url, { ...person, recoveryCode: newCode });
    return lives.oldCode ? recover(visitor, url, person) : byMail(trip, visitor, url);
  };
  const kept = await by();
  at('back', visitor.screen);
  const code = kept.recoveryCode || newCode;
  expect(await codeOpens(town, person, person.recoveryCode)).toBe(false);
  return { key: kept.key, recoveryCode: code };
}
