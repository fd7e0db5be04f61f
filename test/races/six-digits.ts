/** People of one account who have typed its password and stand at the page for the six digits. */
import { at, typePassword } from '../rig/ceremony.ts';
import type { RelyingParty } from '../rig/relying-party.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';

export async function atSixDigits(app: RelyingParty, email: string, count: number): Promise<Visitor[]> {
  const visitors = Array.from({ length: count }, () => newVisitor());
  // One after the other: parallel right passwords would spend the password's own budget.
  for (const visitor of visitors) {
    await visitor.visit((await app.begin()).url);
    at('totp', await typePassword(visitor, email));
  }
  return visitors;
}
