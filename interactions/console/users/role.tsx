import Router from '@koa/router';
import { z } from 'zod';
import type { User, Role } from '../../../src/users/users.ts';
import { roles } from '../../../src/users/users.ts';
import type { GroupSummary } from '../../../src/users/groups.ts';
import { listGroups } from '../../../src/users/groups.ts';
import { changeRole } from '../../../src/users/operators.ts';
import type { Refusal } from '../../ui/form.tsx';
import type { AppContext } from '../../../src/context.ts';
import { parseFormBody } from '../../ui/parse-form.ts';
import { redirectOrRender, UserActionPage, matchesUserEmail } from './confirm-action.tsx';
import type { ConsoleContext } from '../require-operator.ts';
import {
  requireRecentOperator,
  findUserOr404,
  parseConsoleForm,
  sendConsolePage,
} from '../require-operator.ts';
import { Select } from '../layout.tsx';

type RolePageProps = {
  visit: ConsoleContext;
  person: User;
  groups: readonly GroupSummary[];
  chosen: { role: Role; group: string | undefined };
  refusal?: Refusal | undefined;
};

export function RolePage({ visit: consoleContext, person: user, groups, chosen, refusal }: RolePageProps) {
  const { role: t, roles: names } = consoleContext.frame.t.console;
  const over = [['', t.everybody], ...groups.map(({ id, name }) => [id, name] as const)] as const;
  return (
    <UserActionPage
      {...{ visit: consoleContext, name: 'role', person: user, words: t, typed: true, refusal }}
    >
      <fieldset class="question">
        <legend>{t.role}</legend>
        {roles.map((role) => (
          <label key={role} class="choice">
            <input type="radio" name="role" value={role} checked={role === chosen.role} />
            <span>
              {names[role]}
              <span class="help">{t.help[role]}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {groups.length > 0 && <Select name="group" label={t.over} options={over} chosen={chosen.group} />}
    </UserActionPage>
  );
}

const roleForm = z.object({
  role: z.enum(roles),
  group: z.string().max(100).default(''),
  email: z.string().max(1000).default(''),
});

async function renderRole(
  consoleContext: ConsoleContext,
  user: User,
  chosen: RolePageProps['chosen'],
  refusal?: Refusal,
): Promise<void> {
  const groups = await listGroups(consoleContext.house.db);
  sendConsolePage(
    consoleContext,
    <RolePage {...{ visit: consoleContext, person: user, groups, chosen, refusal }} />,
    refusal !== undefined,
  );
}

async function submitRole(consoleContext: ConsoleContext): Promise<void> {
  const { house: context, ctx, operator } = consoleContext;
  const user = await findUserOr404(consoleContext, 'people.role');
  const sent = parseConsoleForm(consoleContext, roleForm);
  const chosen = { role: sent.role, group: sent.group || undefined };
  const change = { target: user.id, by: operator, origin: ctx.state.origin, ...chosen };
  const refused = matchesUserEmail(user, sent.email)
    ? await changeRole(context.db, context.post, context.aftermath, change)
    : ({ code: 'wrong-email', field: 'email' } as const);
  await redirectOrRender(consoleContext, user, refused, 'role', (refusal) =>
    renderRole(consoleContext, user, chosen, refusal),
  );
}

export function routes(context: AppContext): Router {
  const router = new Router();
  const get = requireRecentOperator(context, 'people.role', async (consoleContext) => {
    const user = await findUserOr404(consoleContext, 'people.role');
    await renderRole(consoleContext, user, { role: user.role, group: user.operatorGroup });
  });
  router.get('/admin/people/:id/role', get);
  router.post(
    '/admin/people/:id/role',
    parseFormBody,
    requireRecentOperator(context, 'people.role', submitRole),
  );
  return router;
}
