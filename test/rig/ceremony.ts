/** What a person does on the pages of a sign-in, step by step, for tests that are about something further on. */
import { PASSWORD } from './hemma.ts';
import { scan, sixDigits } from './totp.ts';
import type { Screen, Visitor } from './visitor.ts';

/** A phone with the key in it, and the recovery code on paper. */
export interface Kept {
  key: string;
  recoveryCode: string;
}

/** Says at which page the person stands instead, when it is not the one that a test goes on from. */
export function at(step: string, screen: Screen): Screen {
  if (screen.step === step) return screen;
  const place = `${screen.status} ${screen.url.href}, step ${screen.step ?? 'none'}`;
  throw new Error(`not at ${step} but at ${place}: ${screen.alert ?? screen.text.slice(0, 300)}`);
}

export const typePassword = (visitor: Visitor, email: string, password = PASSWORD): Promise<Screen> => {
  at('password', visitor.screen);
  return visitor.submit({ email, password });
};

/** The key of the QR code on the page, read from the link that opens the app. */
export function keyOnPage(screen: Screen): string {
  const link = at('enrollment', screen).page.querySelector('a[href^="otpauth:"]')?.getAttribute('href');
  return scan(link ?? '').key;
}

export function recoveryCodeOnPage(screen: Screen): string {
  const shown = at('new-recovery-code', screen).page.querySelector('[data-recovery-code]');
  return shown?.getAttribute('data-recovery-code') ?? '';
}

/** Scans the QR code, types the digits, keeps the new recovery code and types its last group back. */
export async function connectPhone(visitor: Visitor): Promise<Kept> {
  const key = keyOnPage(visitor.screen);
  const next = await visitor.submit({ code: sixDigits(key) });
  const recoveryCode = recoveryCodeOnPage(next);
  await visitor.submit({ lastGroup: recoveryCode.slice(-4) });
  return { key, recoveryCode };
}

/** The whole first sign-in (J1), from the application's link back to the application. */
export async function signInFirst(visitor: Visitor, url: string, email: string): Promise<Kept> {
  await visitor.visit(url);
  await typePassword(visitor, email);
  const kept = await connectPhone(visitor);
  at('back', visitor.screen);
  return kept;
}

/** An ordinary sign-in (J2): password, six digits. A code works once, so mind the clock between two of them. */
export async function signIn(visitor: Visitor, url: string, email: string, key: string): Promise<Screen> {
  await visitor.visit(url);
  at('totp', await typePassword(visitor, email));
  return at('back', await visitor.submit({ code: sixDigits(key) }));
}
