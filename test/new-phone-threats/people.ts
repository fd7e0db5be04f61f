/** People with a phone and a code on paper, and thieves who have a part of that: where the attacks of this folder begin. */
import { signInFirst } from '../rig/ceremony.ts';
import { travelTo } from '../rig/clock.ts';
import { PASSWORD } from '../rig/hemma.ts';
import type { MailServer } from '../rig/mail.ts';
import type { Begun, RelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Screen, type Visitor } from '../rig/visitor.ts';
import type { User, NewUser } from '../../src/users/users.ts';

const STEP = 30_000;

/** Goes to just after the beginning of a later step, whose six digits nobody has used yet. */
export function nextStep(steps = 1): void {
  travelTo(new Date((Math.floor(Date.now() / STEP) + steps) * STEP + 500));
}

/** What the people of this file need of a provider: in this process, or two others. */
export interface Town {
  issuer: string;
  mail: MailServer;
  account(wanted: Partial<NewUser> & { email: string }): Promise<User>;
}

export interface Person {
  id: string;
  email: string;
  key: string;
  recoveryCode: string;
  /** Signed in, on the application's page. */
  browser: Visitor;
  begun: Begun;
}

/** An account whose person has signed in for the first time. */
export async function newPerson(
  town: Town,
  party: RelyingParty,
  email: string,
  wanted: Partial<NewUser> = {},
): Promise<Person> {
  const { id } = await town.account({ ...wanted, email });
  const browser = newVisitor();
  const begun = await party.begin();
  return { id, email, browser, begun, ...(await signInFirst(browser, begun.url, email)) };
}

/** The link that My details has for a deed. Anybody can send it to anybody. */
export function deedUrl({ issuer }: Pick<Town, 'issuer'>, intent: string): string {
  const url = new URL('/auth', issuer);
  url.search = new URLSearchParams({
    client_id: 'hemma-account',
    response_type: 'none',
    scope: 'openid',
    redirect_uri: `${issuer}/account`,
    prompt: 'login',
    intent,
  }).toString();
  return url.href;
}

/** Opens an address and proves the password; stands on the page behind it. */
export async function provePassword(
  browser: Visitor,
  url: string,
  email: string,
  password = PASSWORD,
): Promise<Screen> {
  await browser.visit(url);
  return browser.submit({ email, password });
}

/** Password and the digits of a fresh step; stands on the page behind both. */
export async function proveBoth(
  browser: Visitor,
  url: string,
  { email, key }: Pick<Person, 'email' | 'key'>,
  password = PASSWORD,
): Promise<Screen> {
  nextStep();
  await provePassword(browser, url, email, password);
  return browser.submit({ code: sixDigits(key) });
}

/** Password and recovery code; stands where the page asks about the phone, or behind it. */
export async function proveByCode(
  browser: Visitor,
  url: string,
  { email, recoveryCode }: Pick<Person, 'email' | 'recoveryCode'>,
): Promise<Screen> {
  await provePassword(browser, url, email);
  return browser.submit({ code: recoveryCode });
}

/** The address of another page of the sign-in in front of the person. */
export function pageOf({ screen }: Visitor, step: string): string {
  const uid = screen.url.pathname.split('/')[2] ?? '';
  return `${screen.url.origin}/interaction/${uid}/${step}`;
}

export const tokenOn = ({ screen }: Visitor): string =>
  screen.page.querySelector('main input[name=token]')?.getAttribute('value') ?? '';

/** The key of the QR code on any page that shows one; empty where none is. */
export const keyOn = ({ page }: Screen): string =>
  page.querySelector('[data-key]')?.getAttribute('data-key') ?? '';

export const codeOn = ({ page }: Screen): string =>
  page.querySelector('[data-recovery-code]')?.getAttribute('data-recovery-code') ?? '';

/** Whether the browser stands on the application's page with a code, which is what every attack is after. */
export const gotIn = ({ screen }: Visitor): boolean =>
  screen.step === 'back' && screen.url.searchParams.has('code');

/** The page that the sign-in has got to, asked for anew: a page that stands open beside another does not count. */
export async function standsAt(browser: Visitor): Promise<string | undefined> {
  if (!browser.screen.url.pathname.startsWith('/interaction/')) return browser.screen.step;
  return (await browser.visit(pageOf(browser, ''))).step;
}

/** The eight digits of the next unread mail to an address. */
export async function mailedCodeTo({ mail }: Town, address: string): Promise<string> {
  const { text } = await mail.mailTo(address, /\d{4} \d{4}/);
  return /\d{4} \d{4}/.exec(text)?.[0] ?? '';
}

/** Asks for a code for a forgotten password and types it; stands on the page behind it. */
export async function proveMailbox(
  browser: Visitor,
  town: Town,
  url: string,
  email: string,
): Promise<Screen> {
  await browser.visit(url);
  await browser.visit(pageOf(browser, 'forgotten-password'));
  await browser.submit({ email });
  return browser.submit({ code: await mailedCodeTo(town, email) });
}
