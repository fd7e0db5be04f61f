import { z } from 'zod';
import { openCaseByUser, findOpenCase } from '../../src/help-desk/cases.ts';
import { Form, SubmitButton, LinkList } from '../ui/form.tsx';
import type { Refusal } from '../ui/form.tsx';
import { Layout } from '../ui/layout.tsx';
import type { Frame } from '../ui/layout.tsx';
import type { StepPage } from './interaction-context.ts';
import { verifiedUser, attemptContext } from './interaction-context.ts';

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
        <OpenCaseSection {...props} number={number} />
      ) : (
        <>
          <p class="lead">{t.help}</p>
          <Form action={action} token={token} refusal={refusal}>
            <SubmitButton waiting={t.opening}>{t.open}</SubmitButton>
          </Form>
        </>
      )}
      <LinkList
        ways={[
          ...(number ? [{ href: recoveryCodeUrl, label: t.typeCode }] : []),
          { href: anotherWayUrl, label: frame.t.anotherWay.title },
        ]}
      />
    </Layout>
  );
}

function OpenCaseSection({ frame, number, contact }: HelpDeskPageProps & { number: string }) {
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

const helpDeskForm = z.object({});

export const helpDeskStep: StepPage<z.output<typeof helpDeskForm>> = {
  form: helpDeskForm,
  async show(interaction, refusal) {
    const { house: context, frame, action, token, record } = interaction;
    const at = (step: string) => `/interaction/${record.uid}/${step}`;
    const number = (await findOpenCase(context.db, verifiedUser(interaction).id))?.number;
    const contact = context.settings.HEMMA_HELP_DESK_CONTACT;
    const urls = { recoveryCodeUrl: at('recovery-code'), anotherWayUrl: at('another-way') };
    return <HelpDeskPage {...{ frame, action, token, number, contact, ...urls, refusal }} />;
  },
  async answer(interaction) {
    const { db, post: enqueueMail } = interaction.house;
    const { interaction: interactionUid, origin: requestInfo } = attemptContext(interaction);
    const refused = await openCaseByUser(db, enqueueMail, {
      account: verifiedUser(interaction),
      interaction: interactionUid,
      origin: requestInfo,
    });
    if (refused) return refused;
    // Back to this page, which stands beside the one that is open and now shows the number.
    interaction.ctx.status = 303;
    interaction.ctx.redirect(interaction.action);
    return 'answered';
  },
};
