import Router from '@koa/router';
import type { User } from '../../../src/users/users.ts';
import type { AttributeFault, Attributes } from '../../../src/users/attributes.ts';
import { findAttributes, changeAttributes } from '../../../src/users/attributes.ts';
import type { ClaimDefinition } from '../../../src/users/claim-definitions.ts';
import { listClaims } from '../../../src/users/claim-definitions.ts';
import { listUserGroups } from '../../../src/users/groups.ts';
import { hasPermission } from '../../../src/users/operators.ts';
import { z } from 'zod';
import type { FieldProps, Refusal } from '../../ui/form.tsx';
import { AlertIcon, Field, Form, SubmitButton, LinkList } from '../../ui/form.tsx';
import type { AppContext } from '../../../src/context.ts';
import type { Frame } from '../../ui/layout.tsx';
import { parseFormBody } from '../../ui/parse-form.ts';
import { translateRefusal } from '../../ui/refusal.ts';
import { redirectOrRender } from './confirm-action.tsx';
import type { ConsoleContext } from '../require-operator.ts';
import {
  requireRecentOperator,
  findUserOr404,
  parseConsoleForm,
  sendConsolePage,
} from '../require-operator.ts';
import { ConsolePage } from '../layout.tsx';

/** The claims of the house's own, and what an account has for them. */
export interface LoadedAttributes {
  claims: readonly ClaimDefinition[];
  attributes: Attributes;
}

async function loadAttributes({ house: context }: ConsoleContext, { id }: User): Promise<LoadedAttributes> {
  return { claims: await listClaims(context.db), attributes: await findAttributes(context.db, id) };
}

/** The same, where this operator may set them: what stands there may be nobody else's business. */
export async function loadVisibleAttributes(
  consoleContext: ConsoleContext,
  user: User,
): Promise<LoadedAttributes | undefined> {
  const groups = (await listUserGroups(consoleContext.house.db, user.id)).map(({ id }) => id);
  const allowed = hasPermission(consoleContext.operator, 'people.attributes', {
    id: user.id,
    role: user.role,
    groups,
  });
  return allowed ? loadAttributes(consoleContext, user) : undefined;
}

/** What is filled in, in the words of the language. */
export function AttributeList({ frame, shown }: { frame: Frame; shown: LoadedAttributes }) {
  const filled = shown.claims.filter(({ name }) => shown.attributes[name]);
  if (filled.length === 0) return <p class="quiet">{frame.t.ownClaims.person.none}</p>;
  return (
    <dl class="facts">
      {filled.map(({ name, label }) => (
        <div key={name} data-attribute={name}>
          <dt>{label[frame.locale]}</dt>
          <dd>{shown.attributes[name]?.join(', ')}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Fields are numbered by their definitions: the name of a claim may be an address. */
const attributeFieldName = ({ id }: ClaimDefinition): string => `claim-${id}`;

type ListFieldProps = Pick<FieldProps, 'name' | 'label' | 'help' | 'value' | 'refusal'>;

/** A list, one value on each line. */
function ListField({ name, label, help, value, refusal }: ListFieldProps) {
  const ownRefusal = refusal?.field === name ? refusal : undefined;
  return (
    <div class="field">
      <label for={name}>{label}</label>
      <p class="help" id={`${name}-help`}>
        {help}
      </p>
      {ownRefusal && (
        <p class="refusal" role="alert" id={`${name}-refusal`} data-refusal={ownRefusal.code}>
          <AlertIcon />
          <span>{ownRefusal.message}</span>
        </p>
      )}
      <textarea
        id={name}
        name={name}
        class="input"
        rows={3}
        autocomplete="off"
        aria-invalid={ownRefusal ? 'true' : undefined}
        aria-describedby={ownRefusal ? `${name}-refusal ${name}-help` : `${name}-help`}
      >
        {value}
      </textarea>
    </div>
  );
}

type AttributesPageProps = {
  visit: ConsoleContext;
  person: User;
  claims: readonly ClaimDefinition[];
  /** What stands in the fields, by their names. */
  values: Readonly<Record<string, string>>;
  refusal?: Refusal | undefined;
};

/** One field for each claim of the house's own: what is empty is taken away. */
export function AttributesPage({
  visit: consoleContext,
  person: user,
  claims,
  values,
  refusal,
}: AttributesPageProps) {
  const { frame, token } = consoleContext;
  const t = frame.t.ownClaims.person;
  const back = `/admin/people/${user.id}`;
  return (
    <ConsolePage visit={consoleContext} title={t.title} step="attributes" part="people">
      <p class="lead" data-about={user.id}>
        {frame.t.console.deeds.who(user.name, user.email)}
      </p>
      <p>{claims.length === 0 ? t.undefined : t.help}</p>
      {claims.length > 0 && (
        <Form
          action={`${back}/attributes`}
          token={token}
          refusal={refusal}
          fields={claims.map((claim) => attributeFieldName(claim))}
        >
          {claims.map((claim) => {
            const { name, label, multi } = claim;
            const field = attributeFieldName(claim);
            const help = `${name}${multi ? `. ${t.several}` : ''}`;
            const common = { name: field, label: label[frame.locale], help, value: values[field], refusal };
            return multi ? (
              <ListField key={name} {...common} />
            ) : (
              <Field key={name} {...common} autocomplete="off" />
            );
          })}
          <SubmitButton waiting={frame.t.ownClaims.waiting}>{t.button}</SubmitButton>
        </Form>
      )}
      <LinkList
        ways={[
          { href: back, label: frame.t.console.cancel },
          ...(claims.length === 0 ? [{ href: '/admin/claims', label: t.define }] : []),
        ]}
      />
    </ConsolePage>
  );
}

const attributeFormValues = ({ claims, attributes }: LoadedAttributes): Record<string, string> =>
  Object.fromEntries(
    claims.map((claim) => [attributeFieldName(claim), attributes[claim.name]?.join('\n') ?? '']),
  );

const attributesForm = z.record(z.string(), z.string().max(16_000));

async function renderAttributes(consoleContext: ConsoleContext, user: User): Promise<void> {
  const shown = await loadAttributes(consoleContext, user);
  sendConsolePage(
    consoleContext,
    <AttributesPage
      {...{ visit: consoleContext, person: user, claims: shown.claims, values: attributeFormValues(shown) }}
    />,
  );
}

function attributeFaultRefusal(
  consoleContext: ConsoleContext,
  claims: readonly ClaimDefinition[],
  faults: readonly AttributeFault[],
) {
  const [first] = faults;
  const claim = claims.find(({ name }) => name === first?.path);
  const code = first?.code ?? 'attribute-malformed';
  const contact = consoleContext.house.settings.HEMMA_HELP_DESK_CONTACT;
  return translateRefusal(consoleContext.frame, { code }, contact, claim && attributeFieldName(claim));
}

async function submitAttributes(consoleContext: ConsoleContext): Promise<void> {
  const { house: context, ctx, operator } = consoleContext;
  const user = await findUserOr404(consoleContext, 'people.attributes');
  const sent = parseConsoleForm(consoleContext, attributesForm);
  const { claims } = await loadAttributes(consoleContext, user);
  // A claim that was defined since the form was shown is not in it, and stays as it is.
  const given = Object.fromEntries(
    claims.flatMap((claim) => {
      const text = sent[attributeFieldName(claim)];
      return text === undefined ? [] : [[claim.name, claim.multi ? text.split(/\r?\n/) : text]];
    }),
  );
  const change = { target: user.id, by: operator, origin: ctx.state.origin, given };
  const refused = await changeAttributes(context.db, change);
  if (refused && 'faults' in refused) {
    const refusal = attributeFaultRefusal(consoleContext, claims, refused.faults);
    return sendConsolePage(
      consoleContext,
      <AttributesPage {...{ visit: consoleContext, person: user, claims, values: sent, refusal }} />,
      true,
    );
  }
  return redirectOrRender(consoleContext, user, refused, 'attributes', () =>
    renderAttributes(consoleContext, user),
  );
}

export function routes(context: AppContext): Router {
  const router = new Router();
  const path = '/admin/people/:id/attributes';
  router.get(
    path,
    requireRecentOperator(context, 'people.attributes', async (consoleContext) =>
      renderAttributes(consoleContext, await findUserOr404(consoleContext, 'people.attributes')),
    ),
  );
  router.post(path, parseFormBody, requireRecentOperator(context, 'people.attributes', submitAttributes));
  return router;
}
