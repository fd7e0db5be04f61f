/** Addresses of applications: judged in words while they are typed, and recorded where nobody was sent to them. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { clientSchema } from '../../src/clients/schema.ts';
import { applyClient } from '../../src/clients/clients.ts';
import { back, minutes, seconds, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { post } from '../protocol/requests.ts';
import { operator, tokenOf } from './town.ts';

let hemma: Hemma;
let visitor: Visitor;
beforeAll(async () => {
  hemma = await startHemma();
  visitor = (await operator(hemma, 'alma@hemma.example', 'administrator')).visitor;
  const filed = { id: 'filed', name: 'Filed', type: 'web', redirectUris: ['https://filed.example/back'] };
  await applyClient(hemma.db, clientSchema.parse(filed));
});
afterEach(back);
afterAll(() => hemma.stop());

const open = (path: string) => visitor.visit(hemma.url(`/admin/clients${path}`));

describe('addresses while they are typed', () => {
  const check = async (type: string, use: string, addresses: string) => {
    const token = tokenOf(await open('/-/new/web'));
    const answer = await visitor.post(hemma.url('/admin/clients/-/check-addresses'), {
      token,
      type,
      use,
      addresses,
    });
    return (JSON.parse(answer.body) as { lines: { code?: string }[] }).lines.map(({ code }) => code);
  };

  test.each([
    ['web', 'https://app.example/back', undefined],
    ['web', 'https://app.example/back?from=hemma', undefined],
    ['web', 'http://localhost:3000/back', 'address-hint-loopback'],
    ['web', 'http://app.example/back', 'address-not-https'],
    ['web', 'https://app.example/#back', 'address-fragment'],
    ['web', 'https://*.app.example/back', 'address-wildcard'],
    ['web', 'https://app.example@evil.example/', 'address-user'],
    ['web', 'https://app.example/a/../b', 'address-path-traversal'],
    ['web', 'https://app.example/a/%2E%2e/b', 'address-path-traversal'],
    ['web', 'https://app.example\\@evil.example/', 'address-user'],
    ['web', 'https://app.example/åäö', 'address-characters'],
    ['web', 'https://app.example/"><b>', 'address-characters'],
    ['web', "https://app.example/o'clock", undefined],
    ['web', 'HTTPS://App.example:443/back', undefined],
    ['web', 'https://%61pp.example/back', 'address-malformed'],
    ['web', 'http://0x7f.1/back', 'address-malformed'],
    ['web', 'app.example/back', 'address-malformed'],
    ['web', '/back', 'address-malformed'],
    ['web', 'https:app.example/back', 'address-malformed'],
    ['web', 'javascript:alert(1)', 'address-dangerous-scheme'],
    ['web', 'com.example.app:/back', 'address-private-scheme'],
    ['native', 'com.example.app:/back', undefined],
    ['native', 'myapp:/back', 'address-scheme-not-reversed'],
    ['native', 'http://127.0.0.1/back', undefined],
    ['native', 'http://[::1]/back', undefined],
    ['native', 'http://localhost/back', 'address-hint-localhost-name'],
    ['native', 'https://localhost/back', 'address-native-https-loopback'],
    ['native', 'data:text/html,x', 'address-dangerous-scheme'],
  ])('%s: %s → %s', async (type, address, code) =>
    expect(await check(type, 'redirect', address)).toEqual([code]),
  );

  test('SECURITY 85 each use has its own rules', async () => {
    expect(await check('web', 'initiate-login', 'http://localhost/start')).toEqual(['address-not-https']);
    for (const host of ['10.0.0.1', '127.0.0.2', '198.18.0.1', '[fd00::1]', '[::]', '[64:ff9b::a00:1]'])
      expect(await check('web', 'back-channel', `https://${host}/x`)).toEqual(['address-private-network']);
    expect(await check('native', 'back-channel', 'com.example.app:/x')).toEqual(['address-private-scheme']);
    expect(await check('single-page', 'origin', 'https://a.example\nhttps://a.example/')).toEqual([
      undefined,
      'address-not-an-origin',
    ]);
  });
});

describe('addresses that people were not sent to', () => {
  const ask = (redirect: string) =>
    newVisitor().visit(
      hemma.url(
        `/auth?${new URLSearchParams({ client_id: 'filed', response_type: 'code', scope: 'openid', redirect_uri: redirect }).toString()}`,
      ),
    );

  test('are shown to administrators as text beside what is registered, and to nobody else', async () => {
    const wrong = 'https://filed.example/Back?<b>x</b>';
    const screen = await ask(wrong);
    travel(seconds(2));
    await ask(wrong);
    expect([screen.status, screen.step]).toEqual([400, 'problem']);
    expect(screen.text).not.toContain('filed.example');
    expect(screen.body).not.toContain('https://filed.example/back');
    await open('/filed');
    const section = visitor.screen.page.querySelector('[data-section=refused-requests]');
    expect(section?.querySelector('[data-refused-address]')?.textContent).toBe(wrong);
    expect(section?.textContent).toContain('Adressen efter inloggning är inte registrerad.');
    expect(section?.textContent).toContain('invalid_redirect_uri');
    expect(section?.querySelectorAll('td').map((one) => one.textContent)).toContain('2');
    expect(section?.textContent).toContain('https://filed.example/back');
    expect(section?.querySelector('b')).toBeNull();
  });

  test('are those after signing out, too', async () => {
    const query = { client_id: 'filed', post_logout_redirect_uri: 'https://filed.example/bye' };
    const url = hemma.url(`/session/end?${new URLSearchParams(query).toString()}`);
    expect((await newVisitor().visit(url)).status).toBe(400);
    await open('/filed');
    const row = visitor.screen.page.querySelector('tr:has([data-cause=sign-out-address])');
    expect(row?.querySelector('[data-refused-address]')?.textContent).toBe('https://filed.example/bye');
    expect(row?.querySelectorAll('td').map((one) => one.textContent)).toContain('Utloggning');
  });

  test('are those of pushed requests, too', async () => {
    const pushing = {
      id: 'pushing',
      name: 'Pushing',
      type: 'single-page',
      redirectUris: ['https://pushing.example/back'],
    };
    await applyClient(hemma.db, clientSchema.parse(pushing));
    const pushed = await post(hemma.url('/request'), {
      client_id: 'pushing',
      response_type: 'code',
      scope: 'openid',
      redirect_uri: 'https://pushing.example/elsewhere',
      code_challenge: 'x'.repeat(43),
      code_challenge_method: 'S256',
    });
    expect(pushed.status).toBe(400);
    await open('/pushing');
    const shown = visitor.screen.page.querySelector('[data-refused-address]');
    expect(shown?.textContent).toBe('https://pushing.example/elsewhere');
  });

  test('are ten at most, the latest, no more than ten new ones a minute, whatever anybody sends', async () => {
    const kept = async () => {
      const { rows } = await hemma.db.query<{ address: string }>(
        "SELECT address FROM refused_requests WHERE client_id = 'filed' AND endpoint = 'authorization'",
      );
      return rows.map(({ address }) => address);
    };
    travel(minutes(2));
    for (let at = 0; at < 15; at += 1) await ask(`https://evil.example/${at}\u0000`);
    expect((await kept()).toSorted()).toEqual(
      Array.from({ length: 10 }, (_one, at) => `https://evil.example/${at}\ufffd`),
    );
    travel(minutes(2));
    await ask(`https://evil.example/${'x'.repeat(3000)}`);
    expect(await kept()).toHaveLength(10);
    expect(Math.max(...(await kept()).map(({ length }) => length))).toBe(500);
    // What came by another door is still there.
    await open('/filed');
    expect(visitor.screen.text).toContain('https://filed.example/bye');
    await visitor.visit(hemma.url('/admin/clients/filed/forget-refused'));
    await visitor.submit();
    expect(visitor.screen.text).toContain('Ingenting har avvisats.');
  });
});
