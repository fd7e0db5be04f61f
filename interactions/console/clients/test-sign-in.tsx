import Router from '@koa/router';
import { z } from 'zod';
import type { RegisteredClient } from '../../../src/clients/clients.ts';
import type { Claim, Preview } from '../../../src/oidc/claims-preview.ts';
import { previewOf } from '../../../src/oidc/claims-preview.ts';
import { newTicket, readTicket, trialRequest, trialTime } from '../../../src/oidc/test-sign-in.ts';
import { audit } from '../../../src/audit/audit-log.ts';
import { cookieName, cookieOptions } from '../../../src/http/request-info.ts';
import type { Frame } from '../../ui/layout.tsx';
import { Form, SecondaryButton, SubmitButton } from '../../ui/form.tsx';
import type { House } from '../../../src/context.ts';
import { readForm } from '../../ui/parse-form.ts';
import { ClientPage, clientOf, pathOf } from './tabs.tsx';
import type { AdminVisit } from '../require-operator.ts';
import { guarded, onTo, sentForm, showPage } from '../require-operator.ts';
import { Section, Table } from '../layout.tsx';

type TrialPageProps = {
  visit: AdminVisit;
  shown: RegisteredClient;
  asked: string;
  preview?: Preview | 'nobody' | undefined;
};

function SignIn({ visit, shown }: TrialPageProps) {
  const t = visit.frame.t.clients.trial;
  const { id, type } = shown.client;
  if (type === 'service') return <p class="quiet">{t.service}</p>;
  if (!shown.enabled) return <p class="quiet">{t.off}</p>;
  return (
    <>
      <p class="quiet">{t.signInHelp}</p>
      <Form action={pathOf(id, '/try')} token={visit.token}>
        <label class="choice">
          <input type="checkbox" name="anew" value="yes" />
          <span>
            {t.anew}
            <span class="help">{t.anewHelp}</span>
          </span>
        </label>
        <SubmitButton waiting={visit.frame.t.clients.waiting}>{t.begin}</SubmitButton>
      </Form>
    </>
  );
}

/** Claims and their values, as an application reads them. */
export function Claims({ frame, claims }: { frame: Frame; claims: readonly Claim[] }) {
  const t = frame.t.clients.trial;
  return (
    <Table
      caption={t.preview}
      columns={[t.columns.claim, t.columns.value, t.columns.where]}
      rows={claims.map(({ name, value, where }) => ({
        key: `${where} ${name}`,
        cells: [
          <span key="claim" class="code">
            {name}
          </span>,
          value === undefined ? (
            t.decidedThen
          ) : (
            <span key="value" class="code">
              {typeof value === 'string' ? value : JSON.stringify(value)}
            </span>
          ),
          t.where[where],
        ],
      }))}
    />
  );
}

function Shown({ frame, preview }: { frame: Frame; preview: NonNullable<TrialPageProps['preview']> }) {
  const t = frame.t.clients.trial;
  if (preview === 'nobody') {
    return (
      <p class="refusal" role="alert" data-refusal="nobody">
        {t.nobody}
      </p>
    );
  }
  return (
    <div data-preview={preview.person.id}>
      <p class="state">
        {preview.person.name} · {preview.person.email}
      </p>
      <ul class="list">
        {preview.verdicts.map((verdict) => (
          <li key={verdict} data-verdict={verdict}>
            {t.verdicts[verdict]}
          </li>
        ))}
      </ul>
      <Claims frame={frame} claims={preview.claims} />
    </div>
  );
}

/** Trying an application out: a real sign-in by its rules, and what it would be told of somebody. */
export function TrialPage(props: TrialPageProps) {
  const { visit, shown, asked, preview } = props;
  const { frame } = visit;
  const t = frame.t.clients.trial;
  return (
    <ClientPage visit={visit} shown={shown} part="trial" step="client-trial">
      <Section title={t.signIn} name="test-sign-in">
        <SignIn {...props} />
      </Section>
      {shown.client.type !== 'service' && (
        <Section title={t.preview} name="preview">
          <p class="quiet">{t.previewHelp}</p>
          <form method="get" action={pathOf(shown.client.id, '/try')} class="form search">
            <div class="field">
              <label for="person">{t.person}</label>
              <input
                id="person"
                name="person"
                class="input"
                type="text"
                value={asked}
                autocomplete="off"
                autocapitalize="none"
                spellcheck={false}
              />
            </div>
            <SecondaryButton waiting={frame.t.clients.waiting}>{t.show}</SecondaryButton>
          </form>
          {preview && <Shown frame={frame} preview={preview} />}
        </Section>
      )}
    </ClientPage>
  );
}

async function show(visit: AdminVisit): Promise<void> {
  const { house, ctx } = visit;
  const shown = await clientOf(visit);
  const asked = typeof ctx.query.person === 'string' ? ctx.query.person.slice(0, 254) : '';
  const found = asked ? await previewOf(house.db, house.provider, shown.client, asked) : undefined;
  const preview = asked ? (found ?? 'nobody') : undefined;
  showPage(visit, <TrialPage {...{ visit, shown, asked, preview }} />, preview === 'nobody');
}

const form = z.object({ anew: z.literal('yes').optional() });

/** Begins a trial: gives the browser its ticket and sends it to the authorization endpoint. */
async function begin(visit: AdminVisit): Promise<void> {
  const { house, ctx, operator } = visit;
  const { client, enabled } = await clientOf(visit);
  const { anew } = sentForm(visit, form);
  if (!enabled || client.type === 'service') return onTo(visit, pathOf(client.id, '/try'));
  const { vault, settings } = house;
  const ticket = newTicket(vault, client.id);
  const read = readTicket(vault, ticket);
  if (!read) throw new Error('a ticket made just now is not read');
  await audit(house.db, {
    event: 'client.trial-begun',
    clientId: client.id,
    by: operator.id,
    origin: ctx.state.origin,
  });
  ctx.cookies.set(cookieName(settings, 'trial'), ticket, { ...cookieOptions(settings), maxAge: trialTime });
  onTo(
    visit,
    trialRequest(vault, settings.HEMMA_ISSUER, read, { scopes: client.scopes, anew: anew === 'yes' }),
  );
}

export function routes(house: House): Router {
  const router = new Router();
  router.get('/admin/clients/:client/try', guarded(house, 'clients.read', show));
  router.post('/admin/clients/:client/try', readForm, guarded(house, 'clients.read', begin));
  return router;
}
