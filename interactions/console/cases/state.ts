import type { Account } from '../../../src/users/users.ts';
import type { Case } from '../../../src/help-desk/cases.ts';
import { caseFor } from '../../../src/help-desk/cases.ts';
import type { AdminVisit } from '../require-operator.ts';

export interface CaseVisit {
  found: Case;
  account: Account;
}

/** The case of this address, where the operator may do `action` to it; whoever may not learns nothing of it (404). */
export async function caseOfPage(
  { house, ctx, operator }: AdminVisit,
  action: 'cases.read' | 'cases.send-code' | 'cases.approve',
): Promise<CaseVisit> {
  const { case: caseId } = ctx.params as { case: string };
  const asked = await house.db.transaction((open) => caseFor(open, action, { caseId, by: operator }));
  if ('refusal' in asked) return ctx.throw(404, 'not-found');
  return asked;
}

/** Who does what to which case, as the domain wants it. */
export const deedOn = ({ operator, ctx }: AdminVisit, { id }: Case) => ({
  caseId: id,
  by: operator,
  origin: ctx.state.origin,
});
