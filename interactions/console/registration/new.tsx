import Router from '@koa/router';
import type { ComponentChildren } from 'preact';
import { z } from 'zod';
import { formatDateTime } from '../../../src/i18n/phrases.ts';
import { clientTypes } from '../../../src/clients/schema.ts';
import { getRegistrationEndpoint } from '../../../src/oidc/registration/registration.ts';
import type {
  CreatedInitialToken,
  InitialTokenRefusal,
} from '../../../src/oidc/registration/initial-access-tokens.ts';
import {
  createInitialAccessToken,
  registrationLimits,
} from '../../../src/oidc/registration/initial-access-tokens.ts';
import { AlertIcon, Form, SubmitButton, LinkList } from '../../ui/form.tsx';
import type { AppContext } from '../../../src/context.ts';
import { parseFormBody } from '../../ui/parse-form.ts';
import { splitNonEmptyLines } from '../clients/redirect-uris.ts';
import { CopyButton } from '../clients/tabs.tsx';
import type { ConsoleContext } from '../require-operator.ts';
import { requireRecentOperator, parseConsoleForm, sendConsolePage } from '../require-operator.ts';
import { ConsolePage, Select } from '../layout.tsx';
import { tokensPath } from './list.tsx';

const lifetimeHours = ['1', '24', '168', '720'] as const;

const newTokenForm = z.object({
  name: z.string().max(1000).default(''),
  lifetime: z.enum(lifetimeHours).default('24'),
  uses: z.string().max(100).default('1'),
  types: z
    .union([z.string().max(100), z.array(z.string().max(100)).max(100)])
    .default([])
    .transform((given) => [given].flat()),
  hosts: z.string().max(15_000).default(''),
});
type NewTokenForm = z.output<typeof newTokenForm>;

/** The field that a refusal stands beside. */
const fieldByRefusal: Record<InitialTokenRefusal, keyof NewTokenForm> = {
  'name-missing': 'name',
  'name-taken': 'name',
  'too-many-tokens': 'name',
  'lifetime-out-of-range': 'lifetime',
  'uses-out-of-range': 'uses',
  'type-unknown': 'types',
  'host-malformed': 'hosts',
};

type NewTokenPageProps = {
  visit: ConsoleContext;
  sent: NewTokenForm;
  refusal?: InitialTokenRefusal | undefined;
};

type FieldWrapperProps = NewTokenPageProps & {
  name: 'name' | 'uses' | 'hosts';
  help: string;
  children: ComponentChildren;
};

/** Label, help, refusal, input. */
function FieldWrapper({ visit: consoleContext, refusal, name, help, children }: FieldWrapperProps) {
  const t = consoleContext.frame.t.registration;
  return (
    <div class="field">
      <label for={name}>{t[name]}</label>
      <p class="help" id={`${name}-help`}>
        {help}
      </p>
      {refusal && fieldByRefusal[refusal] === name && (
        <p class="refusal" role="alert" id={`${name}-refusal`} data-refusal={refusal}>
          <AlertIcon />
          <span>{t.refusals[refusal]}</span>
        </p>
      )}
      {children}
    </div>
  );
}

function inputProps(name: string, refusal: InitialTokenRefusal | undefined) {
  const refused = refusal !== undefined && fieldByRefusal[refusal] === name;
  return {
    id: name,
    name,
    autocomplete: 'off',
    'aria-invalid': refused ? ('true' as const) : undefined,
    'aria-describedby': [refused && `${name}-refusal`, `${name}-help`].filter(Boolean).join(' '),
    autofocus: refused || (refusal === undefined && name === 'name'),
  };
}

function ClientTypesField({ visit: consoleContext, sent }: NewTokenPageProps) {
  const { registration: t, clients } = consoleContext.frame.t;
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
  const { visit: consoleContext, sent, refusal } = props;
  const t = consoleContext.frame.t.registration;
  return (
    <ConsolePage visit={consoleContext} title={t.create} step="new-initial-access-token" part="clients">
      <Form action={`${tokensPath}/new`} token={consoleContext.token}>
        <FieldWrapper {...props} name="name" help={t.nameHelp}>
          <input {...inputProps('name', refusal)} class="input" type="text" value={sent.name} />
        </FieldWrapper>
        <Select
          name="lifetime"
          label={t.lifetime}
          options={lifetimeHours.map((one) => [one, t.lifetimes[one]])}
          chosen={sent.lifetime}
        />
        <FieldWrapper {...props} name="uses" help={t.usesHelp(registrationLimits.uses.most)}>
          <input
            {...inputProps('uses', refusal)}
            class="input"
            type="text"
            inputmode="numeric"
            value={sent.uses}
          />
        </FieldWrapper>
        <ClientTypesField {...props} />
        <FieldWrapper {...props} name="hosts" help={t.hostsHelp}>
          <textarea
            {...inputProps('hosts', refusal)}
            class="input code"
            rows={3}
            autocapitalize="none"
            spellcheck={false}
          >
            {sent.hosts}
          </textarea>
        </FieldWrapper>
        <SubmitButton waiting={t.waiting}>{t.submit}</SubmitButton>
      </Form>
      <LinkList ways={[{ href: tokensPath, label: t.cancel }]} />
    </ConsolePage>
  );
}

/** The only page that ever holds a token: the answer to the form that made it, which no cache keeps. */
export function TokenCreatedPage({
  visit: consoleContext,
  made: created,
}: {
  visit: ConsoleContext;
  made: CreatedInitialToken;
}) {
  const { frame, house: context } = consoleContext;
  const t = frame.t.registration;
  const endpoint = getRegistrationEndpoint(context.settings.HEMMA_ISSUER);
  return (
    <ConsolePage
      visit={consoleContext}
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
            <CopyButton frame={frame} label={t.endpoint}>
              {endpoint}
            </CopyButton>
          </dd>
        </div>
        <div>
          <dt>
            {t.token}: {created.name}
          </dt>
          <dd data-initial-access-token>
            <CopyButton frame={frame} label={t.token}>
              {created.token}
            </CopyButton>
          </dd>
        </div>
        <div>
          <dt>{t.validUntil}</dt>
          <dd>{formatDateTime(frame.locale, created.expiresAt)}</dd>
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

async function submitNewToken(consoleContext: ConsoleContext): Promise<void> {
  const { house: context, ctx, operator } = consoleContext;
  const sent = parseConsoleForm(consoleContext, newTokenForm);
  const { name, lifetime, types } = sent;
  const uses = /^\d{1,4}$/.test(sent.uses.trim()) ? Number(sent.uses) : 0;
  const wanted = { name, hours: Number(lifetime), uses, types, hosts: splitNonEmptyLines(sent.hosts) };
  const made = await createInitialAccessToken(context.db, wanted, {
    by: operator.id,
    origin: ctx.state.origin,
  });
  if ('refusal' in made)
    return sendConsolePage(
      consoleContext,
      <NewTokenPage {...{ visit: consoleContext, sent, refusal: made.refusal }} />,
      true,
    );
  // No redirect here: the token stands in this answer and nowhere else.
  sendConsolePage(consoleContext, <TokenCreatedPage {...{ visit: consoleContext, made }} />);
}

export function routes(context: AppContext): Router {
  const router = new Router();
  const page = `${tokensPath}/new`;
  router.get(
    page,
    requireRecentOperator(context, 'clients.write', (consoleContext) =>
      sendConsolePage(
        consoleContext,
        <NewTokenPage {...{ visit: consoleContext, sent: newTokenForm.parse({}) }} />,
      ),
    ),
  );
  router.post(page, parseFormBody, requireRecentOperator(context, 'clients.write', submitNewToken));
  return router;
}
