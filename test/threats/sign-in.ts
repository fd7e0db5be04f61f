/** What an honest person does in a sign-in, for the attacks to start from; the clock stands where no step ends soon. */
import { PASSWORD, type Hemma } from '../rig/hemma.ts';
import type { Begun, RelyingParty } from '../rig/relying-party.ts';
import { travelTo } from '../rig/clock.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Visitor, type VisitorOptions } from '../rig/visitor.ts';
import type { NewUser } from '../../src/users/users.ts';

const STEP = 30_000;

/** Someone with a phone connected and a recovery code saved, and the browser they did it in. */
export interface Person {
  id: string;
  email: string;
  key: string;
  recoveryCode: string;
  /** Signed in, on the application's page. */
  browser: Visitor;
  begun: Begun;
}

/** Goes to just after the beginning of a later step, whose six digits nobody has used yet. */
export function nextStep(steps = 1): void {
  travelTo(new Date((Math.floor(Date.now() / STEP) + steps) * STEP + 500));
}

/** Opens the application's sign-in and proves the password; stands on the page behind it. */
export async function provePassword(
  browser: Visitor,
  party: RelyingParty,
  email: string,
  parameters: Record<string, string | null> = {},
): Promise<Begun> {
  const begun = await party.begin(parameters);
  await browser.visit(begun.url);
  await browser.submit({ email, password: PASSWORD });
  return begun;
}

/** The key on the enrolment page in front of the person. */
export const keyOn = ({ screen }: Visitor): string =>
  screen.page.querySelector('[data-key]')?.getAttribute('data-key') ?? '';

/** The recovery code on the page in front of the person. */
export const recoveryCodeOn = ({ screen }: Visitor): string =>
  screen.page.querySelector('[data-recovery-code]')?.getAttribute('data-recovery-code') ?? '';

/** From the enrolment page to the application: connects a phone and saves the recovery code. */
export async function connectPhone(browser: Visitor): Promise<{ key: string; recoveryCode: string }> {
  const key = keyOn(browser);
  nextStep();
  await browser.submit({ code: sixDigits(key) });
  const recoveryCode = recoveryCodeOn(browser);
  await browser.submit({ lastGroup: recoveryCode.slice(-4) });
  return { key, recoveryCode };
}

/** A new account whose person has signed in for the first time. */
export async function newPerson(
  hemma: Hemma,
  party: RelyingParty,
  wanted: Partial<NewUser> & { email: string },
  options: VisitorOptions = {},
): Promise<Person> {
  const { id, email } = await hemma.account(wanted);
  const browser = newVisitor(options);
  const begun = await provePassword(browser, party, email);
  return { id, email, ...(await connectPhone(browser)), browser, begun };
}

/** An ordinary sign-in in two steps, with the digits of a fresh step. */
export async function signIn(
  browser: Visitor,
  party: RelyingParty,
  person: Pick<Person, 'email' | 'key'>,
  parameters: Record<string, string | null> = {},
): Promise<Begun> {
  nextStep();
  const begun = await provePassword(browser, party, person.email, parameters);
  await browser.submit({ code: sixDigits(person.key) });
  return begun;
}

/** Whether the browser stands on the application's page with a code, which is what every attack is after. */
export const gotIn = ({ screen }: Visitor): boolean =>
  screen.step === 'back' && screen.url.searchParams.has('code');

/** The code of the refusal that the page in front of the person shows. */
export const refusalOn = ({ screen }: Visitor): string | undefined =>
  screen.page.querySelector('[data-refusal]')?.getAttribute('data-refusal');
