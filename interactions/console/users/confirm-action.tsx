import Router from '@koa/router';
import type { ComponentChildren } from 'preact';
import { z } from 'zod';
import type { Account } from '../../../src/users/users.ts';
import { emailKey } from '../../../src/users/users.ts';
import type { Action } from '../../../src/users/operators.ts';
import type { Refusal } from '../../ui/form.tsx';
import { Field, Form, SubmitButton, Ways } from '../../ui/form.tsx';
import type { House } from '../../../src/context.ts';
import { readForm } from '../../ui/parse-form.ts';
import type { DomainRefusal } from '../../ui/refusal.ts';
import { inWords } from '../../ui/refusal.ts';
import type { AdminVisit } from '../require-operator.ts';
import { guardedFreshly, onTo, personOf, sentForm, showPage } from '../require-operator.ts';
import { ConsolePage } from '../layout.tsx';

/** What a deed is called, and what comes of it. */
export interface DeedWords {
  title: string;
  consequence: string;
  button: string;
}

type DeedPageProps = {
  visit: AdminVisit;
  name: string;
  person: Account;
  words: DeedWords;
  /** Whether the person's address is typed, so that the deed meets whom it is meant for. */
  typed: boolean;
  refusal?: Refusal | undefined;
  children?: ComponentChildren;
};

/** The last page of a deed: whom it is about, what happens, and a button that names it. Nothing happens before it. */
export function DeedPage({ visit, name, person, words, typed, refusal, children }: DeedPageProps) {
  const { frame, token } = visit;
  const t = frame.t.console.deeds;
  const back = `/admin/people/${person.id}`;
  return (
    <ConsolePage visit={visit} title={words.title} step={name} part="people">
      <p class="lead" data-about={person.id}>
        {t.who(person.name, person.email)}
      </p>
      <p>{words.consequence}</p>
      <Form action={`${back}/${name}`} token={token} refusal={refusal} fields={typed ? ['email'] : []}>
        {children}
        {typed && (
          <Field name="email" label={t.typeEmail} autocomplete="off" inputmode="email" refusal={refusal} />
        )}
        <SubmitButton waiting={t.waiting}>{words.button}</SubmitButton>
      </Form>
      <Ways ways={[{ href: back, label: frame.t.console.cancel }]} />
    </ConsolePage>
  );
}

/** Why a deed was not done; `not-there` is a page of its own. */
export type Refused = DomainRefusal | { code: 'not-there' } | undefined;

/** Shows the refused form again, in words, or leaves for the person's page, which says what was done. */
export async function afterDeed(
  visit: AdminVisit,
  person: Account,
  refused: (Refused & { field?: string }) | undefined,
  done: string,
  again: (refusal: Refusal) => Promise<void> | void,
): Promise<void> {
  if (!refused) return onTo(visit, `/admin/people/${person.id}?notice=${done}`);
  if (refused.code === 'not-there') return visit.ctx.throw(404, 'not-found');
  const contact = visit.house.settings.HEMMA_HELP_DESK_CONTACT;
  return again(inWords(visit.frame, refused, contact, refused.field));
}

/** Whether the typed address is this person's. */
export const meant = (person: Account, email: string): boolean => emailKey(email) === emailKey(person.email);

export interface Deed {
  /** The last part of its address, and of its words. */
  name: keyof Pick<
    AdminVisit['frame']['t']['console']['deeds'],
    'resend-invitation' | 'disable' | 'enable' | 'end-sessions' | 'require-two-step'
  >;
  action: Action;
  typed: boolean;
  carryOut: (visit: AdminVisit, person: Account) => Promise<Refused>;
}

const form = z.object({ email: z.string().max(1000).default('') });

/** A deed that asks nothing but whether it is meant: a page and its form, both just after a fresh sign-in. */
export function deedRoutes(house: House, { name, action, typed, carryOut }: Deed): Router {
  const show = (visit: AdminVisit, person: Account, refusal?: Refusal) => {
    const words = visit.frame.t.console.deeds[name];
    showPage(visit, <DeedPage {...{ visit, name, person, words, typed, refusal }} />, refusal !== undefined);
  };
  const router = new Router();
  const path = `/admin/people/:id/${name}`;
  const get = guardedFreshly(house, action, async (visit) => show(visit, await personOf(visit, action)));
  const post = guardedFreshly(house, action, async (visit) => {
    const person = await personOf(visit, action);
    const { email } = sentForm(visit, form);
    const refused =
      typed && !meant(person, email)
        ? ({ code: 'wrong-email', field: 'email' } as const)
        : await carryOut(visit, person);
    await afterDeed(visit, person, refused, name, (refusal) => show(visit, person, refusal));
  });
  router.get(path, get);
  router.post(path, readForm, post);
  return router;
}
