import { z } from 'zod';
import { askForHelp, openCaseOf } from '../../src/help-desk/cases.ts';
import { Form, SubmitButton, Ways } from '../ui/form.tsx';
import type { Refusal } from '../ui/form.tsx';
import { Layout } from '../ui/layout.tsx';
import type { Frame } from '../ui/layout.tsx';
import type { StepPage } from './interaction-context.ts';
import { accountOf, attemptOf } from './interaction-context.ts';

type HelpDeskPageProps = {
  frame: Frame;
  action: string;
  token: string;
  /** Of the open case; before one is open the page only offers to open it. */
  number?: string | undefined;
  /** How the person reaches the help desk. */
  contact: string;
  recoveryCodeUrl: string;
  anotherWayUrl: string;
  refusal?: Refusal | undefined;
};

/** The code is lost, too. Opening a case is a POST: the page itself, opened by anybody's link, changes nothing. */
export function HelpDeskPage(props: HelpDeskPageProps) {
  const { frame, action, token, number, recoveryCodeUrl, anotherWayUrl, refusal } = props;
  const t = frame.t.helpDesk.step;
  return (
    <Layout frame={frame} title={t.title} step="help-desk" scripts={['waiting-button']}>
      <h1>{t.title}</h1>
      {number ? (
        <OpenCase {...props} number={number} />
      ) : (
        <>
          <p class="lead">{t.help}</p>
          <Form action={action} token={token} refusal={refusal}>
            <SubmitButton waiting={t.opening}>{t.open}</SubmitButton>
          </Form>
        </>
      )}
      <Ways
        ways={[
          ...(number ? [{ href: recoveryCodeUrl, label: t.typeCode }] : []),
          { href: anotherWayUrl, label: frame.t.anotherWay.title },
        ]}
      />
    </Layout>
  );
}

function OpenCase({ frame, number, contact }: HelpDeskPageProps & { number: string }) {
  const t = frame.t.helpDesk.step;
  return (
    <>
      <p class="lead">{t.number}</p>
      <p class="recovery-code" data-case-number={number}>
        {number}
      </p>
      <p>{t.contact(contact)}</p>
      <p class="quiet">{t.next}</p>
      <p class="quiet">{t.later}</p>
    </>
  );
}

const form = z.object({});

export const helpDesk: StepPage<z.output<typeof form>> = {
  form,
  async show(visit, refusal) {
    const { house, frame, action, token, record } = visit;
    const at = (step: string) => `/interaction/${record.uid}/${step}`;
    const number = (await openCaseOf(house.db, accountOf(visit).id))?.number;
    const contact = house.settings.HEMMA_HELP_DESK_CONTACT;
    const urls = { recoveryCodeUrl: at('recovery-code'), anotherWayUrl: at('another-way') };
    return <HelpDeskPage {...{ frame, action, token, number, contact, ...urls, refusal }} />;
  },
  async answer(visit) {
    const { db, post } = visit.house;
    const { interaction, origin } = attemptOf(visit);
    const refused = await askForHelp(db, post, { account: accountOf(visit), interaction, origin });
    if (refused) return refused;
    // Back to this page, which stands beside the one that is open and now shows the number.
    visit.ctx.status = 303;
    visit.ctx.redirect(visit.action);
    return 'answered';
  },
};
