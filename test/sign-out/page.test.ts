/** The page after signing out: for this browser alone, true of this moment, and what it does for applications of old. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { clientSchema } from '../../src/clients/schema.ts';
import { applyClient } from '../../src/clients/clients.ts';
import { back, hours, minutes, seconds, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { newVisitor, type Screen } from '../rig/visitor.ts';
import { results, signOut, type Street, streetOf, until } from './street.ts';

let hemma: Hemma;
let street: Street;
const application: Street['application'] = (...what) => street.application(...what);
const signedInTo: Street['signedInTo'] = (...parties) => street.signedInTo(...parties);
beforeAll(async () => {
  hemma = await startHemma();
  street = streetOf(hemma);
});
afterEach(back);
afterAll(async () => {
  await street.stop();
  await hemma.stop();
});

describe('the page afterwards', () => {
  const page = () => hemma.url('/session/end/success');

  test('says nothing to another browser, by a forged note, or after the hour; its address tells nothing', async () => {
    const person = await signedInTo(await application('Autopay'));
    const screen = await signOut(hemma, person);
    expect(Object.keys(results(screen))).toEqual(['Autopay']);
    expect(screen.url.href).toBe(page());
    const note = person.visitor.cookies.all().find(({ name }) => name.endsWith('signed-out'));
    expect(note?.attributes).toMatchObject({ httponly: '', samesite: 'lax' });
    const value = decodeURIComponent(note?.value ?? '');
    const payload = Buffer.from(value.split('.')[0] ?? '', 'base64url').toString();
    const [session] = JSON.parse(payload) as [string];
    const later = Buffer.from(JSON.stringify([session, Date.now() + hours(9), '', ''])).toString('base64url');
    for (const forged of [
      value.replace(/^./, 'x'),
      `${later}.${value.split('.')[1] ?? ''}`,
      `${value.slice(0, -4)}AAAA`,
      '',
    ]) {
      expect(forged).not.toBe(value);
      const other = newVisitor();
      other.cookies.plant(new URL(hemma.issuer), note?.name ?? '', forged);
      expect(await other.visit(page())).toMatchObject({ step: 'signed-out', status: 200 });
      expect(results(other.screen)).toEqual({});
    }
    expect(payload).not.toContain(person.account.id);
    const kept = newVisitor({ stolen: note ? [{ ...note, value }] : [] });
    expect(Object.keys(results(await kept.visit(page())))).toEqual(['Autopay']);
    travel(minutes(61));
    expect(results(await kept.visit(page()))).toEqual({});
  });

  test('says so to whoever is still signed in here, or again', async () => {
    const autopay = await application('Autopay');
    const person = await signedInTo(autopay, await application('Lön'));
    await person.visitor.visit(hemma.url(`/session/end?client_id=${autopay.clientId}`));
    await person.visitor.submit({}, 'Fortsätt vara inloggad här');
    expect(person.visitor.screen).toMatchObject({
      step: 'still-signed-in',
      heading: 'Du är fortfarande inloggad här',
    });
    // Only the application that asked is signed out, and told.
    await until(person, { Autopay: 'utloggad' });
    await signOut(hemma, person);
    await until(person, { Autopay: 'utloggad', Lön: 'utloggad' });
    expect(person.visitor.screen.step).toBe('signed-out');
    await person.signInTo(autopay);
    expect((await person.visitor.visit(page())).step).toBe('still-signed-in');
    expect((await person.visitor.follow('Mina uppgifter')).step).toBe('account');
  });

  test('speaks the language that the application asked in', async () => {
    const person = await signedInTo(await application('Autopay'));
    await person.visitor.visit(hemma.url('/session/end?ui_locales=en'));
    expect((await person.visitor.submit({}, 'logout=yes')).heading).toBe('You are signed out');
    await until(person, { Autopay: 'signed out' });
  });

  test('opens the page of an application that has nothing else, before it goes on, and of no other', async () => {
    const back = await application('Autopay');
    const origin = new URL(back.redirectUri).origin;
    const front = await application('Gammal', { backchannelLogoutUri: undefined });
    const theirs = new URL(front.redirectUri).origin;
    await applyClient(hemma.db, { ...front.description, frontchannelLogoutUri: `${theirs}/bye?app=1` });
    const person = await signedInTo(back);
    const { claims } = await person.signInTo(front);
    const asked = { client_id: back.clientId, post_logout_redirect_uri: `${origin}/signed-out`, state: 'å' };
    await person.visitor.visit(hemma.url(`/session/end?${new URLSearchParams(asked).toString()}`));
    await person.visitor.submit({}, 'logout=yes');
    const screen = await until(person, { Autopay: 'utloggad', Gammal: 'din webbläsare ber den logga ut' });
    expect(screen.step).toBe('signed-out');
    const frames = screen.page.querySelectorAll('iframe').map((one) => one.getAttribute('src') ?? '');
    const issued = new URLSearchParams({ iss: hemma.issuer, sid: String(claims.sid) }).toString();
    expect(frames.map((src) => src.replaceAll('&amp;', '&'))).toEqual([`${theirs}/bye?app=1&${issued}`]);
    const policy = String(screen.headers['content-security-policy']);
    expect(/frame-src ([^;]*)/.exec(policy)?.[1]).toBe(theirs);
    expect(policy).toContain("frame-ancestors 'none'");
    expect((await person.visitor.follow('Fortsätt')).url.href).toBe(`${origin}/signed-out?state=%C3%A5`);
    // Whoever has signed in since is not signed out by looking back.
    await person.signInTo(back);
    await person.visitor.visit(page());
    expect(person.visitor.screen.page.querySelectorAll('iframe, [data-onward]')).toEqual([]);
  });

  test('may be asked for by its script of this very host while something is open, and of no other', async () => {
    const slow = await application('Lön');
    slow.onLogout('with a fault');
    const person = await signedInTo(slow);
    const policy = ({ headers }: Screen) => String(headers['content-security-policy']);
    expect(policy(await signOut(hemma, person))).toContain("connect-src 'self'");
    slow.onLogout('well');
    travel(seconds(15));
    expect(policy(await until(person, { Lön: 'utloggad' }))).not.toContain('connect-src');
  });
});

test('a page to open at sign-out is at the application itself, as one of its addresses after sign-in', () => {
  const judged = (frontchannelLogoutUri: string) =>
    clientSchema
      .safeParse({
        id: 'front',
        name: 'Front',
        type: 'web',
        redirectUris: ['https://front.example/back'],
        frontchannelLogoutUri,
      })
      .error?.issues.map(({ message }) => message);
  expect(judged('https://front.example/bye')).toBeUndefined();
  for (const elsewhere of ['https://evil.example/', 'https://front.example:444/', 'https://a.front.example/'])
    expect(judged(elsewhere)).toEqual(['front-channel-elsewhere']);
  expect(judged('javascript:alert(1)')).toContain('address-dangerous-scheme');
});
