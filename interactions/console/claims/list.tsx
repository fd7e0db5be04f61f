import Router from '@koa/router';
import { z } from 'zod';
import type { ClaimFault } from '../../../src/users/claim-value.ts';
import { checkClaim } from '../../../src/users/claim-value.ts';
import type { ClaimDefinition } from '../../../src/users/claim-definitions.ts';
import { listClaims } from '../../../src/users/claim-definitions.ts';
import { mayAct } from '../../../src/users/operators.ts';
import { defineClaim } from '../../../src/oidc/claims/custom-claims.ts';
import type { Refusal } from '../../ui/form.tsx';
import { Choice, Field, Form, SubmitButton, Ways } from '../../ui/form.tsx';
import type { House } from '../../../src/context.ts';
import { readForm } from '../../ui/parse-form.ts';
import { inWords } from '../../ui/refusal.ts';
import type { AdminVisit } from '../require-operator.ts';
import { guarded, guardedFreshly, onTo, sentForm, showPage } from '../require-operator.ts';
import { Address, ConsolePage, Table } from '../layout.tsx';

/** What the forms of a claim send; what it means is judged by the definition's own schema. */
export const claimForm = z.object({
  name: z.string().max(1000).default(''),
  scope: z.string().max(1000).default(''),
  labelSv: z.string().max(1000).default(''),
  labelEn: z.string().max(1000).default(''),
  multi: z.string().max(10).default(''),
});
export type SentClaim = z.output<typeof claimForm>;

/** What was sent as a definition, not judged yet. */
export const described = ({ name, scope, labelSv, labelEn, multi }: SentClaim) => ({
  name,
  scope,
  label: { sv: labelSv, en: labelEn.trim() === '' ? labelSv : labelEn },
  multi: multi === 'yes',
});

/** Which field of the form a fault is about. */
const fieldOf = (path: string): string =>
  ({ 'label.sv': 'labelSv', 'label.en': 'labelEn' })[path] ?? (path || 'name');

export function worded({ frame, house }: AdminVisit, { path, code }: ClaimFault): Refusal {
  return inWords(frame, { code }, house.settings.HEMMA_HELP_DESK_CONTACT, fieldOf(path));
}

/** What can be changed of a claim: where it belongs and what it is called. */
export function DescribingFields({ visit, values, refusal }: ClaimFormProps) {
  const t = visit.frame.t.ownClaims.fields;
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

export const describingFields = ['scope', 'labelSv', 'labelEn'];

export type ClaimFormProps = { visit: AdminVisit; values: SentClaim; refusal?: Refusal | undefined };

/** A new claim. */
export function NewClaimPage({ visit, values, refusal }: ClaimFormProps) {
  const { frame, token } = visit;
  const t = frame.t.ownClaims;
  return (
    <ConsolePage visit={visit} title={t.newTitle} step="claim-new" part="clients">
      <p class="quiet">{t.askAgain}</p>
      <Form action="/admin/claims/new" token={token} refusal={refusal} fields={['name', ...describingFields]}>
        <Field
          name="name"
          label={t.fields.name}
          help={t.fields.nameHelp}
          value={values.name}
          autocomplete="off"
          code
          refusal={refusal}
        />
        <DescribingFields visit={visit} values={values} refusal={refusal} />
        <div>
          <Choice name="multi" value="yes" label={t.fields.multi} checked={values.multi === 'yes'} />
          <p class="help">{t.fields.multiHelp}</p>
        </div>
        <SubmitButton waiting={t.waiting}>{t.submitNew}</SubmitButton>
      </Form>
      <Ways ways={[{ href: '/admin/claims', label: frame.t.console.cancel }]} />
    </ConsolePage>
  );
}

/** All claims of the house's own, a line each. */
export function ClaimsPage({ visit, claims }: { visit: AdminVisit; claims: readonly ClaimDefinition[] }) {
  const { frame, operator, ctx } = visit;
  const t = frame.t.ownClaims;
  const said: Record<string, string> = t.notices;
  const { notice } = ctx.query;
  const done = typeof notice === 'string' && Object.hasOwn(said, notice) ? said[notice] : undefined;
  return (
    <ConsolePage visit={visit} title={t.title} step="claims" part="clients" notice={done}>
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
                <Address>{name}</Address>
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
      {mayAct(operator, 'clients.write') && (
        <p class="actions">
          <a class="button" href="/admin/claims/new">
            {t.create}
          </a>
        </p>
      )}
      <Ways ways={[{ href: '/admin/clients', label: frame.t.clients.title }]} />
    </ConsolePage>
  );
}

const nothing: SentClaim = { name: '', scope: '', labelSv: '', labelEn: '', multi: '' };

async function create(visit: AdminVisit): Promise<void> {
  const { house, operator, ctx } = visit;
  const values = sentForm(visit, claimForm);
  const read = checkClaim(described(values));
  const doer = { by: operator.id, origin: ctx.state.origin };
  const made = 'claim' in read ? await defineClaim(house.db, read.claim, doer) : read;
  const fault = 'faults' in made ? made.faults[0] : 'fault' in made ? made.fault : undefined;
  if (!fault) return onTo(visit, '/admin/claims?notice=created');
  return showPage(visit, <NewClaimPage {...{ visit, values, refusal: worded(visit, fault) }} />, true);
}

export function routes(house: House): Router {
  const router = new Router();
  router.get(
    '/admin/claims',
    guarded(house, 'clients.read', async (visit) =>
      showPage(visit, <ClaimsPage visit={visit} claims={await listClaims(visit.house.db)} />),
    ),
  );
  router.get(
    '/admin/claims/new',
    guardedFreshly(house, 'clients.write', (visit) =>
      showPage(visit, <NewClaimPage visit={visit} values={nothing} />),
    ),
  );
  router.post('/admin/claims/new', readForm, guardedFreshly(house, 'clients.write', create));
  return router;
}
