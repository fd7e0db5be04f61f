import type { User } from '../../../src/users/users.ts';
import type { Case } from '../../../src/help-desk/cases.ts';
import { lockCaseForAction } from '../../../src/help-desk/cases.ts';
import type { ConsoleContext } from '../require-operator.ts';

export interface LoadedCase {
  found: Case;
  account: User;
}

/** The case of this address, where the operator may do `action` to it; whoever may not learns nothing of it (404). */
export async function loadCase(
  { house: context, ctx, operator }: ConsoleContext,
  permission: 'cases.read' | 'cases.send-code' | 'cases.approve',
): Promise<LoadedCase> {
  const { case: caseId } = ctx.params as { case: string };
  const loaded = await context.db.transaction((tx) =>
    lockCaseForAction(tx, permission, { caseId, by: operator }),
  );
  if ('refusal' in loaded) return ctx.throw(404, 'not-found');
  return loaded;
}

/** Who does what to which case, as the domain wants it. */
export const caseActionFor = ({ operator, ctx }: ConsoleContext, { id }: Case) => ({
  caseId: id,
  by: operator,
  origin: ctx.state.origin,
});
