import { NotApprovedPage } from './not-approved.tsx';
import { ProblemPage } from './pages.tsx';
import { paymentOf } from './payments-due.ts';
import type { Journey } from './pending-sign-ins.ts';
import type { NotApprovedReason } from './phrases.ts';
import { seeOther, show, type VisitContext } from './visit.ts';

/** Why nobody came back signed in. The code is the standard's where there is one, for support. */
export interface SignInFailure {
  status: number;
  problem: 'declined' | 'refused' | 'lost' | 'unreachable' | 'trouble';
  code: string;
}

/** Says what became of the journey: for an approval that nothing was approved, otherwise where to begin again. */
export function showFailure(
  ctx: VisitContext,
  journey: Journey,
  { status, problem, code }: SignInFailure,
): void {
  const { visit } = ctx.state;
  if (journey.errand.kind === 'approval')
    return showNotApproved(ctx, journey, { status, reason: problem, code });
  const again = { href: beginningOf(journey), label: visit.phrases.tryAgain };
  show(ctx, status, <ProblemPage visit={visit} problem={problem} code={code} again={again} />);
}

/** Says that the payment was not approved, and why. */
export function showNotApproved(
  ctx: VisitContext,
  { errand, returnTo }: Journey,
  { status, reason, code }: { status: number; reason: NotApprovedReason; code: string },
): void {
  const { visit } = ctx.state;
  const payment = errand.kind === 'approval' ? paymentOf(errand.payment) : undefined;
  if (!payment) return show(ctx, 404, <ProblemPage visit={visit} problem="notFound" />);
  // Approved meanwhile in another tab: "not approved" would not be true.
  if (visit.session?.approvals.has(payment.id)) return seeOther(ctx, returnTo);
  show(ctx, status, <NotApprovedPage visit={visit} payment={payment} reason={reason} code={code} />);
}

function beginningOf({ errand, returnTo }: Journey): string {
  if (errand.kind === 'new-phone') return '/new-phone';
  return returnTo === '/' ? '/sign-in' : `/sign-in?returnTo=${encodeURIComponent(returnTo)}`;
}
