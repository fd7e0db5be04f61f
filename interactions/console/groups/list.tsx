import Router from '@koa/router';
import { z } from 'zod';
import type { ListedGroup } from '../../../src/users/groups.ts';
import { createGroup, listGroups } from '../../../src/users/groups.ts';
import type { Refusal } from '../../ui/form.tsx';
import { Field, Form, SubmitButton } from '../../ui/form.tsx';
import type { House } from '../../../src/context.ts';
import { readForm } from '../../ui/parse-form.ts';
import { inWords } from '../../ui/refusal.ts';
import type { AdminVisit } from '../require-operator.ts';
import { guarded, guardedFreshly, onTo, sentForm, showPage } from '../require-operator.ts';
import { ConsolePage, Copyable, Table } from '../layout.tsx';

type GroupsPageProps = {
  visit: AdminVisit;
  groups: readonly ListedGroup[];
  name?: string | undefined;
  refusal?: Refusal | undefined;
};

export function GroupsPage({ visit, groups, name, refusal }: GroupsPageProps) {
  const { frame, token, ctx } = visit;
  const t = frame.t.console.groups;
  const said: Record<string, string> = { created: t.done, removed: t.remove.done };
  const { notice: done } = ctx.query;
  const notice = typeof done === 'string' && Object.hasOwn(said, done) ? said[done] : undefined;
  return (
    <ConsolePage visit={visit} title={t.title} step="groups" part="groups" notice={notice}>
      <p class="lead">{t.help}</p>
      {groups.length === 0 ? (
        <p data-empty>{t.none}</p>
      ) : (
        <Table
          caption={t.title}
          columns={[t.name, t.people, t.number]}
          rows={groups.map((group) => ({
            key: group.id,
            cells: [
              <a key="name" href={`/admin/groups/${group.id}`}>
                {group.name}
              </a>,
              t.members(group.members),
              <Copyable key="number" frame={frame}>
                {group.id}
              </Copyable>,
            ],
          }))}
        />
      )}
      <Form action="/admin/groups" token={token} refusal={refusal} fields={['name']}>
        <Field name="name" label={t.name} value={name} autocomplete="off" refusal={refusal} />
        <SubmitButton waiting={t.waiting}>{t.create}</SubmitButton>
      </Form>
    </ConsolePage>
  );
}

const form = z.object({ name: z.string().max(1000).default('') });

async function show(visit: AdminVisit, name?: string, refusal?: Refusal): Promise<void> {
  const groups = await listGroups(visit.house.db);
  showPage(visit, <GroupsPage {...{ visit, groups, name, refusal }} />, refusal !== undefined);
}

async function answer(visit: AdminVisit): Promise<void> {
  const { house, ctx, operator, frame } = visit;
  const { name } = sentForm(visit, form);
  const made = await createGroup(house.db, name, { by: operator.id, origin: ctx.state.origin });
  if ('group' in made) return onTo(visit, '/admin/groups?notice=created');
  const contact = house.settings.HEMMA_HELP_DESK_CONTACT;
  return show(visit, name, inWords(frame, { code: made.refusal }, contact, 'name'));
}

export function routes(house: House): Router {
  const router = new Router();
  router.get(
    '/admin/groups',
    guarded(house, 'groups.read', (visit) => show(visit)),
  );
  router.post('/admin/groups', readForm, guardedFreshly(house, 'groups.write', answer));
  return router;
}
