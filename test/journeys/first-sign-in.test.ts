/** J1: Autopay → e-mail and password → QR code → six digits → recovery code, typed back → Autopay, signed in. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { at, keyOnPage, recoveryCodeOnPage, signIn, signInFirst, typePassword } from '../rig/ceremony.ts';
import { back, days, seconds, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits, wrongDigits } from '../rig/totp.ts';
import { newVisitor } from '../rig/visitor.ts';

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

describe('the first sign-in', () => {
  test('takes four screens and ends in Autopay with an ID token of two proofs', async () => {
    const astrid = await hemma.account({ email: 'astrid@example.com', name: 'Astrid Lind' });
    const visitor = newVisitor();
    const begun = await autopay.begin();

    at('password', await visitor.visit(begun.url));
    expect(visitor.screen.text).toContain('för att fortsätta till Autopay');
    at('enrollment', await typePassword(visitor, 'astrid@example.com'));
    expect(visitor.screen.text).toContain('astrid@example.com');
    at('new-recovery-code', await visitor.submit({ code: sixDigits(keyOnPage(visitor.screen)) }));
    expect(visitor.screen.headers['cache-control']).toContain('no-store');
    const code = recoveryCodeOnPage(visitor.screen);
    expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){4}[0-9A-HJKMNP-TV-Z]{4}$/);
    at('back', await visitor.submit({ lastGroup: code.slice(-4) }));

    const tokens = await autopay.redeem(begun, visitor.screen.url);
    const { payload } = await autopay.verify(tokens.id_token ?? '');
    expect(payload).toMatchObject({ sub: astrid.id, nonce: begun.nonce, acr: 'urn:hemma:2' });
    expect([...(payload['amr'] as string[])].sort()).toEqual(['mfa', 'otp', 'pwd']);
    expect(Math.abs(Number(payload['auth_time']) - Date.now() / 1000)).toBeLessThan(30);
  });

  test('shows the same recovery code after a reload, and none of it is ever logged', async () => {
    await hemma.account({ email: 'bertil@example.com', name: 'Bertil Ek' });
    const visitor = newVisitor();
    await visitor.visit((await autopay.begin()).url);
    const enrollment = at('enrollment', await typePassword(visitor, 'bertil@example.com'));
    const key = keyOnPage(enrollment);
    const shown = await visitor.submit({ code: sixDigits(key) });
    const code = recoveryCodeOnPage(shown);
    expect(recoveryCodeOnPage(await visitor.visit(shown.url))).toBe(code);

    const refused = at('new-recovery-code', await visitor.submit({ lastGroup: '0000' }));
    expect(refused.refusal).toBe('wrong-last-group');
    at('back', await visitor.submit({ lastGroup: ` ${code.slice(-4).toLowerCase()} ` }));
    for (const secret of [code, code.replaceAll('-', ''), key]) expect(hemma.logs()).not.toContain(secret);
  });

  test('refuses a wrong pair and wrong digits in words, and goes on from there', async () => {
    await hemma.account({ email: 'cecilia@example.com', name: 'Cecilia Ås' });
    const visitor = newVisitor();
    await visitor.visit((await autopay.begin()).url);
    expect((await typePassword(visitor, 'cecilia@example.com', 'inte det rätta')).alert).toBe(
      'E-postadressen eller lösenordet stämmer inte.',
    );
    const enrollment = at('enrollment', await typePassword(visitor, 'cecilia@example.com'));
    const key = keyOnPage(enrollment);
    const refused = at('enrollment', await visitor.submit({ code: wrongDigits(key) }));
    expect(refused.refusal).toBe('wrong-code');
    expect(keyOnPage(refused)).toBe(key);
    at('new-recovery-code', await visitor.submit({ code: sixDigits(key) }));
  });

  test('tells the person by mail that a phone was connected', async () => {
    await hemma.account({ email: 'david@example.com', name: 'David Öst', locale: 'en' });
    await signInFirst(newVisitor(), (await autopay.begin()).url, 'david@example.com');
    const mail = await hemma.mail.mailTo('david@example.com');
    expect(mail.subject).not.toBe('');
    expect(mail.text).not.toMatch(/\b\d{6}\b/);
  });

  test('SECURITY 41 after seven days the password alone connects nothing: a mailed code comes first', async () => {
    await hemma.account({ email: 'eva@example.com', name: 'Eva Ny' });
    travel(days(8));
    const visitor = newVisitor();
    await visitor.visit((await autopay.begin()).url);
    at('mailed-code', await typePassword(visitor, 'eva@example.com'));
  });
});

describe('the sign-in after it', () => {
  test('asks for password and six digits, and each six digits work once', async () => {
    await hemma.account({ email: 'frida@example.com', name: 'Frida Berg' });
    const { key } = await signInFirst(newVisitor(), (await autopay.begin()).url, 'frida@example.com');

    const used = newVisitor();
    await used.visit((await autopay.begin()).url);
    at('totp', await typePassword(used, 'frida@example.com'));
    expect((await used.submit({ code: sixDigits(key) })).refusal).toBe('used-code');

    travel(seconds(30));
    const begun = await autopay.begin();
    const screen = await signIn(newVisitor(), begun.url, 'frida@example.com', key);
    const { payload } = await autopay.verify((await autopay.redeem(begun, screen.url)).id_token ?? '');
    expect(payload).toMatchObject({ acr: 'urn:hemma:2' });
  });
});
