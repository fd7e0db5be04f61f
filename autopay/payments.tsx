import { Router } from '@koa/router';

import { dateFormat, formatAmount } from './amounts.ts';
import { sessionFromForm } from './forms.tsx';
import { Layout } from './layout.tsx';
import { ProblemPage, WelcomePage } from './pages.tsx';
import { PAYMENTS, findPayment, paymentPath, type Payment } from './payments-due.ts';
import { redirectToProvider } from './provider-request.ts';
import { approvePayment, type Session } from './sessions.ts';
import { hasSteppedUp } from './step-up.ts';
import {
  redirectSeeOther,
  renderAutopayPage,
  type AutopayContext,
  type PageContext,
  type PageState,
} from './visit.ts';

/**
 * Autopay's own business: the payments, and approving one. That asks for two factors a short time ago; where
 * they are too long ago the payment leaves for the provider with the person, and is approved on their return.
 */
export function createPaymentsRouter(site: AutopayContext): Router<PageState> {
  const router = new Router<PageState>();

  router.get('/', (ctx) => {
    const { visit: pageContext } = ctx.state;
    const { session } = pageContext;
    renderAutopayPage(
      ctx,
      200,
      session ? <PaymentsPage visit={pageContext} session={session} /> : <WelcomePage visit={pageContext} />,
    );
  });

  router.post('/payments/:id/approve', async (ctx) => {
    const payment = findPayment(ctx.params['id']);
    if (!payment)
      return renderAutopayPage(ctx, 404, <ProblemPage visit={ctx.state.visit} problem="notFound" />);
    const session = sessionFromForm(ctx, ctx.request.body);
    if (!session) return;
    const returnTo = paymentPath(payment);
    if (session.approvals.has(payment.id)) return redirectSeeOther(ctx, returnTo);
    if (!hasSteppedUp(session, Date.now())) {
      const purpose = { kind: 'approval', payment: payment.id, sub: session.sub } as const;
      return redirectToProvider(site, ctx, { errand: purpose, returnTo });
    }
    approvePayment(session, payment.id);
    redirectSeeOther(ctx, returnTo);
  });

  return router;
}

function PaymentsPage({ visit: pageContext, session }: { visit: PageContext; session: Session }) {
  const phrases = pageContext.phrases.payments;
  const waiting = PAYMENTS.filter(({ id }) => !session.approvals.has(id));
  const sum = waiting.reduce((total, { amount }) => total + amount, 0);
  return (
    <Layout visit={pageContext} page="payments" title={phrases.title}>
      <p class="lead">
        {waiting.length === 0
          ? phrases.noneWaiting
          : phrases.waiting(waiting.length, formatAmount(pageContext, sum))}
      </p>
      {/* The roles are said aloud because browsers drop them from a table that is laid out as cards. */}
      <table role="table" aria-label={phrases.title}>
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" scope="col">
              {phrases.payee}
            </th>
            <th role="columnheader" scope="col">
              {phrases.reference}
            </th>
            <th role="columnheader" scope="col">
              {phrases.due}
            </th>
            <th role="columnheader" scope="col" class="number">
              {phrases.amount}
            </th>
            <th role="columnheader" scope="col">
              {phrases.decision}
            </th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          {PAYMENTS.map((payment) => (
            <PaymentRow key={payment.id} visit={pageContext} session={session} payment={payment} />
          ))}
        </tbody>
      </table>
      {waiting.length > 0 && <p class="quiet after">{phrases.stepUp}</p>}
    </Layout>
  );
}

function PaymentRow({
  visit: pageContext,
  session,
  payment,
}: {
  visit: PageContext;
  session: Session;
  payment: Payment;
}) {
  const phrases = pageContext.phrases.payments;
  const due = new Date(Date.now() + payment.dueIn * 24 * 3_600_000);
  return (
    <tr role="row" id={`payment-${payment.id}`} data-payment={payment.id}>
      <th role="rowheader" scope="row">
        {payment.payee}
        <span class="detail">{payment.account}</span>
      </th>
      <td role="cell" data-label={phrases.reference}>
        {payment.reference}
      </td>
      <td role="cell" data-label={phrases.due}>
        {dateFormat(pageContext).format(due)}
      </td>
      <td role="cell" data-label={phrases.amount} class="number total">
        {formatAmount(pageContext, payment.amount)}
      </td>
      <td role="cell" class="decision">
        <ApprovalStatus visit={pageContext} session={session} payment={payment} />
      </td>
    </tr>
  );
}

function ApprovalStatus({
  visit: pageContext,
  session,
  payment,
}: {
  visit: PageContext;
  session: Session;
  payment: Payment;
}) {
  const phrases = pageContext.phrases.payments;
  const approvedAt = session.approvals.get(payment.id);
  if (approvedAt) {
    return (
      <p class="done">
        <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
          <path d="M2.5 8.5 6.5 12.5 13.5 4" fill="none" stroke="currentColor" stroke-width="2" />
        </svg>
        {phrases.approved}{' '}
        <time datetime={approvedAt.toISOString()}>{formatTime(pageContext, approvedAt)}</time>
      </p>
    );
  }
  return (
    <form method="post" action={`/payments/${payment.id}/approve`}>
      <input type="hidden" name="csrf" value={session.csrf} />
      <button class="button small" type="submit">
        {phrases.approve}
        <span class="unseen">
          {phrases.approveWhat(payment.payee, formatAmount(pageContext, payment.amount))}
        </span>
      </button>
    </form>
  );
}

function formatTime(pageContext: PageContext, at: Date): string {
  return at.toLocaleTimeString(pageContext.phrases.locale, {
    timeStyle: 'short',
    timeZone: 'Europe/Stockholm',
  });
}
