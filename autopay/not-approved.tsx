import { formatAmount } from './amounts.ts';
import { Layout } from './layout.tsx';
import { paymentPath, type Payment } from './payments-due.ts';
import type { NotApprovedReason } from './phrases.ts';
import type { PageContext } from './visit.ts';

interface NotApprovedPageProps {
  visit: PageContext;
  payment: Payment;
  reason: NotApprovedReason;
  /** The standard's code; for support, not for the person. */
  code: string;
}

/** The payment that stays as it was, why, and the way back to it. */
export function NotApprovedPage({ visit: pageContext, payment, reason, code }: NotApprovedPageProps) {
  const { notApproved, signInAgain, supportCode } = pageContext.phrases;
  return (
    <Layout visit={pageContext} page="not-approved" title={notApproved.title}>
      <div data-reason={reason}>
        <p class="lead">{notApproved.reasons[reason]}</p>
        <p>{notApproved.stillWaiting(payment.payee, formatAmount(pageContext, payment.amount))}</p>
      </div>
      <p>
        <a class="button" href={pageContext.session ? paymentPath(payment) : '/sign-in'}>
          {pageContext.session ? notApproved.toPayments : signInAgain}
        </a>
      </p>
      <p class="quiet">
        {supportCode} <code>{code}</code>
      </p>
    </Layout>
  );
}
