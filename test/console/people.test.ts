/** Finding people: beginnings of addresses and names, page by page, never beyond the operator's group. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Group } from '../../src/users/groups.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import type { Screen, Visitor } from '../rig/visitor.ts';
import { group, operator, type OperatorAtWork, putInto } from './town.ts';

let hemma: Hemma;
let north: Group;
let alma: OperatorAtWork;
let nora: OperatorAtWork;
let hugo: OperatorAtWork;
beforeAll(async () => {
  hemma = await startHemma();
  north = await group(hemma, 'Norrlands Bageri');
  const named = { 'anna.ek@north.example': 'Anna Ek', 'bo_lind@north.example': 'Bo Lind' };
  for (const [email, name] of Object.entries(named))
    await putInto(hemma, await hemma.account({ email, name }), north);
  await hemma.account({ email: 'asa@south.example', name: 'Åsa Österberg-Ek' });
  await hemma.account({ email: 'boxlind@south.example', name: "O'Hara <b>x</b> & Co" });
  alma = await operator(hemma, 'alma@hemma.example', 'administrator');
  nora = await operator(hemma, 'nora@north.example', 'administrator', north);
  hugo = await operator(hemma, 'hugo@hemma.example', 'help-desk');
});
afterAll(() => hemma.stop());

const addresses = (screen: Screen) =>
  screen.page.querySelectorAll('tbody tr').map((row) => row.querySelectorAll('td')[1]?.textContent.trim());
const search = async (visitor: Visitor, q: string) =>
  addresses(await visitor.visit(hemma.url(`/admin/people?${new URLSearchParams({ q }).toString()}`)));

describe('a search', () => {
  test.each([
    ['anna', ['anna.ek@north.example']],
    ['ANNA.EK@north', ['anna.ek@north.example']],
    ['ek', ['anna.ek@north.example', 'asa@south.example']],
    ['åsa', ['asa@south.example']],
    ['ÖSTER', ['asa@south.example']],
    ['ek anna', ['anna.ek@north.example']],
    ['nna', []],
    ['bo_', ['bo_lind@north.example']],
    ['%', []],
    ["o'hara", ['boxlind@south.example']],
    ["' OR 1=1 --", []],
    ['a & !b | (c:*)', []],
    ['\\', []],
  ])('for %s finds %j', async (q, found) => expect(await search(alma.visitor, q)).toEqual(found));

  test('finds nobody outside the group that an operator is limited to, and no operator', async () => {
    expect(await search(nora.visitor, '')).toEqual(['anna.ek@north.example', 'bo_lind@north.example']);
    expect(await search(nora.visitor, 'åsa')).toEqual([]);
    expect(nora.visitor.screen.text).toContain('Du ser personerna i gruppen Norrlands Bageri.');
    expect(await search(hugo.visitor, 'a')).toEqual(['anna.ek@north.example', 'asa@south.example']);
    expect(await search(hugo.visitor, 'alma')).toEqual([]);
  });

  test('writes names as they are, never as markup', async () => {
    await search(alma.visitor, 'boxlind');
    expect(alma.visitor.screen.text).toContain("O'Hara <b>x</b> & Co");
    expect(alma.visitor.screen.page.querySelector('tbody b')).toBeNull();
  });

  test('of what nobody matches says so, and what to try', async () => {
    await search(alma.visitor, 'zzz');
    expect(alma.visitor.screen.page.querySelector('[data-empty]')?.textContent).toContain('”zzz”');
  });
});

test.each([
  ['/admin/people/', '-'.repeat(36)],
  ['/admin/people/', '0'.repeat(36)],
  ['/admin/people/', '%00'],
  ['/admin/cases/', '%00'],
  ['/admin/cases/', "' OR '1'='1"],
])('T35 a number that is none, %s%s, is nobody’s', async (path, number) =>
  expect((await alma.visitor.visit(hemma.url(path + number))).status).toBe(404),
);

test('T35 a limited administrator hears of no other group that one of theirs is in', async () => {
  const both = await hemma.account({ email: 'both@north.example', name: 'Both' });
  await putInto(hemma, both, north, await group(hemma, 'Konkurrenten AB'));
  const { visitor } = nora;
  const pages = [];
  for (const path of [`/admin/people/${both.id}`, '/admin/audit?account=both%40north.example'])
    pages.push(await visitor.visit(hemma.url(path)));
  pages.push(await visitor.submit({}, 'format=json'));
  for (const { status, body } of pages) {
    expect([status, body.includes('Norrlands Bageri'), body.includes('Konkurrenten')]).toEqual([
      200,
      true,
      false,
    ]);
  }
  expect((await alma.visitor.visit(hemma.url(`/admin/people/${both.id}`))).body).toContain('Konkurrenten');
});

test('T37 a name that is cut in the middle of a character costs no row of the audit', async () => {
  await alma.visitor.visit(hemma.url('/admin/groups'));
  const made = await alma.visitor.submit({ name: `${'a'.repeat(79)}😀` });
  expect([made.status, made.url.search]).toEqual([200, '?notice=created']);
  const { rows } = await hemma.db.query(
    "SELECT 1 FROM audit WHERE event = 'group.created' AND detail->>'name' LIKE 'aaaa%'",
  );
  expect(rows).toHaveLength(1);
});

describe('a long list', () => {
  test('goes on page by page, everybody once, in the order of addresses', async () => {
    await Promise.all(
      Array.from({ length: 115 }, (_, place) =>
        hemma.db.query(
          `INSERT INTO accounts (id, email, email_key, name, role, password_hash, two_step_required, created_at)
           VALUES (gen_random_uuid(), $1, $1, 'Many', 'person', 'none', true, $2)`,
          [`many${String(place).padStart(3, '0')}@many.example`, new Date()],
        ),
      ),
    );
    const { visitor } = alma;
    const seen = [...(await search(visitor, 'many'))];
    while (visitor.screen.page.querySelector('main .actions a'))
      seen.push(...addresses(await visitor.follow('Visa fler')));
    expect(seen).toHaveLength(115);
    expect(new Set(seen).size).toBe(115);
    expect(seen).toEqual(
      Array.from({ length: 115 }, (_, place) => `many${String(place).padStart(3, '0')}@many.example`),
    );
  });

  test('takes no cursor that it did not give', async () => {
    await search(alma.visitor, 'many');
    const next = alma.visitor.screen.page.querySelector('main .actions a')?.getAttribute('href') ?? '';
    const given = new URL(next, hemma.issuer).searchParams.get('after') ?? '';
    const page = (path: string, after: string) =>
      alma.visitor.visit(hemma.url(`${path}?${new URLSearchParams({ after }).toString()}`));
    expect((await page('/admin/people', given)).status).toBe(200);
    const forged = [`${given.slice(0, -2)}xx`, 'many050@many.example', "x' OR '1'='1", btoa('many'), ''];
    for (const after of forged)
      expect([after, (await page('/admin/people', after)).status]).toEqual([after, 400]);
    expect((await page('/admin/audit', given)).status).toBe(400);
    expect((await alma.visitor.visit(hemma.url('/admin/people?q=a&q=b'))).status).toBe(400);
  });
});
