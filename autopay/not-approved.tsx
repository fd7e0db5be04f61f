import { money } from './amounts.ts';
import { Layout } from './layout.tsx';
import { placeOf, type Payment } from './payments-due.ts';
import type { NotApprovedReason } from './phrases.ts';
import type { Visit } from './visit.ts';

interface NotApprovedProps {
  visit: Visit;
  payment: Payment;
  reason: NotApprovedReason;
  /** The standard's code; for support, not for the person. */
  code: string;
}

/** The payment that stays as it was, why, and the way back to it. */
export function NotApprovedPage({ visit, payment, reason, code }: NotApprovedProps) {
  const { notApproved, signInAgain, supportCode } = visit.phrases;
  return (
    <Layout visit={visit} page="not-approved" title={notApproved.title}>
      <div data-reason={reason}>
        <p class="lead">{notApproved.reasons[reason]}</p>
        <p>{notApproved.stillWaiting(payment.payee, money(visit, payment.amount))}</p>
      </div>
      <p>
        <a class="button" href={visit.session ? placeOf(payment) : '/sign-in'}>
          {visit.session ? notApproved.toPayments : signInAgain}
        </a>
      </p>
      <p class="quiet">
        {supportCode} <code>{code}</code>
      </p>
    </Layout>
  );
}
