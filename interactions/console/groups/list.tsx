import Router from '@koa/router';
import { z } from 'zod';
import type { GroupSummary } from '../../../src/users/groups.ts';
import { createGroup, listGroups } from '../../../src/users/groups.ts';
import type { Refusal } from '../../ui/form.tsx';
import { Field, Form, SubmitButton } from '../../ui/form.tsx';
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
import { ConsolePage, CopyableText, Table } from '../layout.tsx';

type GroupsPageProps = {
  visit: ConsoleContext;
  groups: readonly GroupSummary[];
  name?: string | undefined;
  refusal?: Refusal | undefined;
};

export function GroupsPage({ visit: consoleContext, groups, name, refusal }: GroupsPageProps) {
  const { frame, token, ctx } = consoleContext;
  const t = frame.t.console.groups;
  const parameter: Record<string, string> = { created: t.done, removed: t.remove.done };
  const { notice: done } = ctx.query;
  const notice = typeof done === 'string' && Object.hasOwn(parameter, done) ? parameter[done] : undefined;
  return (
    <ConsolePage visit={consoleContext} title={t.title} step="groups" part="groups" notice={notice}>
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
              <CopyableText key="number" frame={frame}>
                {group.id}
              </CopyableText>,
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

const newGroupForm = z.object({ name: z.string().max(1000).default('') });

async function renderGroups(consoleContext: ConsoleContext, name?: string, refusal?: Refusal): Promise<void> {
  const groups = await listGroups(consoleContext.house.db);
  sendConsolePage(
    consoleContext,
    <GroupsPage {...{ visit: consoleContext, groups, name, refusal }} />,
    refusal !== undefined,
  );
}

async function submitNewGroup(consoleContext: ConsoleContext): Promise<void> {
  const { house: context, ctx, operator, frame } = consoleContext;
  const { name } = parseConsoleForm(consoleContext, newGroupForm);
  const made = await createGroup(context.db, name, { by: operator.id, origin: ctx.state.origin });
  if ('group' in made) return redirectAfterPost(consoleContext, '/admin/groups?notice=created');
  const contact = context.settings.HEMMA_HELP_DESK_CONTACT;
  return renderGroups(consoleContext, name, translateRefusal(frame, { code: made.refusal }, contact, 'name'));
}

export function routes(context: AppContext): Router {
  const router = new Router();
  router.get(
    '/admin/groups',
    requireOperator(context, 'groups.read', (consoleContext) => renderGroups(consoleContext)),
  );
  router.post('/admin/groups', parseFormBody, requireRecentOperator(context, 'groups.write', submitNewGroup));
  return router;
}
