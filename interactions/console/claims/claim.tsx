import Router from '@koa/router';
import { z } from 'zod';
import { validateClaim } from '../../../src/users/claim-value.ts';
import type { ClaimDefinition } from '../../../src/users/claim-definitions.ts';
import { findClaim } from '../../../src/users/claim-definitions.ts';
import { changeCustomClaim, removeCustomClaim } from '../../../src/oidc/claims/custom-claims.ts';
import type { Refusal } from '../../ui/form.tsx';
import { Field, Form, SubmitButton, LinkList } from '../../ui/form.tsx';
import type { AppContext } from '../../../src/context.ts';
import { parseFormBody } from '../../ui/parse-form.ts';
import type { DomainRefusal } from '../../ui/refusal.ts';
import { translateRefusal } from '../../ui/refusal.ts';
import type { ClaimFormValues } from './list.tsx';
import { claimForm, toClaimInput, ClaimFields, claimFieldNames, claimFaultRefusal } from './list.tsx';
import type { ConsoleContext } from '../require-operator.ts';
import {
  requireOperator,
  requireRecentOperator,
  redirectAfterPost,
  parseConsoleForm,
  sendConsolePage,
} from '../require-operator.ts';
import { ConsolePage, ConsolePageSection } from '../layout.tsx';

const claimPath = ({ id }: ClaimDefinition, below = ''): string => `/admin/claims/${id}${below}`;

type ClaimPageProps = {
  visit: ConsoleContext;
  claim: ClaimDefinition;
  values: ClaimFormValues;
  refusal?: Refusal | undefined;
};

/** One claim: how it is described, and at the end the way to remove it. */
export function ClaimPage({ visit: consoleContext, claim, values, refusal }: ClaimPageProps) {
  const { frame, token } = consoleContext;
  const t = frame.t.ownClaims;
  return (
    <ConsolePage visit={consoleContext} title={claim.label[frame.locale]} step="claim" part="clients">
      <p class="lead code">{claim.name}</p>
      <p class="quiet">{claim.multi ? t.kinds.several : t.kinds.one}</p>
      <p class="quiet">{t.askAgain}</p>
      <Form action={claimPath(claim)} token={token} refusal={refusal} fields={claimFieldNames}>
        <ClaimFields visit={consoleContext} values={values} refusal={refusal} />
        <SubmitButton waiting={t.waiting}>{t.submit}</SubmitButton>
      </Form>
      <ConsolePageSection title={t.remove.title} name="dangerous">
        <p class="quiet">{t.remove.help}</p>
        <p class="actions">
          <a class="button secondary danger" href={claimPath(claim, '/delete')}>
            {t.remove.button}
          </a>
        </p>
      </ConsolePageSection>
      <LinkList ways={[{ href: '/admin/claims', label: t.title }]} />
    </ConsolePage>
  );
}

type RemoveClaimPageProps = { visit: ConsoleContext; claim: ClaimDefinition; refusal?: Refusal | undefined };

/** The last page before everybody's values are gone: the claim's name is typed. */
export function RemoveClaimPage({ visit: consoleContext, claim, refusal }: RemoveClaimPageProps) {
  const { frame, token } = consoleContext;
  const t = frame.t.ownClaims.remove;
  return (
    <ConsolePage visit={consoleContext} title={t.title} step="claim-delete" part="clients">
      <p class="lead code">{claim.name}</p>
      <p>{t.consequence}</p>
      <Form action={claimPath(claim, '/delete')} token={token} refusal={refusal} fields={['name']}>
        <Field name="name" label={t.type} autocomplete="off" code refusal={refusal} />
        <SubmitButton waiting={frame.t.ownClaims.waiting}>{t.button}</SubmitButton>
      </Form>
      <LinkList ways={[{ href: claimPath(claim), label: frame.t.console.cancel }]} />
    </ConsolePage>
  );
}

/** The claim of this address; 404 where there is none. */
async function findClaimOr404({ house: context, ctx }: ConsoleContext): Promise<ClaimDefinition> {
  const { claim: id } = ctx.params as { claim: string };
  return (await findClaim(context.db, { id })) ?? ctx.throw(404, 'not-found');
}

const claimFormValues = ({ name, scope, label, multi }: ClaimDefinition): ClaimFormValues => ({
  name,
  scope,
  labelSv: label.sv,
  labelEn: label.en,
  multi: multi ? 'yes' : '',
});

const auditActorOf = ({ operator, ctx }: ConsoleContext) => ({ by: operator.id, origin: ctx.state.origin });

async function submitClaimChange(consoleContext: ConsoleContext): Promise<void> {
  const claim = await findClaimOr404(consoleContext);
  const values = {
    ...parseConsoleForm(consoleContext, claimForm),
    name: claim.name,
    multi: claim.multi ? 'yes' : '',
  };
  const read = validateClaim(toClaimInput(values));
  const done =
    'claim' in read
      ? await changeCustomClaim(consoleContext.house.db, read.claim, auditActorOf(consoleContext))
      : read;
  if (!done) return consoleContext.ctx.throw(404, 'not-found');
  if ('result' in done) return redirectAfterPost(consoleContext, `/admin/claims?notice=${done.result}`);
  const fault = 'faults' in done ? done.faults[0] : done.fault;
  const refusal = fault && claimFaultRefusal(consoleContext, fault);
  return sendConsolePage(
    consoleContext,
    <ClaimPage {...{ visit: consoleContext, claim, values, refusal }} />,
    true,
  );
}

const removeClaimForm = z.object({ name: z.string().max(1000).default('') });

async function submitClaimRemoval(consoleContext: ConsoleContext): Promise<void> {
  const claim = await findClaimOr404(consoleContext);
  const { name } = parseConsoleForm(consoleContext, removeClaimForm);
  const again = (code: DomainRefusal['code'], field?: string) => {
    const refusal = translateRefusal(
      consoleContext.frame,
      { code },
      consoleContext.house.settings.HEMMA_HELP_DESK_CONTACT,
      field,
    );
    return sendConsolePage(
      consoleContext,
      <RemoveClaimPage {...{ visit: consoleContext, claim, refusal }} />,
      true,
    );
  };
  if (name.trim() !== claim.name) return again('wrong-claim-name', 'name');
  const refused = await removeCustomClaim(consoleContext.house.db, claim.name, auditActorOf(consoleContext));
  if (refused === 'scope-of-application') return again(refused);
  // Gone already is what was asked for.
  return redirectAfterPost(consoleContext, '/admin/claims?notice=removed');
}

export function routes(context: AppContext): Router {
  const router = new Router();
  router.get(
    '/admin/claims/:claim',
    requireOperator(context, 'clients.write', async (consoleContext) => {
      const claim = await findClaimOr404(consoleContext);
      sendConsolePage(
        consoleContext,
        <ClaimPage {...{ visit: consoleContext, claim, values: claimFormValues(claim) }} />,
      );
    }),
  );
  router.post(
    '/admin/claims/:claim',
    parseFormBody,
    requireRecentOperator(context, 'clients.write', submitClaimChange),
  );
  router.get(
    '/admin/claims/:claim/delete',
    requireRecentOperator(context, 'clients.write', async (consoleContext) =>
      sendConsolePage(
        consoleContext,
        <RemoveClaimPage visit={consoleContext} claim={await findClaimOr404(consoleContext)} />,
      ),
    ),
  );
  router.post(
    '/admin/claims/:claim/delete',
    parseFormBody,
    requireRecentOperator(context, 'clients.write', submitClaimRemoval),
  );
  return router;
}
