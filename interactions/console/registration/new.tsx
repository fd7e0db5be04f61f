import Router from '@koa/router';
import type { ComponentChildren } from 'preact';
import { z } from 'zod';
import { formatDateTime } from '../../../src/i18n/phrases.ts';
import { clientTypes } from '../../../src/clients/schema.ts';
import { registrationEndpoint } from '../../../src/oidc/registration/registration.ts';
import type { MadeToken, RegistrationRefusal } from '../../../src/oidc/registration/initial-access-tokens.ts';
import {
  newInitialAccessToken,
  registrationLimits,
} from '../../../src/oidc/registration/initial-access-tokens.ts';
import { AlertIcon, Form, SubmitButton, Ways } from '../../ui/form.tsx';
import type { House } from '../../../src/context.ts';
import { readForm } from '../../ui/parse-form.ts';
import { linesOf } from '../clients/redirect-uris.ts';
import { Copy } from '../clients/tabs.tsx';
import type { AdminVisit } from '../require-operator.ts';
import { guardedFreshly, sentForm, showPage } from '../require-operator.ts';
import { ConsolePage, Select } from '../layout.tsx';
import { tokensPath } from './list.tsx';

const lifetimes = ['1', '24', '168', '720'] as const;

const form = z.object({
  name: z.string().max(1000).default(''),
  lifetime: z.enum(lifetimes).default('24'),
  uses: z.string().max(100).default('1'),
  types: z
    .union([z.string().max(100), z.array(z.string().max(100)).max(100)])
    .default([])
    .transform((given) => [given].flat()),
  hosts: z.string().max(15_000).default(''),
});
type Sent = z.output<typeof form>;

/** The field that a refusal stands beside. */
const fieldOf: Record<RegistrationRefusal, keyof Sent> = {
  'name-missing': 'name',
  'name-taken': 'name',
  'too-many-tokens': 'name',
  'lifetime-out-of-range': 'lifetime',
  'uses-out-of-range': 'uses',
  'type-unknown': 'types',
  'host-malformed': 'hosts',
};

type NewTokenPageProps = { visit: AdminVisit; sent: Sent; refusal?: RegistrationRefusal | undefined };

type FramedProps = NewTokenPageProps & {
  name: 'name' | 'uses' | 'hosts';
  help: string;
  children: ComponentChildren;
};

/** Label, help, refusal, input. */
function Framed({ visit, refusal, name, help, children }: FramedProps) {
  const t = visit.frame.t.registration;
  return (
    <div class="field">
      <label for={name}>{t[name]}</label>
      <p class="help" id={`${name}-help`}>
        {help}
      </p>
      {refusal && fieldOf[refusal] === name && (
        <p class="refusal" role="alert" id={`${name}-refusal`} data-refusal={refusal}>
          <AlertIcon />
          <span>{t.refusals[refusal]}</span>
        </p>
      )}
      {children}
    </div>
  );
}

function inputProps(name: string, refusal: RegistrationRefusal | undefined) {
  const refused = refusal !== undefined && fieldOf[refusal] === name;
  return {
    id: name,
    name,
    autocomplete: 'off',
    'aria-invalid': refused ? ('true' as const) : undefined,
    'aria-describedby': [refused && `${name}-refusal`, `${name}-help`].filter(Boolean).join(' '),
    autofocus: refused || (refusal === undefined && name === 'name'),
  };
}

function Types({ visit, sent }: NewTokenPageProps) {
  const { registration: t, clients } = visit.frame.t;
  return (
    <fieldset class="field boxes">
      <legend>{t.types}</legend>
      <p class="help">{t.typesHelp}</p>
      {clientTypes.map((type) => (
        <label key={type} class="choice">
          <input type="checkbox" name="types" value={type} checked={sent.types.includes(type)} />
          <span>{clients.types[type].name}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** For whom it is, how long, how often, and what may be registered with it. */
export function NewTokenPage(props: NewTokenPageProps) {
  const { visit, sent, refusal } = props;
  const t = visit.frame.t.registration;
  return (
    <ConsolePage visit={visit} title={t.create} step="new-initial-access-token" part="clients">
      <Form action={`${tokensPath}/new`} token={visit.token}>
        <Framed {...props} name="name" help={t.nameHelp}>
          <input {...inputProps('name', refusal)} class="input" type="text" value={sent.name} />
        </Framed>
        <Select
          name="lifetime"
          label={t.lifetime}
          options={lifetimes.map((one) => [one, t.lifetimes[one]])}
          chosen={sent.lifetime}
        />
        <Framed {...props} name="uses" help={t.usesHelp(registrationLimits.uses.most)}>
          <input
            {...inputProps('uses', refusal)}
            class="input"
            type="text"
            inputmode="numeric"
            value={sent.uses}
          />
        </Framed>
        <Types {...props} />
        <Framed {...props} name="hosts" help={t.hostsHelp}>
          <textarea
            {...inputProps('hosts', refusal)}
            class="input code"
            rows={3}
            autocapitalize="none"
            spellcheck={false}
          >
            {sent.hosts}
          </textarea>
        </Framed>
        <SubmitButton waiting={t.waiting}>{t.submit}</SubmitButton>
      </Form>
      <Ways ways={[{ href: tokensPath, label: t.cancel }]} />
    </ConsolePage>
  );
}

/** The only page that ever holds a token: the answer to the form that made it, which no cache keeps. */
export function TokenShownPage({ visit, made }: { visit: AdminVisit; made: MadeToken }) {
  const { frame, house } = visit;
  const t = frame.t.registration;
  const endpoint = registrationEndpoint(house.settings.HEMMA_ISSUER);
  return (
    <ConsolePage
      visit={visit}
      title={t.shownTitle}
      step="initial-access-token-shown"
      part="clients"
      scripts={['copy']}
    >
      <p class="lead">{t.shownHelp}</p>
      <dl class="facts">
        <div>
          <dt>{t.endpoint}</dt>
          <dd>
            <Copy frame={frame} label={t.endpoint}>
              {endpoint}
            </Copy>
          </dd>
        </div>
        <div>
          <dt>
            {t.token}: {made.name}
          </dt>
          <dd data-initial-access-token>
            <Copy frame={frame} label={t.token}>
              {made.token}
            </Copy>
          </dd>
        </div>
        <div>
          <dt>{t.validUntil}</dt>
          <dd>{formatDateTime(frame.locale, made.expiresAt)}</dd>
        </div>
      </dl>
      <p class="actions">
        <a class="button" href={tokensPath}>
          {t.done}
        </a>
      </p>
    </ConsolePage>
  );
}

async function make(visit: AdminVisit): Promise<void> {
  const { house, ctx, operator } = visit;
  const sent = sentForm(visit, form);
  const { name, lifetime, types } = sent;
  const uses = /^\d{1,4}$/.test(sent.uses.trim()) ? Number(sent.uses) : 0;
  const wanted = { name, hours: Number(lifetime), uses, types, hosts: linesOf(sent.hosts) };
  const made = await newInitialAccessToken(house.db, wanted, {
    by: operator.id,
    origin: ctx.state.origin,
  });
  if ('refusal' in made)
    return showPage(visit, <NewTokenPage {...{ visit, sent, refusal: made.refusal }} />, true);
  // No redirect here: the token stands in this answer and nowhere else.
  showPage(visit, <TokenShownPage {...{ visit, made }} />);
}

export function routes(house: House): Router {
  const router = new Router();
  const page = `${tokensPath}/new`;
  router.get(
    page,
    guardedFreshly(house, 'clients.write', (visit) =>
      showPage(visit, <NewTokenPage {...{ visit, sent: form.parse({}) }} />),
    ),
  );
  router.post(page, readForm, guardedFreshly(house, 'clients.write', make));
  return router;
}
