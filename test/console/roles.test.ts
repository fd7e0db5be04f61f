/** Roles: who gives them, what they end, and that nobody is left without an administrator. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { at, typePassword } from '../rig/ceremony.ts';
import { back, minutes, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor } from '../rig/visitor.ts';
import { click } from '../new-phone-threats/clicks.ts';
import { hold, releaseAll, untilWaiting } from '../races/interleave.ts';
import { enter, group, operator, withRole } from './town.ts';

let hemma: Hemma;
beforeAll(async () => {
  hemma = await startHemma();
});
afterAll(() => hemma.stop());
afterEach(async () => {
  await releaseAll();
  back();
});

const pageOf = (id: string, deed = '') => hemma.url(`/admin/people/${id}${deed && `/${deed}`}`);
const roleOf = async (id: string) =>
  (
    await hemma.db.query<{ role: string; operator_group: string | null }>(
      'SELECT role, operator_group FROM accounts WHERE id = $1',
      [id],
    )
  ).rows[0];

describe('changing a role', () => {
  test('holds at once, ends the person’s sessions, is mailed to them and recorded with who did it', async () => {
    const alma = await operator(hemma, 'alma@example.com', 'administrator');
    const north = await group(hemma, 'North');
    const { id } = await withRole(hemma, 'hugo@example.com', 'help-desk');
    const hugo = await enter(hemma, 'hugo@example.com');
    at('people', hugo.screen);
    await alma.visitor.visit(pageOf(id, 'role'));
    const done = await alma.visitor.submit({
      role: 'help-desk',
      group: north.id,
      email: 'Hugo@example.com ',
    });
    expect(done.text).toContain('Rollen är ändrad.');
    expect(done.text).toContain('Support för gruppen North');
    expect(await roleOf(id)).toEqual({ role: 'help-desk', operator_group: north.id });
    at('password', await hugo.visit(hemma.url('/admin/people')));
    const mail = await hemma.mail.mailTo('hugo@example.com', /roll/);
    expect(mail.text).toContain('support');
    const { rows } = await hemma.db.query(
      "SELECT actor, detail FROM audit WHERE event = 'account.role-changed' AND account_id = $1 AND actor IS NOT NULL",
      [id],
    );
    expect(rows).toEqual([
      { actor: alma.id, detail: { from: 'help-desk', to: 'help-desk', group: north.id } },
    ]);
  });

  test('a person without a role finds no console, and one who lost the role neither', async () => {
    const olle = await operator(hemma, 'olle@example.com', 'administrator');
    const ida = await operator(hemma, 'ida@example.com', 'help-desk');
    await olle.visitor.visit(pageOf(ida.id, 'role'));
    await olle.visitor.submit({ role: 'person', email: ida.email });
    await ida.visitor.visit(hemma.url('/admin'));
    await typePassword(ida.visitor, ida.email);
    expect((await ida.visitor.submit({ code: sixDigits(ida.key, { step: 1 }) })).status).toBe(404);
    const { rows } = await hemma.db.query('SELECT role FROM accounts WHERE id = $1', [ida.id]);
    expect(rows).toEqual([{ role: 'person' }]);
  });

  test('nobody changes their own role or access: the page says so and offers neither', async () => {
    const stina = await operator(hemma, 'stina@example.com', 'administrator');
    const own = await stina.visitor.visit(pageOf(stina.id));
    expect(own.text).toContain('Det här är ditt eget konto');
    expect(own.page.querySelectorAll('main .actions a')).toHaveLength(0);
    const forged = await stina.visitor.post(pageOf(stina.id, 'role'), { role: 'person', email: stina.email });
    expect(forged.status).toBe(404);
  });

  test('another address than the person’s changes nothing', async () => {
    const rut = await operator(hemma, 'rut@example.com', 'administrator');
    const { id } = await hemma.account({ email: 'eskil@example.com' });
    for (const deed of ['role', 'disable']) {
      await rut.visitor.visit(pageOf(id, deed));
      const refused = await rut.visitor.submit({ email: 'erik@example.com' });
      expect([refused.status, refused.refusal]).toEqual([422, 'wrong-email']);
    }
    const { rows } = await hemma.db.query('SELECT role, disabled_at FROM accounts WHERE id = $1', [id]);
    expect(rows).toEqual([{ role: 'person', disabled_at: null }]);
  });
});

describe('how long a sign-in opens what', () => {
  test('ten minutes after it a form asks for both factors first, and comes back to that very form', async () => {
    const vera = await operator(hemma, 'vera@example.com', 'administrator');
    const { id } = await hemma.account({ email: 'nils@example.com' });
    const form = await vera.visitor.visit(pageOf(id, 'disable'));
    travel(minutes(11));
    vera.visitor.backTo(form);
    at('password', await vera.visitor.submit({ email: 'nils@example.com' }));
    expect((await hemma.db.query('SELECT disabled_at FROM accounts WHERE id = $1', [id])).rows).toEqual([
      { disabled_at: null },
    ]);
    await typePassword(vera.visitor, vera.email);
    const again = await vera.visitor.submit({ code: sixDigits(vera.key) });
    expect([again.step, again.url.pathname]).toEqual(['disable', `/admin/people/${id}/disable`]);
    expect((await vera.visitor.submit({ email: 'nils@example.com' })).text).toContain('Kontot är avstängt.');
  });

  test('reading goes on for an hour, and then asks for a new sign-in', async () => {
    const sven = await operator(hemma, 'sven@example.com', 'help-desk');
    travel(minutes(40));
    at('people', await sven.visitor.visit(hemma.url('/admin/people')));
    travel(minutes(21));
    at('password', await sven.visitor.visit(hemma.url('/admin/people')));
  });

  test('a sign-in with a remembered device opens no console before the six digits', async () => {
    const tove = await operator(hemma, 'tove@example.com', 'help-desk');
    await tove.visitor.visit(hemma.url('/session/end'));
    await tove.visitor.submit({}, 'Logga ut');
    travel(minutes(2));
    await tove.visitor.visit(hemma.url('/account'));
    await typePassword(tove.visitor, tove.email);
    at('account', await tove.visitor.submit({ code: sixDigits(tove.key), rememberDevice: 'yes' }));
    await tove.visitor.visit(hemma.url('/session/end'));
    await tove.visitor.submit({}, 'Logga ut');
    await tove.visitor.visit(hemma.url('/account'));
    at('account', await typePassword(tove.visitor, tove.email));
    at('password', await tove.visitor.visit(hemma.url('/admin/people')));
    at('totp', await typePassword(tove.visitor, tove.email));
  });
});

test('T35 a form of the console is taken from this session’s own page only', async () => {
  const siv = await operator(hemma, 'siv@example.com', 'administrator');
  const eve = await operator(hemma, 'eve@example.com', 'administrator');
  const { id } = await hemma.account({ email: 'per@example.com' });
  const tokenOn = async (visitor: typeof siv.visitor) =>
    (await visitor.visit(pageOf(id, 'disable'))).page
      .querySelector('input[name=token]')
      ?.getAttribute('value') ?? '';
  const [own, foreign] = [await tokenOn(siv.visitor), await tokenOn(eve.visitor)];
  const post = (token: string, headers = {}) =>
    siv.visitor.post(pageOf(id, 'disable'), { token, email: 'per@example.com' }, headers);
  expect((await post(foreign)).status).toBe(403);
  expect((await post('')).status).toBe(403);
  for (const site of ['cross-site', 'same-site', 'none'])
    expect((await post(own, { 'sec-fetch-site': site })).status).toBe(403);
  expect((await post(own, { 'sec-fetch-site': '', origin: 'https://evil.example' })).status).toBe(403);
  expect((await newVisitor().visit(pageOf(id, 'disable'))).step).toBe('password');
  const { rows } = await hemma.db.query('SELECT disabled_at FROM accounts WHERE id = $1', [id]);
  expect(rows).toEqual([{ disabled_at: null }]);
});

describe('T35 a deed that was judged and then waited for its turn', () => {
  const turnOf = (what: string) =>
    hold(hemma.env['DATABASE_URL'] ?? '', `SELECT pg_advisory_xact_lock(hashtextextended('${what}', 0))`);

  test('is not done by whoever lost the role meanwhile: of two who take each other’s role at once one has it left', async () => {
    const pair = [
      await operator(hemma, 'ulf@example.com', 'administrator'),
      await operator(hemma, 'ulla@example.com', 'administrator'),
    ] as const;
    await operator(hemma, 'third@example.com', 'administrator');
    for (const [place, { visitor }] of pair.entries())
      await visitor.visit(pageOf(pair[1 - place]?.id ?? '', 'role'));
    const held = await turnOf('administrators');
    const clicks = pair.map(({ visitor }, place) =>
      click(visitor, { role: 'person', email: pair[1 - place]?.email ?? '' }),
    );
    await untilWaiting(hemma.env['DATABASE_URL'] ?? '', 2);
    await held.release();
    expect(new Set((await Promise.all(clicks)).map(({ status }) => status))).toEqual(new Set([303, 404]));
    const left = [await roleOf(pair[0].id), await roleOf(pair[1].id)].map((row) => row?.role);
    expect(new Set(left)).toEqual(new Set(['administrator', 'person']));
  });

  test('invites nobody where the administrator lost the role meanwhile', async () => {
    const olof = await operator(hemma, 'olof@example.com', 'administrator');
    await olof.visitor.visit(hemma.url('/admin/people/invite'));
    const held = await turnOf('email:guest@example.com');
    const clicked = click(olof.visitor, { name: 'Guest', email: 'guest@example.com' });
    await untilWaiting(hemma.env['DATABASE_URL'] ?? '', 1);
    await hemma.db.query("UPDATE accounts SET role = 'person' WHERE id = $1", [olof.id]);
    await held.release();
    expect((await clicked).status).toBe(404);
    expect((await hemma.db.query("SELECT 1 FROM accounts WHERE email = 'guest@example.com'")).rows).toEqual(
      [],
    );
  });
});
