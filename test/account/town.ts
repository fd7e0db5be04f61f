/** People who are signed in, for the tests of My details. */
import type { Hemma } from '../rig/hemma.ts';
import { at, type Kept, signInFirst, typePassword } from '../rig/ceremony.ts';
import type { Begun, RelyingParty, Tokens } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Screen, type Visitor } from '../rig/visitor.ts';

export const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0';
export const SAFARI =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1';

export interface Person extends Kept {
  id: string;
  email: string;
  visitor: Visitor;
  begun: Begun;
  cameBackTo: URL;
}

/** A new account whose person signed in to the application just now, in Firefox on Windows. */
export async function personAt(hemma: Hemma, party: RelyingParty, email: string): Promise<Person> {
  const { id } = await hemma.account({ email });
  const visitor = newVisitor({ userAgent: FIREFOX });
  const begun = await party.begin();
  const kept = await signInFirst(visitor, begun.url, email);
  return { ...kept, id, email, visitor, begun, cameBackTo: visitor.screen.url };
}

export interface Elsewhere {
  visitor: Visitor;
  tokens: Tokens;
}

/** The same person signs in on a phone too. One code works once: this takes the one of the next half minute. */
export async function onThePhone({ email, key }: Person, party: RelyingParty): Promise<Elsewhere> {
  const visitor = newVisitor({ userAgent: SAFARI });
  const begun = await party.begin();
  await visitor.visit(begun.url);
  await typePassword(visitor, email);
  at('back', await visitor.submit({ code: sixDigits(key, { step: 1 }) }));
  return { visitor, tokens: await party.redeem(begun, visitor.screen.url) };
}

/** The words of the rows of a section of My details. */
export const rowsOf = (screen: Screen, section: string): string[] =>
  screen.page
    .querySelectorAll(`[data-section=${section}] li`)
    .map((row) => row.textContent.replaceAll(/\s+/g, ' ').trim());

/** The identifiers that a section's rows carry in this attribute. */
export const idsOf = (screen: Screen, attribute: string): string[] =>
  screen.page.querySelectorAll(`[${attribute}]`).map((row) => row.getAttribute(attribute) ?? '');

/** The token of the forms on this page. */
export const tokenOf = (screen: Screen): string =>
  screen.page.querySelector('input[name=token]')?.getAttribute('value') ?? '';
