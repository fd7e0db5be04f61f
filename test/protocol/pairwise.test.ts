/** Pairwise numbers (OpenID Connect Core §8): each sector knows a person by a number of its own, in every message. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JWTPayload } from 'jose';
import { decodeJwt } from 'jose';
import { parseClient } from '../../src/clients/connectivity-check.ts';
import { findClientById } from '../../src/clients/clients.ts';
import { loadKeys } from '../../src/oidc/keys/keys.ts';
import { createEncryption } from '../../src/crypto/encryption.ts';
import { operator } from '../console/town.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newPerson, type Person, type SignedIn } from './people.ts';
import { basicOf, post } from './requests.ts';

let hemma: Hemma;
let own: RelyingParty;
let sister: RelyingParty;
let open: RelyingParty;
let person: Person;
let there: SignedIn;
const pairwise = { subjectType: 'pairwise' } as const;
beforeAll(async () => {
  hemma = await startHemma();
  const scopes = ['profile', 'email', 'offline_access'];
  own = await startRelyingParty({ hemma, description: { ...pairwise, scopes } });
  sister = await startRelyingParty({ hemma, description: { ...pairwise, sector: 'sisters.example' } });
  open = await startRelyingParty({ hemma });
  person = await newPerson(hemma, { twoStep: false });
  there = await person.signInTo(own, { scope: 'openid offline_access', prompt: 'consent' });
});
afterAll(async () => {
  await Promise.all([own.stop(), sister.stop(), open.stop()]);
  await hemma.stop();
});

const sub = () => there.claims.sub ?? '';

describe('a pairwise number', () => {
  test('is another for each sector and person, and the same for applications of one sector', async () => {
    const atSister = (await person.signInTo(sister)).claims.sub;
    const twin = await startRelyingParty({
      hemma,
      description: { ...pairwise, sector: 'https://sisters.example/applications.json' },
    });
    // The rig's own schema has read the address: its host is what is kept.
    expect((await findClientById(hemma.db, twin.clientId))?.client.sector).toBe('sisters.example');
    const atTwin = (await person.signInTo(twin)).claims.sub;
    const others = (await (await newPerson(hemma, { twoStep: false })).signInTo(own)).claims.sub;
    const openly = (await person.signInTo(open)).claims.sub;
    expect(atTwin).toBe(atSister);
    expect(new Set([sub(), atSister, others, openly, person.account.id]).size).toBe(4);
    expect(openly).toBe(person.account.id);
    expect(sub()).toMatch(/^[A-Za-z0-9_-]{43}$/);
    await twin.stop();
  });

  test('stands at userinfo, in introspection and in renewed tokens, and the account’s number nowhere', async () => {
    const { tokens } = there;
    const userinfo = await own.userinfo(tokens.access_token, sub());
    const renewed = await own.refresh(tokens.refresh_token ?? '');
    const renewedId = decodeJwt(renewed.id_token ?? '');
    const [one, two] = await Promise.all(
      [renewed.access_token, renewed.refresh_token ?? ''].map((token) =>
        post(hemma.url('/token/introspection'), { token }, basicOf(own)),
      ),
    );
    expect([userinfo.sub, renewedId.sub, one?.json['sub'], two?.json['sub']]).toEqual(
      Array.from({ length: 4 }, () => sub()),
    );
    const all = JSON.stringify([there.claims, userinfo, renewedId, one?.body, two?.body]);
    expect(all).not.toContain(person.account.id);
  });

  test('is what the application asks for again: by a hint, and by a claim', async () => {
    const hint = there.tokens.id_token ?? '';
    const silent = async (party: RelyingParty, more: Record<string, string>, who = person) => {
      const { url } = await who.visitor.visit((await party.begin({ prompt: 'none', ...more })).url);
      return url.searchParams.get('error') ?? 'code';
    };
    const claimed = (value: string) => ({ claims: JSON.stringify({ id_token: { sub: { value } } }) });
    expect(await silent(own, { id_token_hint: hint })).toBe('code');
    expect(await silent(own, claimed(sub()))).toBe('code');
    // The account's own number is nothing that this application knows anybody by.
    expect(await silent(own, claimed(person.account.id))).toBe('login_required');
    const stranger = await newPerson(hemma, { twoStep: false });
    const theirs = await stranger.signInTo(own);
    expect(await silent(own, { id_token_hint: theirs.tokens.id_token ?? '' })).toBe('login_required');
    expect(await silent(own, claimed(theirs.claims.sub ?? ''))).toBe('login_required');
  });

  test('is what an administrator sees beforehand and tries out', async () => {
    const { visitor, email } = await operator(hemma, 'alma@example.com', 'administrator');
    const subs = () =>
      visitor.screen.page
        .querySelectorAll('[data-row="id-token sub"], [data-row="userinfo sub"]')
        .map((row) => row.querySelectorAll('td')[1]?.textContent);
    const preview = `/admin/clients/${own.clientId}/try?person=`;
    await visitor.visit(hemma.url(`${preview}${person.account.email}`));
    expect(subs()).toEqual([sub(), sub()]);
    await visitor.visit(hemma.url(`${preview}${email}`));
    const foreseen = subs();
    await visitor.submit({}, 'Börja provinloggningen');
    expect(visitor.screen.step).toBe('client-trial-result');
    expect(subs()).toEqual(foreseen);
  });

  test('stays whatever becomes of the secret keys', async () => {
    const [first = ''] = (hemma.env['HEMMA_SECRET_KEYS'] ?? '').split(',');
    const next = Buffer.alloc(32, 7).toString('base64url');
    const before = await loadKeys(hemma.db, createEncryption([first]));
    const after = await loadKeys(hemma.db, createEncryption([next, first]));
    // Sealed anew by now: the old key is not needed any more, and what is made with it is the same.
    const later = await loadKeys(hemma.db, createEncryption([next]));
    expect([after.pairwise, later.pairwise]).toEqual([before.pairwise, before.pairwise]);
    expect(before.pairwise).toHaveLength(32);
    const again = await loadKeys(hemma.db, createEncryption([first, next]));
    expect(again.pairwise).toEqual(before.pairwise);
  });

  test('signs out: the hint is taken, and each application is told its own number', async () => {
    const leaver = await newPerson(hemma, { twoStep: false });
    const mine = await leaver.signInTo(own);
    const openly = await leaver.signInTo(open);
    const before = own.logoutTokens.length;
    const url = await own.endSessionUrl({ id_token_hint: mine.tokens.id_token ?? '' });
    await leaver.visitor.visit(url);
    expect(leaver.visitor.screen.step).toBe('sign-out');
    await leaver.visitor.submit({}, 'logout=yes');
    const [token = ''] = await own.told(1, before);
    const { payload } = await own.verify<JWTPayload & { sid: string }>(token);
    expect(payload).toMatchObject({ sub: mine.claims.sub, sid: mine.claims.sid });
    expect(JSON.stringify(payload)).not.toContain(leaver.account.id);
    const [other = ''] = await open.told(1);
    expect(decodeJwt(other).sub).toBe(openly.claims.sub);
  });
});

describe('a description', () => {
  const web = { id: 'shop', name: 'Shop', type: 'web' } as const;
  const [a, b] = ['https://a.example/back', 'https://b.example/back'];
  test.each([
    [{ ...web, redirectUris: [a], sector: 'a.example' }, 'sector', 'sector-not-used'],
    [{ ...web, ...pairwise, redirectUris: [a, b] }, 'sector', 'sector-missing'],
    [
      { ...web, ...pairwise, type: 'native', redirectUris: ['com.example.shop:/back'] },
      'sector',
      'sector-missing',
    ],
    [{ ...web, ...pairwise, redirectUris: [a], sector: 'http://a.example' }, 'sector', 'sector-malformed'],
    [{ ...web, ...pairwise, redirectUris: [a], sector: 'no host' }, 'sector', 'sector-malformed'],
    [{ ...web, ...pairwise, redirectUris: [a], sector: 'a@b.example' }, 'sector', 'sector-malformed'],
    [{ ...web, ...pairwise, type: 'service' }, 'subjectType', 'not-for-a-service'],
  ])('%# is refused where the provider could not honour it', (given, field, code) => {
    expect(parseClient(given)).toEqual({ faults: [expect.objectContaining({ field, code })] });
  });

  test.each([
    [{ redirectUris: [a] }, undefined],
    [{ redirectUris: [a, b], sector: 'Sector.Example' }, 'sector.example'],
    [{ redirectUris: [a, b], sector: 'https://sector.example/list.json' }, 'sector.example'],
  ])('%# is taken', (more, sector) => {
    const read = parseClient({ ...web, ...pairwise, ...more });
    expect('client' in read ? read.client.sector : read.faults).toBe(sector);
  });
});
