import { NotApprovedPage } from './not-approved.tsx';
import { ProblemPage } from './pages.tsx';
import { findPayment } from './payments-due.ts';
import type { SignInRequest } from './pending-sign-ins.ts';
import type { NotApprovedReason } from './phrases.ts';
import { redirectSeeOther, renderAutopayPage, type PageKoaContext } from './visit.ts';

/** Why nobody came back signed in. The code is the standard's where there is one, for support. */
export interface SignInFailure {
  status: number;
  problem: 'declined' | 'refused' | 'lost' | 'unreachable' | 'trouble';
  code: string;
}

/** Says what became of the journey: for an approval that nothing was approved, otherwise where to begin again. */
export function renderSignInFailure(
  ctx: PageKoaContext,
  journey: SignInRequest,
  { status, problem, code }: SignInFailure,
): void {
  const { visit: pageContext } = ctx.state;
  if (journey.errand.kind === 'approval')
    return renderNotApproved(ctx, journey, { status, reason: problem, code });
  const retryUrl = { href: signInUrl(journey), label: pageContext.phrases.tryAgain };
  renderAutopayPage(
    ctx,
    status,
    <ProblemPage visit={pageContext} problem={problem} code={code} again={retryUrl} />,
  );
}

/** Says that the payment was not approved, and why. */
export function renderNotApproved(
  ctx: PageKoaContext,
  { errand, returnTo }: SignInRequest,
  { status, reason, code }: { status: number; reason: NotApprovedReason; code: string },
): void {
  const { visit: pageContext } = ctx.state;
  const payment = errand.kind === 'approval' ? findPayment(errand.payment) : undefined;
  if (!payment) return renderAutopayPage(ctx, 404, <ProblemPage visit={pageContext} problem="notFound" />);
  // Approved meanwhile in another tab: "not approved" would not be true.
  if (pageContext.session?.approvals.has(payment.id)) return redirectSeeOther(ctx, returnTo);
  renderAutopayPage(
    ctx,
    status,
    <NotApprovedPage visit={pageContext} payment={payment} reason={reason} code={code} />,
  );
}

function signInUrl({ errand, returnTo }: SignInRequest): string {
  if (errand.kind === 'new-phone') return '/new-phone';
  return returnTo === '/' ? '/sign-in' : `/sign-in?returnTo=${encodeURIComponent(returnTo)}`;
}
