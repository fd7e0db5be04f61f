import Router from '@koa/router';
import { z } from 'zod';
import type { Account, Role } from '../../../src/users/users.ts';
import { roles } from '../../../src/users/users.ts';
import type { ListedGroup } from '../../../src/users/groups.ts';
import { listGroups } from '../../../src/users/groups.ts';
import { changeRole } from '../../../src/users/operators.ts';
import type { Refusal } from '../../ui/form.tsx';
import type { House } from '../../../src/context.ts';
import { readForm } from '../../ui/parse-form.ts';
import { afterDeed, DeedPage, meant } from './confirm-action.tsx';
import type { AdminVisit } from '../require-operator.ts';
import { guardedFreshly, personOf, sentForm, showPage } from '../require-operator.ts';
import { Select } from '../layout.tsx';

type RolePageProps = {
  visit: AdminVisit;
  person: Account;
  groups: readonly ListedGroup[];
  chosen: { role: Role; group: string | undefined };
  refusal?: Refusal | undefined;
};

export function RolePage({ visit, person, groups, chosen, refusal }: RolePageProps) {
  const { role: t, roles: names } = visit.frame.t.console;
  const over = [['', t.everybody], ...groups.map(({ id, name }) => [id, name] as const)] as const;
  return (
    <DeedPage {...{ visit, name: 'role', person, words: t, typed: true, refusal }}>
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
    </DeedPage>
  );
}

const form = z.object({
  role: z.enum(roles),
  group: z.string().max(100).default(''),
  email: z.string().max(1000).default(''),
});

async function show(
  visit: AdminVisit,
  person: Account,
  chosen: RolePageProps['chosen'],
  refusal?: Refusal,
): Promise<void> {
  const groups = await listGroups(visit.house.db);
  showPage(visit, <RolePage {...{ visit, person, groups, chosen, refusal }} />, refusal !== undefined);
}

async function answer(visit: AdminVisit): Promise<void> {
  const { house, ctx, operator } = visit;
  const person = await personOf(visit, 'people.role');
  const sent = sentForm(visit, form);
  const chosen = { role: sent.role, group: sent.group || undefined };
  const change = { target: person.id, by: operator, origin: ctx.state.origin, ...chosen };
  const refused = meant(person, sent.email)
    ? await changeRole(house.db, house.post, house.aftermath, change)
    : ({ code: 'wrong-email', field: 'email' } as const);
  await afterDeed(visit, person, refused, 'role', (refusal) => show(visit, person, chosen, refusal));
}

export function routes(house: House): Router {
  const router = new Router();
  const get = guardedFreshly(house, 'people.role', async (visit) => {
    const person = await personOf(visit, 'people.role');
    await show(visit, person, { role: person.role, group: person.operatorGroup });
  });
  router.get('/admin/people/:id/role', get);
  router.post('/admin/people/:id/role', readForm, guardedFreshly(house, 'people.role', answer));
  return router;
}
