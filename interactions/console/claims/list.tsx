import Router from '@koa/router';
import { z } from 'zod';
import type { ClaimFault } from '../../../src/users/claim-value.ts';
import { validateClaim } from '../../../src/users/claim-value.ts';
import type { ClaimDefinition } from '../../../src/users/claim-definitions.ts';
import { listClaims } from '../../../src/users/claim-definitions.ts';
import { hasPermission } from '../../../src/users/operators.ts';
import { defineCustomClaim } from '../../../src/oidc/claims/custom-claims.ts';
import type { Refusal } from '../../ui/form.tsx';
import { Choice, Field, Form, SubmitButton, LinkList } from '../../ui/form.tsx';
import type { AppContext } from '../../../src/context.ts';
import { parseFormBody } from '../../ui/parse-form.ts';
import { translateRefusal } from '../../ui/refusal.ts';
import type { ConsoleContext } from '../require-operator.ts';
import {
  requireOperator,
  requireRecentOperator,
  redirectAfterPost,
  parseConsoleForm,
  sendConsolePage,
} from '../require-operator.ts';
import { UriWithBreaks, ConsolePage, Table } from '../layout.tsx';

/** What the forms of a claim send; what it means is judged by the definition's own schema. */
export const claimForm = z.object({
  name: z.string().max(1000).default(''),
  scope: z.string().max(1000).default(''),
  labelSv: z.string().max(1000).default(''),
  labelEn: z.string().max(1000).default(''),
  multi: z.string().max(10).default(''),
});
export type ClaimFormValues = z.output<typeof claimForm>;

/** What was sent as a definition, not judged yet. */
export const toClaimInput = ({ name, scope, labelSv, labelEn, multi }: ClaimFormValues) => ({
  name,
  scope,
  label: { sv: labelSv, en: labelEn.trim() === '' ? labelSv : labelEn },
  multi: multi === 'yes',
});

/** Which field of the form a fault is about. */
const formFieldOf = (path: string): string =>
  ({ 'label.sv': 'labelSv', 'label.en': 'labelEn' })[path] ?? (path || 'name');

export function claimFaultRefusal(
  { frame, house: context }: ConsoleContext,
  { path, code }: ClaimFault,
): Refusal {
  return translateRefusal(frame, { code }, context.settings.HEMMA_HELP_DESK_CONTACT, formFieldOf(path));
}

/** What can be changed of a claim: where it belongs and what it is called. */
export function ClaimFields({ visit: consoleContext, values, refusal }: ClaimFormProps) {
  const t = consoleContext.frame.t.ownClaims.fields;
  return (
    <>
      <Field name="scope" label={t.scope} help={t.scopeHelp} value={values.scope} code refusal={refusal} />
      <Field
        name="labelSv"
        label={t.labelSv}
        help={t.labelSvHelp}
        value={values.labelSv}
        autocomplete="off"
        refusal={refusal}
      />
      <Field
        name="labelEn"
        label={t.labelEn}
        help={t.labelEnHelp}
        value={values.labelEn}
        autocomplete="off"
        refusal={refusal}
      />
    </>
  );
}

export const claimFieldNames = ['scope', 'labelSv', 'labelEn'];

export type ClaimFormProps = {
  visit: ConsoleContext;
  values: ClaimFormValues;
  refusal?: Refusal | undefined;
};

/** A new claim. */
export function NewClaimPage({ visit: consoleContext, values, refusal }: ClaimFormProps) {
  const { frame, token } = consoleContext;
  const t = frame.t.ownClaims;
  return (
    <ConsolePage visit={consoleContext} title={t.newTitle} step="claim-new" part="clients">
      <p class="quiet">{t.askAgain}</p>
      <Form action="/admin/claims/new" token={token} refusal={refusal} fields={['name', ...claimFieldNames]}>
        <Field
          name="name"
          label={t.fields.name}
          help={t.fields.nameHelp}
          value={values.name}
          autocomplete="off"
          code
          refusal={refusal}
        />
        <ClaimFields visit={consoleContext} values={values} refusal={refusal} />
        <div>
          <Choice name="multi" value="yes" label={t.fields.multi} checked={values.multi === 'yes'} />
          <p class="help">{t.fields.multiHelp}</p>
        </div>
        <SubmitButton waiting={t.waiting}>{t.submitNew}</SubmitButton>
      </Form>
      <LinkList ways={[{ href: '/admin/claims', label: frame.t.console.cancel }]} />
    </ConsolePage>
  );
}

/** All claims of the house's own, a line each. */
export function ClaimsPage({
  visit: consoleContext,
  claims,
}: {
  visit: ConsoleContext;
  claims: readonly ClaimDefinition[];
}) {
  const { frame, operator, ctx } = consoleContext;
  const t = frame.t.ownClaims;
  const notices: Record<string, string> = t.notices;
  const { notice } = ctx.query;
  const done = typeof notice === 'string' && Object.hasOwn(notices, notice) ? notices[notice] : undefined;
  return (
    <ConsolePage visit={consoleContext} title={t.title} step="claims" part="clients" notice={done}>
      <p class="lead">{t.help}</p>
      {claims.length === 0 ? (
        <p data-empty>{t.none}</p>
      ) : (
        <Table
          caption={t.title}
          columns={[t.columns.name, t.columns.label, t.columns.scope, t.columns.kind]}
          rows={claims.map(({ id, name, label, scope, multi }) => ({
            key: id,
            cells: [
              <a key="name" class="code" href={`/admin/claims/${id}`}>
                <UriWithBreaks>{name}</UriWithBreaks>
              </a>,
              label[frame.locale],
              <span key="scope" class="code">
                {scope}
              </span>,
              multi ? t.kinds.several : t.kinds.one,
            ],
          }))}
        />
      )}
      {hasPermission(operator, 'clients.write') && (
        <p class="actions">
          <a class="button" href="/admin/claims/new">
            {t.create}
          </a>
        </p>
      )}
      <LinkList ways={[{ href: '/admin/clients', label: frame.t.clients.title }]} />
    </ConsolePage>
  );
}

const emptyClaimForm: ClaimFormValues = { name: '', scope: '', labelSv: '', labelEn: '', multi: '' };

async function submitNewClaim(consoleContext: ConsoleContext): Promise<void> {
  const { house: context, operator, ctx } = consoleContext;
  const values = parseConsoleForm(consoleContext, claimForm);
  const read = validateClaim(toClaimInput(values));
  const auditActor = { by: operator.id, origin: ctx.state.origin };
  const made = 'claim' in read ? await defineCustomClaim(context.db, read.claim, auditActor) : read;
  const fault = 'faults' in made ? made.faults[0] : 'fault' in made ? made.fault : undefined;
  if (!fault) return redirectAfterPost(consoleContext, '/admin/claims?notice=created');
  return sendConsolePage(
    consoleContext,
    <NewClaimPage
      {...{ visit: consoleContext, values, refusal: claimFaultRefusal(consoleContext, fault) }}
    />,
    true,
  );
}

export function routes(context: AppContext): Router {
  const router = new Router();
  router.get(
    '/admin/claims',
    requireOperator(context, 'clients.read', async (consoleContext) =>
      sendConsolePage(
        consoleContext,
        <ClaimsPage visit={consoleContext} claims={await listClaims(consoleContext.house.db)} />,
      ),
    ),
  );
  router.get(
    '/admin/claims/new',
    requireRecentOperator(context, 'clients.write', (consoleContext) =>
      sendConsolePage(consoleContext, <NewClaimPage visit={consoleContext} values={emptyClaimForm} />),
    ),
  );
  router.post(
    '/admin/claims/new',
    parseFormBody,
    requireRecentOperator(context, 'clients.write', submitNewClaim),
  );
  return router;
}
