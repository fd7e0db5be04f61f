import Router from '@koa/router';
import { z } from 'zod';
import type { GroupSummary } from '../../../src/users/groups.ts';
import { findGroupSummary, removeGroup, renameGroup } from '../../../src/users/groups.ts';
import { isGroupReferenced } from '../../../src/clients/clients.ts';
import type { Refusal } from '../../ui/form.tsx';
import { Field, Form, SubmitButton, LinkList } from '../../ui/form.tsx';
import type { AppContext } from '../../../src/context.ts';
import { parseFormBody } from '../../ui/parse-form.ts';
import type { DomainRefusal } from '../../ui/refusal.ts';
import { translateRefusal } from '../../ui/refusal.ts';
import type { ConsoleContext } from '../require-operator.ts';
import {
  requireOperator,
  requireRecentOperator,
  redirectAfterPost,
  parseConsoleForm,
  sendConsolePage,
} from '../require-operator.ts';
import { ConsolePage, CopyableText, ConsolePageSection } from '../layout.tsx';

type GroupPageProps = {
  visit: ConsoleContext;
  group: GroupSummary;
  name?: string | undefined;
  refusal?: Refusal | undefined;
};

const groupPath = ({ id }: GroupSummary, below = ''): string => `/admin/groups/${id}${below}`;

/** One group: its name, and at the end the way to remove it. */
export function GroupPage({ visit: consoleContext, group, name = group.name, refusal }: GroupPageProps) {
  const { frame, token, ctx } = consoleContext;
  const t = frame.t.console.groups;
  const notice = ctx.query.notice === 'renamed' ? t.rename.done : undefined;
  return (
    <ConsolePage visit={consoleContext} title={group.name} step="group" part="groups" notice={notice}>
      <p class="lead">{t.members(group.members)}</p>
      <ConsolePageSection title={t.rename.title} name="rename">
        <p class="quiet">{t.rename.help}</p>
        <Form action={groupPath(group)} token={token} refusal={refusal} fields={['name']}>
          <Field name="name" label={t.rename.name} value={name} autocomplete="off" refusal={refusal} />
          <SubmitButton waiting={t.rename.waiting}>{t.rename.button}</SubmitButton>
        </Form>
      </ConsolePageSection>
      <ConsolePageSection title={t.number} name="number">
        <p>
          <CopyableText frame={frame}>{group.id}</CopyableText>
        </p>
      </ConsolePageSection>
      <ConsolePageSection title={t.remove.title} name="dangerous">
        <p class="quiet">{t.remove.help}</p>
        <p class="actions">
          <a class="button secondary danger" href={groupPath(group, '/delete')}>
            {t.remove.button}
          </a>
        </p>
      </ConsolePageSection>
    </ConsolePage>
  );
}

/** The last page before a group is gone: its name is typed, so that the deed meets the one that is meant. */
export function RemoveGroupPage({ visit: consoleContext, group, refusal }: GroupPageProps) {
  const { frame, token } = consoleContext;
  const t = frame.t.console;
  return (
    <ConsolePage visit={consoleContext} title={t.groups.remove.title} step="group-delete" part="groups">
      <p class="lead">{group.name}</p>
      <p>{t.groups.remove.consequence(group.members)}</p>
      <Form action={groupPath(group, '/delete')} token={token} refusal={refusal} fields={['name']}>
        <Field name="name" label={t.groups.remove.type} autocomplete="off" refusal={refusal} />
        <SubmitButton waiting={t.deeds.waiting}>{t.groups.remove.button}</SubmitButton>
      </Form>
      <LinkList ways={[{ href: groupPath(group), label: t.cancel }]} />
    </ConsolePage>
  );
}

/** The group of this address; 404 where there is none. */
async function findGroupOr404({ house: context, ctx }: ConsoleContext): Promise<GroupSummary> {
  const { group: id } = ctx.params as { group: string };
  return (await findGroupSummary(context.db, id)) ?? ctx.throw(404, 'not-found');
}

const groupForm = z.object({ name: z.string().max(1000).default('') });

const auditActorOf = ({ operator, ctx }: ConsoleContext) => ({ by: operator.id, origin: ctx.state.origin });

const groupRefusal = (
  { frame, house: context }: ConsoleContext,
  refused: DomainRefusal,
  field?: string,
): Refusal => translateRefusal(frame, refused, context.settings.HEMMA_HELP_DESK_CONTACT, field);

async function submitGroupRename(consoleContext: ConsoleContext): Promise<void> {
  const group = await findGroupOr404(consoleContext);
  const { name } = parseConsoleForm(consoleContext, groupForm);
  const refused = await renameGroup(consoleContext.house.db, group.id, name, auditActorOf(consoleContext));
  if (!refused) return redirectAfterPost(consoleContext, groupPath(group, '?notice=renamed'));
  const refusal = groupRefusal(consoleContext, refused, 'name');
  return sendConsolePage(
    consoleContext,
    <GroupPage {...{ visit: consoleContext, group, name, refusal }} />,
    true,
  );
}

const normalizeName = (name: string) => name.normalize('NFC').replaceAll(/\s+/g, ' ').trim();

async function submitGroupRemoval(consoleContext: ConsoleContext): Promise<void> {
  const group = await findGroupOr404(consoleContext);
  const { name } = parseConsoleForm(consoleContext, groupForm);
  const again = (refusal: Refusal) =>
    sendConsolePage(consoleContext, <RemoveGroupPage {...{ visit: consoleContext, group, refusal }} />, true);
  if (normalizeName(name) !== group.name)
    return again(groupRefusal(consoleContext, { code: 'wrong-group-name' }, 'name'));
  const refused = await removeGroup(
    consoleContext.house.db,
    group.id,
    isGroupReferenced,
    auditActorOf(consoleContext),
  );
  // Gone already is what was asked for: of two who press at once both are told that it is done.
  if (!refused || refused.code === 'no-such-group')
    return redirectAfterPost(consoleContext, '/admin/groups?notice=removed');
  return again(groupRefusal(consoleContext, refused));
}

export function routes(context: AppContext): Router {
  const router = new Router();
  router.get(
    '/admin/groups/:group',
    requireOperator(context, 'groups.write', async (consoleContext) =>
      sendConsolePage(
        consoleContext,
        <GroupPage visit={consoleContext} group={await findGroupOr404(consoleContext)} />,
      ),
    ),
  );
  router.post(
    '/admin/groups/:group',
    parseFormBody,
    requireRecentOperator(context, 'groups.write', submitGroupRename),
  );
  router.get(
    '/admin/groups/:group/delete',
    requireRecentOperator(context, 'groups.write', async (consoleContext) =>
      sendConsolePage(
        consoleContext,
        <RemoveGroupPage visit={consoleContext} group={await findGroupOr404(consoleContext)} />,
      ),
    ),
  );
  router.post(
    '/admin/groups/:group/delete',
    parseFormBody,
    requireRecentOperator(context, 'groups.write', submitGroupRemoval),
  );
  return router;
}
