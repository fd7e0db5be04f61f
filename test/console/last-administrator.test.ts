/** The last administrator without limits stays, from every side, and when two take each other away at once. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { answered, shellWith } from '../command-line/shell.ts';
import { startTwo, type TwoProcesses } from '../races/two-processes.ts';
import { at, typePassword } from '../rig/ceremony.ts';
import { back, minutes, travel } from '../rig/clock.ts';
import { startHemma } from '../rig/hemma.ts';
import { sixDigits } from '../rig/totp.ts';
import { group, operator, putInto, withRole } from './town.ts';

describe('the last administrator who looks after everybody', () => {
  test('stays: not disabled, not given another role, not deleted; one who is limited or disabled is no other', async () => {
    const alone = await startHemma();
    try {
      const south = await group(alone, 'South');
      const anna = await operator(alone, 'anna@example.com', 'administrator');
      await putInto(alone, await withRole(alone, 'limited@example.com', 'administrator', south), south);
      const shell = shellWith(alone.env);
      const refused = [
        await shell(['accounts', 'disable', anna.email]),
        await shell(['accounts', 'role', anna.email, '--role', 'person']),
        await shell(['accounts', 'role', anna.email, '--role', 'administrator', '--group', 'South']),
      ];
      for (const { code, stderr } of refused)
        expect([code, stderr.trim()]).toEqual([1, 'the last administrator without limits stays']);
      const account = await anna.visitor.visit(alone.url('/account'));
      const link = account.page.querySelector('a[href*=delete_account]')?.getAttribute('href') ?? '';
      travel(minutes(1));
      await anna.visitor.visit(link);
      await typePassword(anna.visitor, anna.email);
      at('confirm', await anna.visitor.submit({ code: sixDigits(anna.key) }));
      const kept = await anna.visitor.submit({ email: anna.email }, 'choice=do');
      expect([kept.status, kept.refusal]).toEqual([422, 'last-administrator']);
      await answered(
        await shell(['accounts', 'role', 'limited@example.com', '--role', 'administrator', '--json']),
      );
      expect((await shell(['accounts', 'disable', anna.email])).code).toBe(0);
      expect((await shell(['accounts', 'disable', 'limited@example.com'])).code).toBe(1);
    } finally {
      back();
      await alone.stop();
    }
  });
});

describe('two administrators at two processes', () => {
  let town: TwoProcesses;
  beforeAll(async () => {
    town = await startTwo();
  });
  afterAll(() => town.stop());

  const left = async () =>
    (
      await town.db.query<{ email: string }>(
        "SELECT email FROM accounts WHERE role = 'administrator' AND disabled_at IS NULL",
      )
    ).rows.map(({ email }) => email);

  test.each([
    ['disable each other', 'disable', {}],
    ['take the role from each other', 'role', { role: 'person' }],
    ['do one of each', 'mixed', { role: 'person' }],
  ])('who %s at once leave one', async (_what, deed, fields) => {
    await town.db.query("UPDATE accounts SET role = 'person'");
    const pair = [
      await operator(town, `a-${deed}@example.com`, 'administrator'),
      await operator(town, `b-${deed}@example.com`, 'administrator'),
    ] as const;
    const ways = deed === 'mixed' ? (['disable', 'role'] as const) : ([deed, deed] as const);
    for (const [place, { visitor }] of pair.entries()) {
      const other = pair[1 - place];
      await visitor.visit(town.url(`/admin/people/${other?.id}/${ways[place]}`));
      at(ways[place] ?? '', visitor.screen);
    }
    const screens = await Promise.all(
      pair.map(({ visitor }, place) =>
        visitor.submit({ ...(ways[place] === 'role' ? fields : {}), email: pair[1 - place]?.email ?? '' }),
      ),
    );
    const remaining = await left();
    expect([remaining.length, screens.map(({ status }) => status)]).toEqual([1, expect.anything()]);
    expect(pair.map(({ email }) => email)).toContain(remaining[0]);
    expect(screens.filter(({ status }) => status >= 500)).toEqual([]);
  });
});
