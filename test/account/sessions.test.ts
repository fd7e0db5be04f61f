/** My details: where somebody is signed in, ending it from afar, and what others cannot end. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { at } from '../rig/ceremony.ts';
import { back, hours, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor } from '../rig/visitor.ts';
import { type Elsewhere, idsOf, onThePhone, type Person, personAt, rowsOf, tokenOf } from './town.ts';

let hemma: Hemma;
let autopay: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma();
  autopay = await startRelyingParty({ hemma });
});
afterAll(async () => {
  await autopay.stop();
  await hemma.stop();
});
afterEach(back);

const account = () => hemma.url('/account');
const end = 'Logga ut där';
const endOthers = 'Logga ut överallt annars';

/** Whether this browser still has a session: My details opens, or a sign-in begins. */
const isSignedIn = async ({ visitor }: Pick<Person | Elsewhere, 'visitor'>): Promise<boolean> =>
  (await visitor.visit(account())).step === 'account';

const toldOf = async (sid: unknown, since = 0) => {
  const told = await Promise.all((await autopay.told(1, since)).map((token) => autopay.verify(token)));
  return told.filter(({ payload }) => payload['sid'] === sid).length;
};

describe('where somebody is signed in', () => {
  test('each session says its browser, its times and its address, and which one is this', async () => {
    const astrid = await personAt(hemma, autopay, 'astrid@example.com');
    await onThePhone(astrid, autopay);
    const screen = await astrid.visitor.visit(account());
    const rows = rowsOf(screen, 'sessions');
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatch(
      /^Firefox, Windows \(den här webbläsaren\)Inloggad .+ \d\d:\d\dSenast sedd .+ från 127\.0\.0\.1$/,
    );
    expect(rows[1]).toMatch(/^Safari, iPhoneInloggad .+Senast sedd .+ från 127\.0\.0\.1Logga ut där$/);
    expect(screen.page.querySelectorAll('[data-this-session=true]')).toHaveLength(1);
  });

  test('only sessions that live stand there, and none of other people', async () => {
    const bo = await personAt(hemma, autopay, 'bo@example.com');
    await onThePhone(bo, autopay);
    await personAt(hemma, autopay, 'cia@example.com');
    travel(hours(0.9));
    expect(rowsOf(await bo.visitor.visit(account()), 'sessions')).toHaveLength(2);
    travel(hours(0.2));
    // The phone was not used for more than an hour; this browser was.
    expect(rowsOf(await bo.visitor.visit(account()), 'sessions')).toHaveLength(1);
  });

  test('a browser that is not signed in leaves no address', async () => {
    await newVisitor().visit((await autopay.begin()).url);
    const { rows } = await hemma.db.query(
      "SELECT 1 FROM oidc_records WHERE model = 'Session' AND account_id IS NULL AND payload ? 'place'",
    );
    expect(rows).toEqual([]);
  });
});

describe('ending a session from afar', () => {
  test('signs that browser out, ends its tokens and tells the application; this browser stays', async () => {
    const since = autopay.logoutTokens.length;
    const dan = await personAt(hemma, autopay, 'dan@example.com');
    const own = await autopay.redeem(dan.begun, dan.cameBackTo);
    const phone = await onThePhone(dan, autopay);
    await dan.visitor.visit(account());
    const done = await dan.visitor.submit({}, end);
    expect(done.text).toContain('Du är utloggad där.');
    expect(rowsOf(done, 'sessions')).toHaveLength(1);
    await expect(autopay.userinfo(phone.tokens.access_token, dan.id)).rejects.toThrow();
    expect((await autopay.userinfo(own.access_token, dan.id)).sub).toBe(dan.id);
    expect(await toldOf(phone.tokens.claims()?.['sid'], since)).toBe(1);
    expect(await toldOf(own.claims()?.['sid'])).toBe(0);
    expect(await isSignedIn(phone)).toBe(false);
    expect(await isSignedIn(dan)).toBe(true);
    expect(rowsOf(await dan.visitor.visit(account()), 'events')[0]).toContain(
      'Du loggades ut på andra ställen',
    );
  });

  test('all others end at once, and with none left there is no such button', async () => {
    const eva = await personAt(hemma, autopay, 'eva@example.com');
    const phone = await onThePhone(eva, autopay);
    await eva.visitor.visit(account());
    const done = await eva.visitor.submit({}, endOthers);
    expect(done.text).toContain('Du är utloggad överallt annars.');
    expect(rowsOf(done, 'sessions')).toHaveLength(1);
    expect(done.page.querySelector('[name=endOtherSessions]')).toBeNull();
    expect(await isSignedIn(phone)).toBe(false);
    expect(await isSignedIn(eva)).toBe(true);
  });

  test('pressed twice, the second press says nothing and ends nothing', async () => {
    const since = autopay.logoutTokens.length;
    const finn = await personAt(hemma, autopay, 'finn@example.com');
    const phone = await onThePhone(finn, autopay);
    const before = await finn.visitor.visit(account());
    await finn.visitor.submit({}, end);
    finn.visitor.backTo(before);
    const again = await finn.visitor.submit({}, end);
    expect(again.url.search).toBe('');
    expect(rowsOf(again, 'sessions')).toHaveLength(1);
    expect(await toldOf(phone.tokens.claims()?.['sid'], since)).toBe(1);
  });
});

describe('what others cannot end', () => {
  test("another person's session, by its number", async () => {
    const gun = await personAt(hemma, autopay, 'gun@example.com');
    const thief = await personAt(hemma, autopay, 'thief@example.com');
    const [hers = ''] = idsOf(await gun.visitor.visit(account()), 'data-session');
    const page = await thief.visitor.visit(account());
    const answer = await thief.visitor.post(account(), { token: tokenOf(page), endSession: hers });
    expect(answer.url.search).toBe('');
    expect(await isSignedIn(gun)).toBe(true);
    await thief.visitor.visit(account());
    await thief.visitor.post(account(), { token: tokenOf(page), endOtherSessions: 'yes' });
    expect(await isSignedIn(gun)).toBe(true);
  });

  test('anybody without the token of this very session', async () => {
    const hans = await personAt(hemma, autopay, 'hans@example.com');
    const phone = await onThePhone(hans, autopay);
    const other = await personAt(hemma, autopay, 'other@example.com');
    const foreign = tokenOf(await other.visitor.visit(account()));
    const fromPhone = tokenOf(await phone.visitor.visit(account()));
    await hans.visitor.visit(account());
    for (const fields of [{ token: 'guess' }, { token: foreign }, { token: fromPhone }, {}]) {
      const refused = await hans.visitor.post(account(), { ...fields, endOtherSessions: 'yes' });
      expect([400, 403]).toContain(refused.status);
    }
    expect(await isSignedIn(phone)).toBe(true);
  });

  test('another site, though the browser sends the cookie and the token is right', async () => {
    const ida = await personAt(hemma, autopay, 'ida@example.com');
    const phone = await onThePhone(ida, autopay);
    const body = { token: tokenOf(await ida.visitor.visit(account())), endOtherSessions: 'yes' };
    for (const site of ['cross-site', 'same-site', 'none']) {
      const refused = await ida.visitor.post(account(), body, { 'sec-fetch-site': site });
      expect(refused.status).toBe(403);
      at('problem', refused);
    }
    expect(await isSignedIn(phone)).toBe(true);
  });

  test('a link: looking at an address ends nothing', async () => {
    const jan = await personAt(hemma, autopay, 'jan@example.com');
    const phone = await onThePhone(jan, autopay);
    const token = tokenOf(await jan.visitor.visit(account()));
    await jan.visitor.visit(
      `${account()}?${new URLSearchParams({ token, endOtherSessions: 'yes' }).toString()}`,
    );
    expect(await isSignedIn(phone)).toBe(true);
  });
});
