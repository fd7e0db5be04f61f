/** What an administrator does to a person's access, seen from both sides: T34, T36. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { onThePhone, personAt } from '../account/town.ts';
import { at, connectPhone, typePassword } from '../rig/ceremony.ts';
import { back, days, minutes, travel } from '../rig/clock.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Screen } from '../rig/visitor.ts';
import { mailedCodeTo } from '../new-phone-threats/people.ts';
import { group, operator, type OperatorAtWork } from './town.ts';

let hemma: Hemma;
let autopay: RelyingParty;
let alma: OperatorAtWork;
beforeAll(async () => {
  hemma = await startHemma();
  const scopes = ['profile' as const, 'email' as const, 'offline_access' as const];
  autopay = await startRelyingParty({ hemma, description: { scopes } });
  alma = await operator(hemma, 'alma@example.com', 'administrator');
});
afterAll(async () => {
  await autopay.stop();
  await hemma.stop();
});
afterEach(back);

const pageOf = (id: string, deed = '') => hemma.url(`/admin/people/${id}${deed && `/${deed}`}`);
const carryOut = async (id: string, deed: string, fields: Record<string, string> = {}): Promise<Screen> => {
  await alma.visitor.visit(pageOf(id, deed));
  at(deed, alma.visitor.screen);
  return alma.visitor.submit(fields);
};
const toldAbout = async (accountId: string, count: number) => {
  const told = await Promise.all((await autopay.told(count)).map((token) => autopay.verify(token)));
  return told.filter(({ payload }) => payload.sub === accountId).length;
};

describe('T34 a person who is disabled while signed in', () => {
  test('is out everywhere at once: session, tokens and sign-in; applications are told, and so is the person', async () => {
    const dan = await personAt(hemma, autopay, 'dan@example.com');
    const tokens = await autopay.redeem(dan.begun, dan.cameBackTo);
    const done = await carryOut(dan.id, 'disable', { email: dan.email });
    expect(done.text).toContain('Kontot är avstängt.');
    await expect(autopay.userinfo(tokens.access_token, dan.id)).rejects.toThrow();
    at('password', await dan.visitor.visit(hemma.url('/account')));
    expect((await typePassword(dan.visitor, dan.email)).refusal).toBe('wrong-password');
    expect((await hemma.mail.mailTo(dan.email, /avstängt/)).text).toContain('administratör');
    expect(await toldAbout(dan.id, 1)).toBeGreaterThan(0);
  });

  test('comes back with what they had once the account is enabled', async () => {
    const { id } = await hemma.account({ email: 'eva@example.com' });
    await carryOut(id, 'disable', { email: 'eva@example.com' });
    expect((await carryOut(id, 'enable')).text).toContain('Kontot är öppet igen.');
    const eva = newVisitor();
    await eva.visit(hemma.url('/account'));
    at('enrollment', await typePassword(eva, 'eva@example.com'));
    await hemma.mail.mailTo('eva@example.com', /öppet igen/);
  });
});

test('SECURITY 74 signing somebody out ends all their sessions and tokens, tells applications and them', async () => {
  const bo = await personAt(hemma, autopay, 'bo@example.com');
  const phone = await onThePhone(bo, autopay);
  const begun = await autopay.begin({ scope: 'openid offline_access', prompt: 'consent' });
  at('consent', await bo.visitor.visit(begun.url));
  const away = await autopay.redeem(begun, at('back', await bo.visitor.submit({}, 'choice=allow')).url);
  const screen = await alma.visitor.visit(pageOf(bo.id));
  expect(screen.page.querySelectorAll('[data-section=sessions] li')).toHaveLength(2);
  const done = await carryOut(bo.id, 'end-sessions');
  expect(done.text).toContain('Inte inloggad någonstans.');
  for (const { visitor } of [bo, phone]) at('password', await visitor.visit(hemma.url('/account')));
  for (const { access_token: token } of [phone.tokens, away])
    await expect(autopay.userinfo(token, bo.id)).rejects.toThrow();
  await expect(autopay.refresh(away.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' });
  await hemma.mail.mailTo('bo@example.com', /utloggad/);
  expect(await toldAbout(bo.id, 3)).toBe(2);
});

test('requiring two steps holds from the next sign-in on', async () => {
  const { id } = await hemma.account({ email: 'cia@example.com', twoStepRequired: false });
  expect((await alma.visitor.visit(pageOf(id))).text).toContain('Två steg är personens eget val.');
  expect((await carryOut(id, 'require-two-step')).text).toContain('Två steg krävs.');
  const cia = newVisitor();
  await cia.visit(hemma.url('/account'));
  at('enrollment', await typePassword(cia, 'cia@example.com'));
  await hemma.mail.mailTo('cia@example.com', /krävs/);
});

describe('T36 an invitation', () => {
  test('leads from the mail to a password of the person’s own and a phone; the administrator sees neither', async () => {
    await alma.visitor.visit(hemma.url('/admin/people/invite'));
    const made = await alma.visitor.submit({ name: 'Dagny Dahl', email: 'Dagny@example.com' });
    const { pathname } = made.url;
    expect(made.text).toContain('har inte valt lösenord än');
    const mail = await hemma.mail.mailTo('dagny@example.com', /inbjuden/);
    const [link = '', ...others] = mail.text.match(/https?:\S+/g) ?? [];
    expect([link, others]).toEqual([hemma.url('/account'), []]);
    const dagny = newVisitor();
    // Opening the link, as a mail scanner does, accepts nothing.
    at('password', await dagny.visit(link));
    expect((await typePassword(dagny, 'dagny@example.com', PASSWORD)).refusal).toBe('wrong-password');
    expect((await alma.visitor.visit(hemma.url(pathname))).text).toContain('har inte valt lösenord än');
    at('forgotten-password', await dagny.follow('Glömt lösenordet?'));
    at('mailed-code', await dagny.submit({ email: 'dagny@example.com' }));
    const code = await mailedCodeTo(hemma, 'dagny@example.com');
    at('new-password', await dagny.submit({ code }));
    at('enrollment', await dagny.submit({ password: 'vit björk vid ån' }));
    await connectPhone(dagny);
    at('account', dagny.screen);
    const seen = await alma.visitor.visit(hemma.url(pathname));
    expect(seen.text).toContain('Personen kan logga in.');
    expect(seen.text).not.toContain('Skicka inbjudan igen');
  });

  test('is sent again only while it waits, opens its week anew, and not again and again', async () => {
    await alma.visitor.visit(hemma.url('/admin/people/invite'));
    const made = await alma.visitor.submit({ name: 'Ivar Ek', email: 'ivar@example.com' });
    const id = made.url.pathname.split('/').at(-1) ?? '';
    const until = async () =>
      (
        await hemma.db.query<{ at: Date }>('SELECT enrolment_open_until AS at FROM accounts WHERE id = $1', [
          id,
        ])
      ).rows[0]?.at ?? new Date(0);
    const first = await until();
    travel(minutes(5));
    await carryOut(id, 'resend-invitation');
    expect((await until()).getTime() - first.getTime()).toBeGreaterThan(minutes(4));
    expect((await until()).getTime() - Date.now()).toBeLessThanOrEqual(days(7));
    await carryOut(id, 'resend-invitation');
    await carryOut(id, 'resend-invitation');
    expect((await carryOut(id, 'resend-invitation')).refusal).toBe('throttled');
    const { id: settled } = await hemma.account({ email: 'settled@example.com' });
    expect((await carryOut(settled, 'resend-invitation')).status).toBe(404);
  });

  test.each([
    [{ name: '', email: 'x1@example.com' }, 'missing-name'],
    [{ name: 'X', email: 'x1@example' }, 'malformed-email'],
    [{ name: 'X', email: 'alma@example.com' }, 'has-account'],
    [{ name: 'X', email: 'x@example.com\r\nBcc: y@example.com' }, 'malformed-email'],
  ])('of %j is refused: %s', async (fields, refusal) => {
    await alma.visitor.visit(hemma.url('/admin/people/invite'));
    const refused = await alma.visitor.submit(fields);
    expect([refused.status, refused.refusal]).toEqual([422, refusal]);
  });

  test('by a limited administrator puts the person into that group, whatever the form says', async () => {
    const [north, south] = [await group(hemma, 'North'), await group(hemma, 'South')];
    const nora = await operator(hemma, 'nora@example.com', 'administrator', north);
    const form = await nora.visitor.visit(hemma.url('/admin/people/invite'));
    const token = form.page.querySelector('input[name=token]')?.getAttribute('value') ?? '';
    const fields = { token, name: 'Kim', email: 'kim@example.com', group: south.id, role: 'administrator' };
    const made = await nora.visitor.post(hemma.url('/admin/people/invite'), fields);
    expect(made.text).toContain('Grupper: North');
    expect(made.text).toContain('Ingen särskild roll');
  });
});

test('T36 what an operator sees of a person is no way to sign in as them', async () => {
  const per = await personAt(hemma, autopay, 'per@example.com');
  const pages = [
    await alma.visitor.visit(pageOf(per.id)),
    await alma.visitor.visit(hemma.url('/admin/audit')),
  ];
  const { rows } = await hemma.db.query<{ password_hash: string }>(
    'SELECT password_hash FROM accounts WHERE id = $1',
    [per.id],
  );
  const codes = await hemma.db.query<{ hash: string }>(
    'SELECT hash FROM recovery_codes WHERE account_id = $1',
    [per.id],
  );
  const secrets = [
    per.key,
    per.recoveryCode,
    rows[0]?.password_hash,
    codes.rows[0]?.hash,
    sixDigits(per.key),
  ];
  for (const { body } of pages) for (const secret of secrets) expect(body).not.toContain(secret);
  expect(pages[0]?.text).toContain('Personen sparade en engångskod');
  expect(pages[0]?.text).toContain('En telefon är kopplad');
});
