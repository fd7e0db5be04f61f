import Router from '@koa/router';
import type { Account } from '../../../src/users/users.ts';
import type { AttributeFault, Attributes } from '../../../src/users/attributes.ts';
import { attributesOf, changeAttributes } from '../../../src/users/attributes.ts';
import type { ClaimDefinition } from '../../../src/users/claim-definitions.ts';
import { listClaims } from '../../../src/users/claim-definitions.ts';
import { groupsOf } from '../../../src/users/groups.ts';
import { mayAct } from '../../../src/users/operators.ts';
import { z } from 'zod';
import type { FieldProps, Refusal } from '../../ui/form.tsx';
import { AlertIcon, Field, Form, SubmitButton, Ways } from '../../ui/form.tsx';
import type { House } from '../../../src/context.ts';
import type { Frame } from '../../ui/layout.tsx';
import { readForm } from '../../ui/parse-form.ts';
import { inWords } from '../../ui/refusal.ts';
import { afterDeed } from './confirm-action.tsx';
import type { AdminVisit } from '../require-operator.ts';
import { guardedFreshly, personOf, sentForm, showPage } from '../require-operator.ts';
import { ConsolePage } from '../layout.tsx';

/** The claims of the house's own, and what an account has for them. */
export interface Shown {
  claims: readonly ClaimDefinition[];
  attributes: Attributes;
}

async function shownFor({ house }: AdminVisit, { id }: Account): Promise<Shown> {
  return { claims: await listClaims(house.db), attributes: await attributesOf(house.db, id) };
}

/** The same, where this operator may set them: what stands there may be nobody else's business. */
export async function attributesFor(visit: AdminVisit, person: Account): Promise<Shown | undefined> {
  const groups = (await groupsOf(visit.house.db, person.id)).map(({ id }) => id);
  const allowed = mayAct(visit.operator, 'people.attributes', { id: person.id, role: person.role, groups });
  return allowed ? shownFor(visit, person) : undefined;
}

/** What is filled in, in the words of the language. */
export function AttributeList({ frame, shown }: { frame: Frame; shown: Shown }) {
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
const fieldOf = ({ id }: ClaimDefinition): string => `claim-${id}`;

type LinesProps = Pick<FieldProps, 'name' | 'label' | 'help' | 'value' | 'refusal'>;

/** A list, one value on each line. */
function ListField({ name, label, help, value, refusal }: LinesProps) {
  const mine = refusal?.field === name ? refusal : undefined;
  return (
    <div class="field">
      <label for={name}>{label}</label>
      <p class="help" id={`${name}-help`}>
        {help}
      </p>
      {mine && (
        <p class="refusal" role="alert" id={`${name}-refusal`} data-refusal={mine.code}>
          <AlertIcon />
          <span>{mine.message}</span>
        </p>
      )}
      <textarea
        id={name}
        name={name}
        class="input"
        rows={3}
        autocomplete="off"
        aria-invalid={mine ? 'true' : undefined}
        aria-describedby={mine ? `${name}-refusal ${name}-help` : `${name}-help`}
      >
        {value}
      </textarea>
    </div>
  );
}

type AttributesPageProps = {
  visit: AdminVisit;
  person: Account;
  claims: readonly ClaimDefinition[];
  /** What stands in the fields, by their names. */
  values: Readonly<Record<string, string>>;
  refusal?: Refusal | undefined;
};

/** One field for each claim of the house's own: what is empty is taken away. */
export function AttributesPage({ visit, person, claims, values, refusal }: AttributesPageProps) {
  const { frame, token } = visit;
  const t = frame.t.ownClaims.person;
  const back = `/admin/people/${person.id}`;
  return (
    <ConsolePage visit={visit} title={t.title} step="attributes" part="people">
      <p class="lead" data-about={person.id}>
        {frame.t.console.deeds.who(person.name, person.email)}
      </p>
      <p>{claims.length === 0 ? t.undefined : t.help}</p>
      {claims.length > 0 && (
        <Form
          action={`${back}/attributes`}
          token={token}
          refusal={refusal}
          fields={claims.map((claim) => fieldOf(claim))}
        >
          {claims.map((claim) => {
            const { name, label, multi } = claim;
            const field = fieldOf(claim);
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
      <Ways
        ways={[
          { href: back, label: frame.t.console.cancel },
          ...(claims.length === 0 ? [{ href: '/admin/claims', label: t.define }] : []),
        ]}
      />
    </ConsolePage>
  );
}

const valuesOf = ({ claims, attributes }: Shown): Record<string, string> =>
  Object.fromEntries(claims.map((claim) => [fieldOf(claim), attributes[claim.name]?.join('\n') ?? '']));

const form = z.record(z.string(), z.string().max(16_000));

async function show(visit: AdminVisit, person: Account): Promise<void> {
  const shown = await shownFor(visit, person);
  showPage(visit, <AttributesPage {...{ visit, person, claims: shown.claims, values: valuesOf(shown) }} />);
}

function worded(visit: AdminVisit, claims: readonly ClaimDefinition[], faults: readonly AttributeFault[]) {
  const [first] = faults;
  const claim = claims.find(({ name }) => name === first?.path);
  const code = first?.code ?? 'attribute-malformed';
  const contact = visit.house.settings.HEMMA_HELP_DESK_CONTACT;
  return inWords(visit.frame, { code }, contact, claim && fieldOf(claim));
}

async function answer(visit: AdminVisit): Promise<void> {
  const { house, ctx, operator } = visit;
  const person = await personOf(visit, 'people.attributes');
  const sent = sentForm(visit, form);
  const { claims } = await shownFor(visit, person);
  // A claim that was defined since the form was shown is not in it, and stays as it is.
  const given = Object.fromEntries(
    claims.flatMap((claim) => {
      const text = sent[fieldOf(claim)];
      return text === undefined ? [] : [[claim.name, claim.multi ? text.split(/\r?\n/) : text]];
    }),
  );
  const change = { target: person.id, by: operator, origin: ctx.state.origin, given };
  const refused = await changeAttributes(house.db, change);
  if (refused && 'faults' in refused) {
    const refusal = worded(visit, claims, refused.faults);
    return showPage(visit, <AttributesPage {...{ visit, person, claims, values: sent, refusal }} />, true);
  }
  return afterDeed(visit, person, refused, 'attributes', () => show(visit, person));
}

export function routes(house: House): Router {
  const router = new Router();
  const path = '/admin/people/:id/attributes';
  router.get(
    path,
    guardedFreshly(house, 'people.attributes', async (visit) =>
      show(visit, await personOf(visit, 'people.attributes')),
    ),
  );
  router.post(path, readForm, guardedFreshly(house, 'people.attributes', answer));
  return router;
}
