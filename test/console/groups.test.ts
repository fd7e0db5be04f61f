/**
 * Groups in the console: another name, and the end of one, which nobody who depends on it is robbed by. Claims of the
 * house's own: defined, described anew, filled in for a person and removed.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findGroup, removeGroup } from '../../src/users/groups.ts';
import { clientSchema } from '../../src/clients/schema.ts';
import { findClientById, createClient, isGroupReferenced } from '../../src/clients/clients.ts';
import { findAuditEvents } from '../../src/audit/audit-log.ts';
import { at } from '../rig/ceremony.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { group, operator, type OperatorAtWork, putInto, withRole } from './town.ts';

let hemma: Hemma;
let alma: OperatorAtWork;
beforeAll(async () => {
  hemma = await startHemma();
  alma = await operator(hemma, 'alma@example.com', 'administrator');
});
afterAll(() => hemma.stop());

const shop = (id: string, groups: readonly string[]) =>
  createClient(
    hemma.db,
    clientSchema.parse({
      id,
      name: id,
      type: 'web',
      redirectUris: ['https://shop.example/back'],
      allowedGroups: groups,
    }),
    {},
  );
const remove = async (id: string, name: string) => {
  await alma.visitor.visit(hemma.url(`/admin/groups/${id}/delete`));
  at('group-delete', alma.visitor.screen);
  return alma.visitor.submit({ name });
};

test('a group is found in the list and given another name, which nobody else has', async () => {
  const { id } = await group(hemma, 'Bageriet');
  await group(hemma, 'Åkeriet');
  await alma.visitor.visit(hemma.url('/admin/groups'));
  at('group', await alma.visitor.follow('Bageriet'));
  for (const [name, refusal] of [
    [' ', 'missing-name'],
    ['ÅKERIET', 'group-taken'],
  ] as const)
    expect((await alma.visitor.submit({ name })).refusal).toBe(refusal);
  const done = await alma.visitor.submit({ name: 'Bageriet  i Luleå' });
  expect([done.heading, done.text]).toEqual([
    'Bageriet i Luleå',
    expect.stringContaining('Gruppen har ett nytt namn.'),
  ]);
  expect(await findAuditEvents(hemma.db, { event: 'group.renamed', limit: 9 })).toMatchObject([
    { actor: alma.id, detail: { group: id, name: 'Bageriet i Luleå', before: 'Bageriet' } },
  ]);
});

test('a group is removed once its name is typed, and its people stay', async () => {
  const made = await group(hemma, 'Mejeriet');
  const mia = await hemma.account({ email: 'mia@example.com' });
  await putInto(hemma, mia, made);
  const wrong = await remove(made.id, 'mejeriet');
  expect([wrong.status, wrong.refusal]).toEqual([422, 'wrong-group-name']);
  expect(wrong.text).toContain('En person är med i gruppen.');
  const done = await alma.visitor.submit({ name: ' Mejeriet ' });
  expect([done.step, done.text]).toEqual(['groups', expect.stringContaining('Gruppen är borttagen.')]);
  expect(done.text).not.toContain('Mejeriet');
  expect((await alma.visitor.visit(hemma.url(`/admin/people/${mia.id}`))).text).toContain(
    'Inte med i någon grupp.',
  );
  expect((await alma.visitor.visit(hemma.url(`/admin/groups/${made.id}`))).status).toBe(404);
  expect(await findAuditEvents(hemma.db, { event: 'group.removed', limit: 9 })).toMatchObject([
    { actor: alma.id, detail: { group: made.id, name: 'Mejeriet', members: 1 } },
  ]);
});

test('a group stays while an operator is limited to it, or an application lets only its people in', async () => {
  const [north, south] = [await group(hemma, 'Norr'), await group(hemma, 'Söder')];
  await withRole(hemma, 'nora@example.com', 'administrator', north);
  await shop('only-south', [south.id]);
  const [limits, named] = [await remove(north.id, 'Norr'), await remove(south.id, 'Söder')];
  expect([limits.refusal, named.refusal]).toEqual(['group-limits-operator', 'group-of-application']);
  expect(limits.alert).toContain('Ändra den rollen först.');
  expect(named.alert).toContain('Ändra applikationen först.');
  for (const { id } of [north, south]) expect(await findGroup(hemma.db, { id })).toBeDefined();
});

test('of a removal and whatever comes to depend on the group at the same moment one is done', async () => {
  for (const turn of [1, 2, 3]) {
    const { id } = await group(hemma, `Kort ${turn}`);
    const doer = {};
    const [first, second, depending] = await Promise.all([
      removeGroup(hemma.db, id, isGroupReferenced, doer),
      removeGroup(hemma.db, id, isGroupReferenced, doer),
      shop(`late-${turn}`, [id]),
    ]);
    const removed = [first, second].filter((refused) => refused === undefined).length;
    expect([removed, depending?.fault.code]).toEqual(depending ? [1, 'group-unknown'] : [0, undefined]);
  }
});

test('a claim of the house’s own is defined, asked for by an application, filled in for a person, and removed', async () => {
  const { visitor } = alma;
  const open = (path: string) => visitor.visit(hemma.url(path));
  await open('/admin/clients');
  await visitor.follow('Egna uppgifter (claims)');
  expect(visitor.screen.page.querySelector('[data-empty]')).not.toBeNull();
  await visitor.follow('Ny uppgift');
  const department = { name: 'department', scope: 'staff', labelSv: 'Avdelning' };
  const refused = await visitor.submit({ ...department, name: 'sub' });
  expect([refused.status, refused.alert]).toEqual([422, expect.stringContaining('betyder redan något')]);
  expect((await visitor.submit(department)).url.search).toBe('?notice=created');
  await open('/admin/claims/new');
  await visitor.submit({ name: 'roles', scope: 'staff', labelSv: 'Roller', labelEn: 'Roles', multi: 'yes' });
  // Named by what they are where an application is registered.
  await open('/admin/clients/-/new/web');
  expect(visitor.screen.text).toContain('Avdelning och Roller (staff)');
  const redirectUris = 'https://hr.example/back';
  await visitor.submit({ id: 'hr', name: 'HR', redirectUris, scopes: 'staff', subjectType: 'pairwise' });
  expect(visitor.screen.text).toContain('Avdelning och Roller (staff)');
  expect((await findClientById(hemma.db, 'hr'))?.client).toMatchObject({
    scopes: ['staff'],
    subjectType: 'pairwise',
  });
  const { id } = await hemma.account({ email: 'stina@example.com', name: 'Stina' });
  await open(`/admin/people/${id}`);
  await visitor.follow('Ändra uppgifterna');
  at('attributes', visitor.screen);
  const field = (help: string) =>
    visitor.screen.page
      .querySelectorAll('.field')
      .find((one) => one.querySelector('.help')?.textContent.trim().startsWith(help))
      ?.querySelector('label')
      ?.getAttribute('for') ?? '';
  const long = await visitor.submit({ [field('department')]: 'x'.repeat(1001), [field('roles')]: 'a\r\nb' });
  expect([long.status, long.alert]).toEqual([422, expect.stringContaining('högst 1000 tecken')]);
  const done = await visitor.submit({ [field('department')]: ' Lagret ', [field('roles')]: 'a\r\n\r\nb' });
  expect(done.text).toContain('Uppgifterna är sparade.');
  expect(done.page.querySelector('[data-attribute=department] dd')?.textContent).toBe('Lagret');
  expect(done.page.querySelector('[data-attribute=roles] dd')?.textContent).toBe('a, b');
  await open(`/admin/people/${id}/attributes`);
  await visitor.submit({ [field('department')]: '' });
  expect(visitor.screen.page.querySelector('[data-attribute=department]')).toBeNull();
  // Their own they do not change: another administrator does.
  expect((await open(`/admin/people/${alma.id}/attributes`)).status).toBe(404);
  await open('/admin/claims');
  await visitor.follow('roles');
  expect((await visitor.submit({ scope: 'profile' })).alert).toContain('öppnar redan något annat');
  expect((await visitor.submit({ scope: 'staff', labelSv: 'Uppdrag' })).url.search).toBe('?notice=changed');
  await visitor.follow('department');
  await visitor.follow('Ta bort uppgiften');
  expect((await visitor.submit({ name: 'dep' })).alert).toContain('precis som det står');
  expect((await visitor.submit({ name: 'department' })).url.search).toBe('?notice=removed');
  await visitor.follow('roles');
  await visitor.follow('Ta bort uppgiften');
  expect((await visitor.submit({ name: 'roles' })).alert).toContain('En applikation har omfånget');
});
