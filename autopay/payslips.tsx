import { Router } from '@koa/router';

import { dateFormat, formatAmount, monthFormat } from './amounts.ts';
import { Layout } from './layout.tsx';
import { WelcomePage } from './pages.tsx';
import { renderAutopayPage, type PageContext, type PageState } from './visit.ts';

interface Payslip {
  paidOn: Date;
  /** In öre, as is the tax. */
  gross: number;
  tax: number;
}

/** The latest first. */
const EARNED = [
  { gross: 41_500_00, tax: 9_718_00 },
  { gross: 44_236_50, tax: 10_655_00 },
  { gross: 41_500_00, tax: 9_718_00 },
  { gross: 40_200_00, tax: 9_274_00 },
  { gross: 40_200_00, tax: 9_274_00 },
] as const;

const PAYDAY = 25;

/** Lön's own business: the latest payslips of whoever is signed in. */
export function createPayslipsRouter(): Router<PageState> {
  const router = new Router<PageState>();
  router.get('/', (ctx) => {
    const { visit: pageContext } = ctx.state;
    renderAutopayPage(
      ctx,
      200,
      pageContext.session ? <PayslipsPage visit={pageContext} /> : <WelcomePage visit={pageContext} />,
    );
  });
  return router;
}

/** Paid on the 25th of each month; the latest payday is not after today. Noon, so that no time zone moves the day. */
function recentPayslips(today: Date): Payslip[] {
  const latest = today.getUTCMonth() - (today.getUTCDate() < PAYDAY ? 1 : 0);
  return EARNED.map((earned, back) => ({
    ...earned,
    paidOn: new Date(Date.UTC(today.getUTCFullYear(), latest - back, PAYDAY, 12)),
  }));
}

function PayslipsPage({ visit: pageContext }: { visit: PageContext }) {
  const phrases = pageContext.phrases.payslips;
  const slips = recentPayslips(new Date());
  const [latest] = slips;
  return (
    <Layout visit={pageContext} page="payslips" title={phrases.title}>
      {latest && (
        <p class="lead">
          {phrases.lead(
            formatAmount(pageContext, latest.gross - latest.tax),
            dateFormat(pageContext).format(latest.paidOn),
          )}
        </p>
      )}
      {/* The roles are said aloud because browsers drop them from a table that is laid out as cards. */}
      <table role="table" aria-label={phrases.title}>
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" scope="col">
              {phrases.month}
            </th>
            <th role="columnheader" scope="col">
              {phrases.paid}
            </th>
            <th role="columnheader" scope="col" class="number">
              {phrases.gross}
            </th>
            <th role="columnheader" scope="col" class="number">
              {phrases.tax}
            </th>
            <th role="columnheader" scope="col" class="number">
              {phrases.net}
            </th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          {slips.map((slip) => (
            <PayslipRow key={slip.paidOn.getTime()} visit={pageContext} slip={slip} />
          ))}
        </tbody>
      </table>
    </Layout>
  );
}

function PayslipRow({ visit: pageContext, slip }: { visit: PageContext; slip: Payslip }) {
  const phrases = pageContext.phrases.payslips;
  return (
    <tr role="row" data-payslip={slip.paidOn.toISOString().slice(0, 7)}>
      <th role="rowheader" scope="row" class="month">
        {monthFormat(pageContext).format(slip.paidOn)}
      </th>
      <td role="cell" data-label={phrases.paid}>
        {dateFormat(pageContext).format(slip.paidOn)}
      </td>
      <td role="cell" data-label={phrases.gross} class="number">
        {formatAmount(pageContext, slip.gross)}
      </td>
      <td role="cell" data-label={phrases.tax} class="number">
        {formatAmount(pageContext, -slip.tax)}
      </td>
      <td role="cell" data-label={phrases.net} class="number total">
        {formatAmount(pageContext, slip.gross - slip.tax)}
      </td>
    </tr>
  );
}
