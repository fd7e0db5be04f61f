import Router from '@koa/router';
import { z } from 'zod';
import type { Account } from '../../../src/users/users.ts';
import type { Group } from '../../../src/users/groups.ts';
import { groupBy, groupsOf, listGroups } from '../../../src/users/groups.ts';
import { changeGroup } from '../../../src/users/search.ts';
import type { Refusal } from '../../ui/form.tsx';
import { Form, RefusalNotice, SecondaryButton, SubmitButton, Ways } from '../../ui/form.tsx';
import type { House } from '../../../src/context.ts';
import { readForm } from '../../ui/parse-form.ts';
import { afterDeed } from './confirm-action.tsx';
import type { AdminVisit } from '../require-operator.ts';
import { guardedFreshly, personOf, sentForm, showPage } from '../require-operator.ts';
import { ConsolePage, Select } from '../layout.tsx';

type MembershipPageProps = {
  visit: AdminVisit;
  person: Account;
  mine: readonly Group[];
  others: readonly Group[];
  refusal?: Refusal | undefined;
};

/** The groups that a person is in, each with the way out of it, and the way into another. */
export function MembershipPage({ visit, person, mine, others, refusal }: MembershipPageProps) {
  const { frame, token } = visit;
  const { membership: t, deeds } = frame.t.console;
  const back = `/admin/people/${person.id}`;
  const action = `${back}/groups`;
  return (
    <ConsolePage visit={visit} title={t.title} step="groups-of-person" part="people">
      <p class="lead" data-about={person.id}>
        {deeds.who(person.name, person.email)}
      </p>
      <p>{t.consequence}</p>
      {refusal && <RefusalNotice refusal={refusal} />}
      {mine.length === 0 && <p class="quiet">{t.none}</p>}
      <ul class="rows">
        {mine.map(({ id, name }) => (
          <li key={id} data-group={id}>
            <p>
              <strong>{name}</strong>
            </p>
            <Form action={action} token={token} label={`${t.remove}: ${name}`}>
              <SecondaryButton name="remove" value={id} waiting={deeds.waiting}>
                {t.remove}
              </SecondaryButton>
            </Form>
          </li>
        ))}
      </ul>
      {others.length > 0 && (
        <Form action={action} token={token}>
          <Select name="add" label={t.add} options={others.map(({ id, name }) => [id, name] as const)} />
          <SubmitButton waiting={deeds.waiting}>{t.button}</SubmitButton>
        </Form>
      )}
      {mine.length + others.length === 0 && <p>{t.noGroups}</p>}
      <Ways ways={[{ href: back, label: t.back }]} />
    </ConsolePage>
  );
}

const form = z.object({ add: z.string().max(100).optional(), remove: z.string().max(100).optional() });

async function show(visit: AdminVisit, person: Account, refusal?: Refusal): Promise<void> {
  const { db } = visit.house;
  const mine = await groupsOf(db, person.id);
  const all = await listGroups(db);
  const others = all.filter(({ id }) => !mine.some((group) => group.id === id));
  showPage(visit, <MembershipPage {...{ visit, person, mine, others, refusal }} />, refusal !== undefined);
}

async function answer(visit: AdminVisit): Promise<void> {
  const { house, ctx, operator } = visit;
  const person = await personOf(visit, 'people.groups');
  const { add, remove } = sentForm(visit, form);
  const group = await groupBy(house.db, { id: add ?? remove ?? '' });
  const change = { target: person.id, by: operator, origin: ctx.state.origin, member: add !== undefined };
  const refused = group
    ? await changeGroup(house.db, { ...change, group })
    : ({ code: 'no-such-group' } as const);
  await afterDeed(visit, person, refused, 'groups', (refusal) => show(visit, person, refusal));
}

export function routes(house: House): Router {
  const router = new Router();
  const get = guardedFreshly(house, 'people.groups', async (visit) =>
    show(visit, await personOf(visit, 'people.groups')),
  );
  router.get('/admin/people/:id/groups', get);
  router.post('/admin/people/:id/groups', readForm, guardedFreshly(house, 'people.groups', answer));
  return router;
}
