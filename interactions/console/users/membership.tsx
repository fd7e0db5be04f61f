import Router from '@koa/router';
import { z } from 'zod';
import type { User } from '../../../src/users/users.ts';
import type { Group } from '../../../src/users/groups.ts';
import { findGroup, listUserGroups, listGroups } from '../../../src/users/groups.ts';
import { changeGroupMembership } from '../../../src/users/search.ts';
import type { Refusal } from '../../ui/form.tsx';
import { Form, RefusalNotice, SecondaryButton, SubmitButton, LinkList } from '../../ui/form.tsx';
import type { AppContext } from '../../../src/context.ts';
import { parseFormBody } from '../../ui/parse-form.ts';
import { redirectOrRender } from './confirm-action.tsx';
import type { ConsoleContext } from '../require-operator.ts';
import {
  requireRecentOperator,
  findUserOr404,
  parseConsoleForm,
  sendConsolePage,
} from '../require-operator.ts';
import { ConsolePage, Select } from '../layout.tsx';

type MembershipPageProps = {
  visit: ConsoleContext;
  person: User;
  mine: readonly Group[];
  others: readonly Group[];
  refusal?: Refusal | undefined;
};

/** The groups that a person is in, each with the way out of it, and the way into another. */
export function MembershipPage({
  visit: consoleContext,
  person: user,
  mine: groups,
  others,
  refusal,
}: MembershipPageProps) {
  const { frame, token } = consoleContext;
  const { membership: t, deeds: actions } = frame.t.console;
  const back = `/admin/people/${user.id}`;
  const action = `${back}/groups`;
  return (
    <ConsolePage visit={consoleContext} title={t.title} step="groups-of-person" part="people">
      <p class="lead" data-about={user.id}>
        {actions.who(user.name, user.email)}
      </p>
      <p>{t.consequence}</p>
      {refusal && <RefusalNotice refusal={refusal} />}
      {groups.length === 0 && <p class="quiet">{t.none}</p>}
      <ul class="rows">
        {groups.map(({ id, name }) => (
          <li key={id} data-group={id}>
            <p>
              <strong>{name}</strong>
            </p>
            <Form action={action} token={token} label={`${t.remove}: ${name}`}>
              <SecondaryButton name="remove" value={id} waiting={actions.waiting}>
                {t.remove}
              </SecondaryButton>
            </Form>
          </li>
        ))}
      </ul>
      {others.length > 0 && (
        <Form action={action} token={token}>
          <Select name="add" label={t.add} options={others.map(({ id, name }) => [id, name] as const)} />
          <SubmitButton waiting={actions.waiting}>{t.button}</SubmitButton>
        </Form>
      )}
      {groups.length + others.length === 0 && <p>{t.noGroups}</p>}
      <LinkList ways={[{ href: back, label: t.back }]} />
    </ConsolePage>
  );
}

const membershipForm = z.object({
  add: z.string().max(100).optional(),
  remove: z.string().max(100).optional(),
});

async function renderMembership(
  consoleContext: ConsoleContext,
  user: User,
  refusal?: Refusal,
): Promise<void> {
  const { db } = consoleContext.house;
  const groups = await listUserGroups(db, user.id);
  const all = await listGroups(db);
  const others = all.filter(({ id }) => !groups.some((group) => group.id === id));
  sendConsolePage(
    consoleContext,
    <MembershipPage {...{ visit: consoleContext, person: user, mine: groups, others, refusal }} />,
    refusal !== undefined,
  );
}

async function submitMembership(consoleContext: ConsoleContext): Promise<void> {
  const { house: context, ctx, operator } = consoleContext;
  const user = await findUserOr404(consoleContext, 'people.groups');
  const { add, remove } = parseConsoleForm(consoleContext, membershipForm);
  const group = await findGroup(context.db, { id: add ?? remove ?? '' });
  const change = { target: user.id, by: operator, origin: ctx.state.origin, member: add !== undefined };
  const refused = group
    ? await changeGroupMembership(context.db, { ...change, group })
    : ({ code: 'no-such-group' } as const);
  await redirectOrRender(consoleContext, user, refused, 'groups', (refusal) =>
    renderMembership(consoleContext, user, refusal),
  );
}

export function routes(context: AppContext): Router {
  const router = new Router();
  const get = requireRecentOperator(context, 'people.groups', async (consoleContext) =>
    renderMembership(consoleContext, await findUserOr404(consoleContext, 'people.groups')),
  );
  router.get('/admin/people/:id/groups', get);
  router.post(
    '/admin/people/:id/groups',
    parseFormBody,
    requireRecentOperator(context, 'people.groups', submitMembership),
  );
  return router;
}
