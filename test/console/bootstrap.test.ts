/** The first administrator: a token printed once, for one day and one use, and never again once there is one. */
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { answered, shellWith } from '../command-line/shell.ts';
import { at, connectPhone, typePassword } from '../rig/ceremony.ts';
import { back, hours, travel } from '../rig/clock.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { createBootstrapToken, createInitialBootstrapToken } from '../../src/users/bootstrap.ts';

const running: Hemma[] = [];
let hemma: Hemma;
beforeEach(async () => {
  hemma = await startHemma();
  running.push(hemma);
});
afterEach(back);
afterAll(() => Promise.all(running.map((one) => one.stop())));

const me = { name: 'Alma Berg', email: 'alma@example.com', password: PASSWORD };
const page = async (visitor: Visitor) => at('bootstrap', await visitor.visit(hemma.url('/admin/bootstrap')));
const token = async () => (await createBootstrapToken(hemma.db))?.token ?? 'none';
const administrators = async () =>
  (await hemma.db.query("SELECT email FROM accounts WHERE role = 'administrator'")).rows;

describe('the first administrator', () => {
  test('comes in by a token from the shell, signs in in two steps, and the page is gone for ever', async () => {
    const shell = shellWith(hemma.env);
    const printed = answered(await shell(['bootstrap', '--json'])) as { page: string; token: string };
    expect(printed.page).toBe(hemma.url('/admin/bootstrap'));
    const alma = newVisitor();
    await page(alma);
    at('password', await alma.submit({ token: ` ${printed.token} `, ...me }));
    await typePassword(alma, me.email);
    await connectPhone(alma);
    at('people', alma.screen);
    expect((await newVisitor().visit(hemma.url('/admin/bootstrap'))).status).toBe(404);
    const refused = await shell(['bootstrap']);
    expect([refused.code, refused.stdout]).toEqual([1, '']);
    const { rows } = await hemma.db.query('SELECT 1 FROM bootstrap_tokens WHERE encode(hash, $1) = $2', [
      'base64',
      printed.token,
    ]);
    expect(rows).toEqual([]);
    expect(hemma.logs()).not.toContain(printed.token);
  });

  test('is made once, though the form is sent twice at once', async () => {
    const once = await token();
    const both = [newVisitor(), newVisitor()];
    await Promise.all(both.map(page));
    const screens = await Promise.all(
      both.map((visitor, place) => visitor.submit({ token: once, ...me, email: `a${place}@example.com` })),
    );
    expect(new Set(screens.map(({ step }) => step))).toEqual(new Set(['bootstrap', 'password']));
    expect(await administrators()).toHaveLength(1);
    const { rows } = await hemma.db.query('SELECT count(*)::int AS accounts FROM accounts');
    expect(rows).toEqual([{ accounts: 1 }]);
  });

  test.each([
    ['a token that was never made', () => Promise.resolve('x'.repeat(43)), {}, 'wrong-bootstrap-token'],
    ['no token', () => Promise.resolve(''), {}, 'wrong-bootstrap-token'],
    [
      'a token of yesterday',
      async () => {
        const old = await token();
        travel(hours(24) + 1000);
        return old;
      },
      {},
      'wrong-bootstrap-token',
    ],
    [
      'a token that a newer one replaced',
      async () => {
        const old = await token();
        await token();
        return old;
      },
      {},
      'wrong-bootstrap-token',
    ],
    ['a password that thousands use', token, { password: 'password1' }, 'password-too-common'],
    ['a short password', token, { password: 'kort' }, 'password-too-short'],
    ['no name', token, { name: '' }, 'missing-name'],
    ['no address', token, { email: 'alma' }, 'malformed-email'],
  ])('is not made with %s, and can try again', async (_what, wanted, fields, refusal) => {
    const typed = await wanted();
    const visitor = newVisitor();
    await page(visitor);
    const refused = await visitor.submit({ token: typed, ...me, ...fields });
    expect([refused.status, refused.refusal]).toEqual([422, refusal]);
    expect(await administrators()).toEqual([]);
    expect(refused.body).not.toContain(PASSWORD);
    if (refusal !== 'wrong-bootstrap-token') at('password', await visitor.submit({ token: typed, ...me }));
  });

  test('is not made by a form of another site', async () => {
    const visitor = newVisitor();
    await page(visitor);
    const fields = { token: await token(), ...me };
    const foreign = await visitor.post(hemma.url('/admin/bootstrap'), fields, {
      'sec-fetch-site': 'cross-site',
    });
    expect(foreign.status).toBe(403);
    expect(await administrators()).toEqual([]);
  });

  test('is offered by the first start of an empty database alone, and once', async () => {
    expect((await createInitialBootstrapToken(hemma.db))?.token).toMatch(/^[\w-]{43}$/);
    expect(await createInitialBootstrapToken(hemma.db)).toBeUndefined();
    await hemma.db.query('DELETE FROM bootstrap_tokens');
    await hemma.account({ email: 'somebody@example.com' });
    expect(await createInitialBootstrapToken(hemma.db)).toBeUndefined();
  });
});
