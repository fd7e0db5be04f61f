import Router from '@koa/router';
import { z } from 'zod';
import { checkClaim } from '../../../src/users/claim-value.ts';
import type { ClaimDefinition } from '../../../src/users/claim-definitions.ts';
import { claimBy } from '../../../src/users/claim-definitions.ts';
import { changeClaim, removeClaim } from '../../../src/oidc/claims/custom-claims.ts';
import type { Refusal } from '../../ui/form.tsx';
import { Field, Form, SubmitButton, Ways } from '../../ui/form.tsx';
import type { House } from '../../../src/context.ts';
import { readForm } from '../../ui/parse-form.ts';
import type { DomainRefusal } from '../../ui/refusal.ts';
import { inWords } from '../../ui/refusal.ts';
import type { SentClaim } from './list.tsx';
import { claimForm, described, DescribingFields, describingFields, worded } from './list.tsx';
import type { AdminVisit } from '../require-operator.ts';
import { guarded, guardedFreshly, onTo, sentForm, showPage } from '../require-operator.ts';
import { ConsolePage, Section } from '../layout.tsx';

const pathOf = ({ id }: ClaimDefinition, below = ''): string => `/admin/claims/${id}${below}`;

type ClaimPageProps = {
  visit: AdminVisit;
  claim: ClaimDefinition;
  values: SentClaim;
  refusal?: Refusal | undefined;
};

/** One claim: how it is described, and at the end the way to remove it. */
export function ClaimPage({ visit, claim, values, refusal }: ClaimPageProps) {
  const { frame, token } = visit;
  const t = frame.t.ownClaims;
  return (
    <ConsolePage visit={visit} title={claim.label[frame.locale]} step="claim" part="clients">
      <p class="lead code">{claim.name}</p>
      <p class="quiet">{claim.multi ? t.kinds.several : t.kinds.one}</p>
      <p class="quiet">{t.askAgain}</p>
      <Form action={pathOf(claim)} token={token} refusal={refusal} fields={describingFields}>
        <DescribingFields visit={visit} values={values} refusal={refusal} />
        <SubmitButton waiting={t.waiting}>{t.submit}</SubmitButton>
      </Form>
      <Section title={t.remove.title} name="dangerous">
        <p class="quiet">{t.remove.help}</p>
        <p class="actions">
          <a class="button secondary danger" href={pathOf(claim, '/delete')}>
            {t.remove.button}
          </a>
        </p>
      </Section>
      <Ways ways={[{ href: '/admin/claims', label: t.title }]} />
    </ConsolePage>
  );
}

type RemoveProps = { visit: AdminVisit; claim: ClaimDefinition; refusal?: Refusal | undefined };

/** The last page before everybody's values are gone: the claim's name is typed. */
export function RemoveClaimPage({ visit, claim, refusal }: RemoveProps) {
  const { frame, token } = visit;
  const t = frame.t.ownClaims.remove;
  return (
    <ConsolePage visit={visit} title={t.title} step="claim-delete" part="clients">
      <p class="lead code">{claim.name}</p>
      <p>{t.consequence}</p>
      <Form action={pathOf(claim, '/delete')} token={token} refusal={refusal} fields={['name']}>
        <Field name="name" label={t.type} autocomplete="off" code refusal={refusal} />
        <SubmitButton waiting={frame.t.ownClaims.waiting}>{t.button}</SubmitButton>
      </Form>
      <Ways ways={[{ href: pathOf(claim), label: frame.t.console.cancel }]} />
    </ConsolePage>
  );
}

/** The claim of this address; 404 where there is none. */
async function claimOf({ house, ctx }: AdminVisit): Promise<ClaimDefinition> {
  const { claim: id } = ctx.params as { claim: string };
  return (await claimBy(house.db, { id })) ?? ctx.throw(404, 'not-found');
}

const valuesOf = ({ name, scope, label, multi }: ClaimDefinition): SentClaim => ({
  name,
  scope,
  labelSv: label.sv,
  labelEn: label.en,
  multi: multi ? 'yes' : '',
});

const doerOf = ({ operator, ctx }: AdminVisit) => ({ by: operator.id, origin: ctx.state.origin });

async function change(visit: AdminVisit): Promise<void> {
  const claim = await claimOf(visit);
  const values = { ...sentForm(visit, claimForm), name: claim.name, multi: claim.multi ? 'yes' : '' };
  const read = checkClaim(described(values));
  const done = 'claim' in read ? await changeClaim(visit.house.db, read.claim, doerOf(visit)) : read;
  if (!done) return visit.ctx.throw(404, 'not-found');
  if ('result' in done) return onTo(visit, `/admin/claims?notice=${done.result}`);
  const fault = 'faults' in done ? done.faults[0] : done.fault;
  const refusal = fault && worded(visit, fault);
  return showPage(visit, <ClaimPage {...{ visit, claim, values, refusal }} />, true);
}

const form = z.object({ name: z.string().max(1000).default('') });

async function remove(visit: AdminVisit): Promise<void> {
  const claim = await claimOf(visit);
  const { name } = sentForm(visit, form);
  const again = (code: DomainRefusal['code'], field?: string) => {
    const refusal = inWords(visit.frame, { code }, visit.house.settings.HEMMA_HELP_DESK_CONTACT, field);
    return showPage(visit, <RemoveClaimPage {...{ visit, claim, refusal }} />, true);
  };
  if (name.trim() !== claim.name) return again('wrong-claim-name', 'name');
  const refused = await removeClaim(visit.house.db, claim.name, doerOf(visit));
  if (refused === 'scope-of-application') return again(refused);
  // Gone already is what was asked for.
  return onTo(visit, '/admin/claims?notice=removed');
}

export function routes(house: House): Router {
  const router = new Router();
  router.get(
    '/admin/claims/:claim',
    guarded(house, 'clients.write', async (visit) => {
      const claim = await claimOf(visit);
      showPage(visit, <ClaimPage {...{ visit, claim, values: valuesOf(claim) }} />);
    }),
  );
  router.post('/admin/claims/:claim', readForm, guardedFreshly(house, 'clients.write', change));
  router.get(
    '/admin/claims/:claim/delete',
    guardedFreshly(house, 'clients.write', async (visit) =>
      showPage(visit, <RemoveClaimPage visit={visit} claim={await claimOf(visit)} />),
    ),
  );
  router.post('/admin/claims/:claim/delete', readForm, guardedFreshly(house, 'clients.write', remove));
  return router;
}
