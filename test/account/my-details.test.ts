/** My details: connected applications, recent events, the clean address, and the data as a file. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { at, typePassword } from '../rig/ceremony.ts';
import { back, minutes, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits, wrongDigits } from '../rig/totp.ts';
import { newVisitor } from '../rig/visitor.ts';
import { idsOf, type Person, personAt, rowsOf, tokenOf } from './town.ts';

let hemma: Hemma;
let autopay: RelyingParty;
let budget: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma();
  autopay = await startRelyingParty({ hemma });
  const scopes: ('profile' | 'email' | 'offline_access')[] = ['profile', 'email', 'offline_access'];
  budget = await startRelyingParty({ hemma, description: { name: 'Budget', firstParty: false, scopes } });
});
afterAll(async () => {
  await Promise.all([autopay.stop(), budget.stop()]);
  await hemma.stop();
});
afterEach(back);

const account = () => hemma.url('/account');

/** Allows the third party to go on reading without the person; answers its tokens. */
async function allowBudget({ visitor }: Person) {
  const begun = await budget.begin({ scope: 'openid email offline_access', prompt: 'consent' });
  at('consent', await visitor.visit(begun.url));
  at('back', await visitor.submit({}, 'Tillåt'));
  return budget.redeem(begun, visitor.screen.url);
}

describe('connected applications', () => {
  test('stand with their name, since when and what they may; ours are named as ours', async () => {
    const astrid = await personAt(hemma, autopay, 'astrid@example.com');
    await allowBudget(astrid);
    const screen = await astrid.visitor.visit(account());
    const [ours, theirs, ...more] = rowsOf(screen, 'applications').sort();
    expect(more).toEqual([]);
    expect(ours).toMatch(/^AutopaySedan .+Får veta att du är du, se ditt namn och ditt språk och se din/);
    expect(ours).toContain('Hör till Hemma');
    expect(theirs).toMatch(/^BudgetSedan .+fortsätta läsa uppgifterna när du inte använder tjänsten\./);
    expect(theirs).not.toContain('Hör till Hemma');
  });

  test('disconnected, one loses every token and asks anew; the other keeps its own', async () => {
    const bo = await personAt(hemma, autopay, 'bo@example.com');
    const kept = await autopay.redeem(bo.begun, bo.cameBackTo);
    const tokens = await allowBudget(bo);
    expect((await budget.userinfo(tokens.access_token, bo.id)).sub).toBe(bo.id);
    await bo.visitor.visit(account());
    const done = await bo.visitor.submit({}, `disconnect=${budget.clientId}`);
    expect(done.text).toContain('Tjänsten är frånkopplad.');
    expect(idsOf(done, 'data-application')).toEqual([autopay.clientId]);
    await expect(budget.userinfo(tokens.access_token, bo.id)).rejects.toThrow();
    await expect(budget.refresh(tokens.refresh_token ?? '')).rejects.toThrow();
    expect((await autopay.userinfo(kept.access_token, bo.id)).sub).toBe(bo.id);
    expect(rowsOf(done, 'events')[0]).toContain('En tjänst kopplades från');
    at('consent', await bo.visitor.visit((await budget.begin()).url));
  });

  test("another person's connection cannot be ended, by application or by its grant", async () => {
    const cia = await personAt(hemma, autopay, 'cia@example.com');
    const tokens = await allowBudget(cia);
    const thief = await personAt(hemma, autopay, 'thief@example.com');
    const page = await thief.visitor.visit(account());
    const { rows } = await hemma.db.query<{ id: string }>(
      "SELECT payload->>'jti' AS id FROM oidc_records WHERE model = 'Grant' AND account_id = $1",
      [cia.id],
    );
    expect(rows.length).toBeGreaterThanOrEqual(2);
    for (const disconnect of [budget.clientId, ...rows.map(({ id }) => id)]) {
      const answer = await thief.visitor.post(account(), { token: tokenOf(page), disconnect });
      expect(answer.url.search).toBe('');
    }
    expect((await budget.userinfo(tokens.access_token, cia.id)).sub).toBe(cia.id);
    expect(idsOf(await cia.visitor.visit(account()), 'data-application')).toHaveLength(2);
  });

  test('nothing is disconnected without the token, or from another site', async () => {
    const dan = await personAt(hemma, autopay, 'dan@example.com');
    const disconnect = autopay.clientId;
    const token = tokenOf(await dan.visitor.visit(account()));
    expect((await dan.visitor.post(account(), { disconnect })).status).toBe(400);
    expect((await dan.visitor.post(account(), { disconnect, token: 'guess' })).status).toBe(403);
    const foreign = await dan.visitor.post(
      account(),
      { disconnect, token },
      { 'sec-fetch-site': 'cross-site' },
    );
    expect(foreign.status).toBe(403);
    expect(idsOf(await dan.visitor.visit(account()), 'data-application')).toEqual([disconnect]);
  });
});

describe('recent events', () => {
  test('failed attempts are shown, in words, with their time and address, the newest first', async () => {
    const eva = await personAt(hemma, autopay, 'eva@example.com');
    const stranger = newVisitor();
    await stranger.visit((await autopay.begin()).url);
    await typePassword(stranger, eva.email, 'ett annat lösenord');
    at('totp', await typePassword(stranger, eva.email));
    await stranger.submit({ code: wrongDigits(eva.key) });
    const rows = rowsOf(await eva.visitor.visit(account()), 'events');
    expect(rows[0]).toMatch(/^Sex siffror som inte stämmer skrevs.+ · 127\.0\.0\.1$/);
    expect(rows[1]).toMatch(/^Rätt lösenord skrevs/);
    expect(rows[2]).toMatch(/^Ett lösenord som inte stämmer skrevs/);
    expect(rows[3]).toMatch(/^Inloggning/);
    const english = rowsOf(await eva.visitor.visit(`${account()}?ui_locales=en`), 'events');
    expect(english[0]).toMatch(/^Six digits that aren't right were typed/);
  });

  test('there are twenty at most, and none of another account or of the machinery', async () => {
    const finn = await personAt(hemma, autopay, 'finn@example.com');
    await autopay.redeem(finn.begun, finn.cameBackTo);
    await finn.visitor.visit(account());
    for (let times = 0; times < 22; times++) await finn.visitor.submit({ locale: 'sv' }, 'Spara språk');
    const events = idsOf(await finn.visitor.visit(account()), 'data-event');
    expect(events).toEqual(Array.from({ length: 20 }, () => 'account.language-changed'));
  });
});

describe('coming back from a ceremony', () => {
  test('leaves the plain address', async () => {
    const gun = await personAt(hemma, autopay, 'gun@example.com');
    const screen = await gun.visitor.visit(`${account()}?iss=${encodeURIComponent(hemma.issuer)}`);
    expect(screen.chain.map(({ status }) => status)).toEqual([303, 200]);
    expect(screen.url.href).toBe(account());
    expect(screen.page.querySelector('[data-notice]')).toBeNull();
  });

  test('with an error it says that nothing was changed, and nothing that the address says', async () => {
    const hans = await personAt(hemma, autopay, 'hans@example.com');
    const query = new URLSearchParams({ error: 'access_denied', error_description: 'Ring 0900-LURAD' });
    const screen = await hans.visitor.visit(`${account()}?${query.toString()}`);
    expect(screen.page.querySelector('[role=status]')?.textContent).toBe('Du är tillbaka. Inget ändrades.');
    expect(screen.body).not.toContain('LURAD');
    expect(screen.url.search).toBe('?notice=nothing-changed');
  });

  test('with an error and no session it stops there, instead of going round for ever', async () => {
    const screen = await newVisitor().visit(`${account()}?error=server_error`);
    expect(screen.chain).toHaveLength(1);
    at('problem', screen);
  });
});

describe('the data as a file', () => {
  test('comes to whoever signed in with two steps just now, whole and without secrets', async () => {
    const ida = await personAt(hemma, autopay, 'ida@example.com');
    await ida.visitor.visit(account());
    const file = await ida.visitor.submit({}, 'Ladda ner mina uppgifter');
    expect(file.status).toBe(200);
    expect(file.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'content-disposition': 'attachment; filename="mina-uppgifter.json"',
      'cache-control': 'no-store',
    });
    const data = JSON.parse(file.body) as Record<string, { [key: string]: unknown }[]>;
    expect(data['account']).toMatchObject({ id: ida.id, email: ida.email, name: 'Astrid Lind' });
    expect(data['sessions']).toMatchObject([{ device: 'Firefox, Windows', address: '127.0.0.1' }]);
    expect(data['grants']).toMatchObject([{ application: 'Autopay' }]);
    expect(data['events']?.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['account.data-downloaded', 'password.right', 'account.created']),
    );
    expect(data['devices']).toMatchObject([{ name: 'Firefox, Windows' }]);
    expect(data['helpDeskCases']).toEqual([]);
    expect(data['devices']?.[0]).not.toHaveProperty('rememberedUntil');
    expect(file.body).not.toMatch(/argon2|\$2|hash|secret/i);
    for (const secret of [ida.key, ida.recoveryCode, ida.recoveryCode.slice(-4)])
      expect(file.body).not.toContain(secret);
    for (const { value } of ida.visitor.cookies.all()) expect(file.body).not.toContain(value);
    await hemma.mail.mailTo(ida.email, /allt vi vet om dig laddades ner/);
  });

  test('after ten minutes it asks for both factors first, and then it comes', async () => {
    const jan = await personAt(hemma, autopay, 'jan@example.com');
    travel(minutes(11));
    await jan.visitor.visit(account());
    const first = at('password', await jan.visitor.submit({}, 'Ladda ner mina uppgifter'));
    expect(first.page.querySelector('.deed')?.textContent).toContain('Ladda ner mina uppgifter');
    at('totp', await typePassword(jan.visitor, jan.email));
    const screen = await jan.visitor.submit({ code: sixDigits(jan.key) });
    at('account', screen);
    expect(screen.url.href).toBe(`${account()}?notice=download-ready`);
    expect(screen.text).toContain('Nu kan du ladda ner dina uppgifter.');
    const file = await jan.visitor.submit({}, 'Ladda ner mina uppgifter');
    expect(JSON.parse(file.body)).toMatchObject({ account: { email: jan.email } });
  });

  test('a password alone is not enough, however fresh', async () => {
    await hemma.account({ email: 'kim@example.com', twoStepRequired: false });
    const visitor = newVisitor();
    await visitor.visit(account());
    at('account', await typePassword(visitor, 'kim@example.com'));
    const answer = await visitor.submit({}, 'Ladda ner mina uppgifter');
    expect(answer.headers['content-disposition']).toBeUndefined();
    at('password', answer);
  });

  test('nobody gets it without the token, from another site, or by a link', async () => {
    const lea = await personAt(hemma, autopay, 'lea@example.com');
    const token = tokenOf(await lea.visitor.visit(account()));
    const answers = [
      await lea.visitor.post(account(), { download: 'yes' }),
      await lea.visitor.post(account(), { download: 'yes', token: 'guess' }),
      await lea.visitor.post(account(), { download: 'yes', token }, { 'sec-fetch-site': 'cross-site' }),
      await lea.visitor.visit(`${account()}?download=yes&token=${token}`),
    ];
    expect(answers.map(({ status }) => status)).toEqual([400, 403, 403, 200]);
    for (const { headers } of answers) expect(headers['content-disposition']).toBeUndefined();
  });
});

test('SECURITY 45 nothing that a person sends says that their own address is verified', async () => {
  const ylva = await personAt(hemma, autopay, 'ylva@example.com');
  await hemma.db.query('UPDATE accounts SET email_verified_at = NULL WHERE id = $1', [ylva.id]);
  const page = await ylva.visitor.visit(account());
  const forms = page.page.querySelectorAll('form[method=post]');
  expect(forms.length).toBeGreaterThan(2);
  const claimed = {
    email_verified: 'true',
    emailVerified: 'true',
    email_verified_at: '2026-01-01',
    verified: 'yes',
  };
  for (const form of forms) {
    const named = form.querySelectorAll('input[type=hidden], button[name], select[name]');
    const fields = named.map(
      (one) => [one.getAttribute('name') ?? '', one.getAttribute('value') ?? 'sv'] as const,
    );
    const action = new URL(form.getAttribute('action') ?? '', page.url);
    const { status } = await ylva.visitor.post(action, { ...Object.fromEntries(fields), ...claimed });
    expect([action.pathname, status]).toEqual([action.pathname, 200]);
    ylva.visitor.backTo(page);
  }
  const { rows } = await hemma.db.query('SELECT email_verified_at FROM accounts WHERE id = $1', [ylva.id]);
  expect(rows).toEqual([{ email_verified_at: null }]);
});
