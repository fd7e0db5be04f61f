/** Operators at work: people with a role who are in the console, and the people that they look after. */
import type { User, Role } from '../../src/users/users.ts';
import { discardMail } from '../../src/mail/outbox.ts';
import { createGroup, type Group } from '../../src/users/groups.ts';
import { changeRole } from '../../src/users/operators.ts';
import { changeGroupMembership } from '../../src/users/search.ts';
import { at, connectPhone, type Kept, typePassword } from '../rig/ceremony.ts';
import type { Hemma } from '../rig/hemma.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Screen, type Visitor } from '../rig/visitor.ts';

type Housed = Pick<Hemma, 'db' | 'account' | 'url'>;

export interface OperatorAtWork extends Kept {
  id: string;
  email: string;
  visitor: Visitor;
}

/** Mails about what the test arranges interest nobody. */
const aftermath = {
  endEverything: () => Promise.resolve(),
  voidHelpDeskCode: () => Promise.resolve(false),
};

export async function group(hemma: Pick<Hemma, 'db'>, name: string): Promise<Group> {
  const made = await createGroup(hemma.db, name, {});
  if ('refusal' in made) throw new Error(`no group ${name}: ${made.refusal}`);
  return made.group;
}

export async function putInto(hemma: Pick<Hemma, 'db'>, account: User, ...groups: Group[]): Promise<void> {
  for (const one of groups)
    await changeGroupMembership(hemma.db, { target: account.id, by: 'shell', group: one, member: true });
}

/** An account with a role, over everybody or over one group. */
export async function withRole(
  hemma: Pick<Hemma, 'db' | 'account'>,
  email: string,
  role: Role,
  over?: Group,
): Promise<User> {
  const account = await hemma.account({ email, name: `${role} ${email}` });
  const change = { target: account.id, by: 'shell', role, group: over?.id } as const;
  const refused = await changeRole(hemma.db, discardMail, aftermath, change);
  if (refused) throw new Error(`no role for ${email}: ${refused.code}`);
  return account;
}

/** Signs in to the console for the first time: password, a phone connected, and there. */
export async function enter(hemma: Pick<Hemma, 'url'>, email: string): Promise<Visitor & { kept: Kept }> {
  const visitor = newVisitor();
  await visitor.visit(hemma.url('/admin'));
  await typePassword(visitor, email);
  const kept = await connectPhone(visitor);
  return Object.assign(visitor, { kept });
}

/** Somebody with a role who is in the console just now. */
export async function operator(
  hemma: Housed,
  email: string,
  role: Exclude<Role, 'person'>,
  over?: Group,
): Promise<OperatorAtWork> {
  const { id } = await withRole(hemma, email, role, over);
  const visitor = await enter(hemma, email);
  at('people', visitor.screen);
  return { id, email, visitor, ...visitor.kept };
}

/** Proves both factors again where the console asks for it; `step` is the half minute whose digits are not used yet. */
export async function stepUp({ visitor, email, key }: OperatorAtWork, step = 0): Promise<Screen> {
  await typePassword(visitor, email);
  at('totp', visitor.screen);
  return visitor.submit({ code: sixDigits(key, { step }) });
}

export const tokenOf = (screen: Screen): string =>
  screen.page.querySelector('input[name=token]')?.getAttribute('value') ?? '';
