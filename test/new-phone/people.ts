/** People with a phone in the pocket and a code on paper, and what of it still opens a sign-in. */
import { at, type Kept, keyOnPage, recoveryCodeOnPage, signInFirst, typePassword } from '../rig/ceremony.ts';
import { seconds, travelTo } from '../rig/clock.ts';
import { exchange } from '../rig/exchange.ts';
import { type Fields, fillIn } from '../rig/forms.ts';
import type { Hemma } from '../rig/hemma.ts';
import type { RelyingParty } from '../rig/relying-party.ts';
import { scan, sixDigits } from '../rig/totp.ts';
import { newVisitor, type Screen, type Visitor } from '../rig/visitor.ts';

export interface Town {
  hemma: Hemma;
  autopay: RelyingParty;
}

export interface Person extends Kept {
  id: string;
  email: string;
  /** The browser that the person signed in with the first time. */
  visitor: Visitor;
}

let people = 0;

/** A new account whose person has signed in to Autopay once: the phone is connected, the code is on paper. */
export async function newPerson(town: Town, wanted: { locale?: 'sv' | 'en' } = {}): Promise<Person> {
  const email = `person-${(people += 1)}@example.com`;
  const { id } = await town.hemma.account({ email, ...wanted });
  const visitor = newVisitor();
  const kept = await signInFirst(visitor, (await town.autopay.begin()).url, email);
  return { ...kept, id, email, visitor };
}

/** The digits that the phone shows next; no code is ever shown twice. */
export function nextDigits(key: string): string {
  travelTo(new Date((Math.floor(Date.now() / seconds(30)) + 1) * seconds(30)));
  return sixDigits(key);
}

/** The address of a ceremony, as the links of My details have it. */
export function ceremonyUrl(hemma: Hemma, intent: string): string {
  const url = new URL(hemma.url('/auth'));
  url.search = new URLSearchParams({
    client_id: 'hemma-account',
    response_type: 'none',
    scope: 'openid',
    redirect_uri: hemma.url('/account'),
    prompt: 'login',
    intent,
  }).toString();
  return url.href;
}

/** Address and password at an address, up to the page of the six digits. */
export async function toSixDigits(visitor: Visitor, url: string, email: string): Promise<Screen> {
  await visitor.visit(url);
  return at('totp', await typePassword(visitor, email));
}

/** The key of the new phone's QR code. */
export function newKeyOnPage(screen: Screen): string {
  if (screen.step === 'enrollment') return keyOnPage(screen);
  const link = at('re-enrollment', screen).page.querySelector('a[href^="otpauth:"]')?.getAttribute('href');
  return scan(link ?? '').key;
}

/** From the QR code of the new phone to the new recovery code and out; answers what the person has now. */
export async function connectNewPhone(visitor: Visitor): Promise<Kept> {
  const key = newKeyOnPage(visitor.screen);
  const recoveryCode = recoveryCodeOnPage(await visitor.submit({ code: sixDigits(key) }));
  await visitor.submit({ lastGroup: recoveryCode.slice(-4) });
  return { key, recoveryCode };
}

/** The short way (J3) from an application's link to where the sign-in ends. */
export async function recover(visitor: Visitor, url: string, person: Person): Promise<Kept> {
  await toSixDigits(visitor, url, person.email);
  at('recovery-code', await visitor.follow(/^(Ny eller förlorad telefon|New or lost phone)\?$/));
  await visitor.submit({ code: person.recoveryCode }, 'phoneGone=yes');
  return connectNewPhone(visitor);
}

/** Sends the form of the page in front of the person and never sees the answer: not its page, not its cookies. */
export async function sendAndLose(visitor: Visitor, fields: Fields, button?: string): Promise<void> {
  const { url, page } = visitor.screen;
  const { action, body } = fillIn(page, url, fields, button);
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    origin: url.origin,
    'sec-fetch-site': 'same-origin',
    cookie: visitor.cookies.headerFor(action) ?? '',
  };
  const { status } = await exchange(action, { method: 'POST', headers, body: body.toString() });
  if (status !== 303) throw new Error(`the answer that got lost was ${status}`);
}

/** Whether six digits of a phone open a sign-in, tried in a browser of its own; `off` where no phone is asked for. */
export async function digitsOpen(
  { autopay }: Town,
  { email }: Person,
  key: string,
): Promise<boolean | 'off'> {
  const visitor = newVisitor();
  await visitor.visit((await autopay.begin()).url);
  const screen = await typePassword(visitor, email);
  if (screen.step === 'mailed-code') return 'off';
  at('totp', screen);
  return (await visitor.submit({ code: nextDigits(key) })).refusal !== 'wrong-code';
}

/** Whether a recovery code opens a sign-in, tried in a browser of its own that goes no further. */
export async function codeOpens({ autopay }: Town, { email }: Person, code: string): Promise<boolean> {
  const visitor = newVisitor();
  await visitor.visit((await autopay.begin()).url);
  if ((await typePassword(visitor, email)).step === 'mailed-code') return false;
  await visitor.submit({ code });
  if (visitor.screen.refusal === 'wrong-recovery-code') return false;
  at('recovery-code', visitor.screen);
  return true;
}
