import Router from '@koa/router';
import { z } from 'zod';
import type { ListedGroup } from '../../../src/users/groups.ts';
import { listedGroup, removeGroup, renameGroup } from '../../../src/users/groups.ts';
import { namesGroup } from '../../../src/clients/clients.ts';
import type { Refusal } from '../../ui/form.tsx';
import { Field, Form, SubmitButton, Ways } from '../../ui/form.tsx';
import type { House } from '../../../src/context.ts';
import { readForm } from '../../ui/parse-form.ts';
import type { DomainRefusal } from '../../ui/refusal.ts';
import { inWords } from '../../ui/refusal.ts';
import type { AdminVisit } from '../require-operator.ts';
import { guarded, guardedFreshly, onTo, sentForm, showPage } from '../require-operator.ts';
import { ConsolePage, Copyable, Section } from '../layout.tsx';

type GroupPageProps = {
  visit: AdminVisit;
  group: ListedGroup;
  name?: string | undefined;
  refusal?: Refusal | undefined;
};

const pathOf = ({ id }: ListedGroup, below = ''): string => `/admin/groups/${id}${below}`;

/** One group: its name, and at the end the way to remove it. */
export function GroupPage({ visit, group, name = group.name, refusal }: GroupPageProps) {
  const { frame, token, ctx } = visit;
  const t = frame.t.console.groups;
  const notice = ctx.query.notice === 'renamed' ? t.rename.done : undefined;
  return (
    <ConsolePage visit={visit} title={group.name} step="group" part="groups" notice={notice}>
      <p class="lead">{t.members(group.members)}</p>
      <Section title={t.rename.title} name="rename">
        <p class="quiet">{t.rename.help}</p>
        <Form action={pathOf(group)} token={token} refusal={refusal} fields={['name']}>
          <Field name="name" label={t.rename.name} value={name} autocomplete="off" refusal={refusal} />
          <SubmitButton waiting={t.rename.waiting}>{t.rename.button}</SubmitButton>
        </Form>
      </Section>
      <Section title={t.number} name="number">
        <p>
          <Copyable frame={frame}>{group.id}</Copyable>
        </p>
      </Section>
      <Section title={t.remove.title} name="dangerous">
        <p class="quiet">{t.remove.help}</p>
        <p class="actions">
          <a class="button secondary danger" href={pathOf(group, '/delete')}>
            {t.remove.button}
          </a>
        </p>
      </Section>
    </ConsolePage>
  );
}

/** The last page before a group is gone: its name is typed, so that the deed meets the one that is meant. */
export function RemoveGroupPage({ visit, group, refusal }: GroupPageProps) {
  const { frame, token } = visit;
  const t = frame.t.console;
  return (
    <ConsolePage visit={visit} title={t.groups.remove.title} step="group-delete" part="groups">
      <p class="lead">{group.name}</p>
      <p>{t.groups.remove.consequence(group.members)}</p>
      <Form action={pathOf(group, '/delete')} token={token} refusal={refusal} fields={['name']}>
        <Field name="name" label={t.groups.remove.type} autocomplete="off" refusal={refusal} />
        <SubmitButton waiting={t.deeds.waiting}>{t.groups.remove.button}</SubmitButton>
      </Form>
      <Ways ways={[{ href: pathOf(group), label: t.cancel }]} />
    </ConsolePage>
  );
}

/** The group of this address; 404 where there is none. */
async function groupOf({ house, ctx }: AdminVisit): Promise<ListedGroup> {
  const { group: id } = ctx.params as { group: string };
  return (await listedGroup(house.db, id)) ?? ctx.throw(404, 'not-found');
}

const form = z.object({ name: z.string().max(1000).default('') });

const doerOf = ({ operator, ctx }: AdminVisit) => ({ by: operator.id, origin: ctx.state.origin });

const worded = ({ frame, house }: AdminVisit, refused: DomainRefusal, field?: string): Refusal =>
  inWords(frame, refused, house.settings.HEMMA_HELP_DESK_CONTACT, field);

async function rename(visit: AdminVisit): Promise<void> {
  const group = await groupOf(visit);
  const { name } = sentForm(visit, form);
  const refused = await renameGroup(visit.house.db, group.id, name, doerOf(visit));
  if (!refused) return onTo(visit, pathOf(group, '?notice=renamed'));
  const refusal = worded(visit, refused, 'name');
  return showPage(visit, <GroupPage {...{ visit, group, name, refusal }} />, true);
}

const spoken = (name: string) => name.normalize('NFC').replaceAll(/\s+/g, ' ').trim();

async function remove(visit: AdminVisit): Promise<void> {
  const group = await groupOf(visit);
  const { name } = sentForm(visit, form);
  const again = (refusal: Refusal) =>
    showPage(visit, <RemoveGroupPage {...{ visit, group, refusal }} />, true);
  if (spoken(name) !== group.name) return again(worded(visit, { code: 'wrong-group-name' }, 'name'));
  const refused = await removeGroup(visit.house.db, group.id, namesGroup, doerOf(visit));
  // Gone already is what was asked for: of two who press at once both are told that it is done.
  if (!refused || refused.code === 'no-such-group') return onTo(visit, '/admin/groups?notice=removed');
  return again(worded(visit, refused));
}

export function routes(house: House): Router {
  const router = new Router();
  router.get(
    '/admin/groups/:group',
    guarded(house, 'groups.write', async (visit) =>
      showPage(visit, <GroupPage visit={visit} group={await groupOf(visit)} />),
    ),
  );
  router.post('/admin/groups/:group', readForm, guardedFreshly(house, 'groups.write', rename));
  router.get(
    '/admin/groups/:group/delete',
    guardedFreshly(house, 'groups.write', async (visit) =>
      showPage(visit, <RemoveGroupPage visit={visit} group={await groupOf(visit)} />),
    ),
  );
  router.post('/admin/groups/:group/delete', readForm, guardedFreshly(house, 'groups.write', remove));
  return router;
}
