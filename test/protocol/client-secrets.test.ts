/** Several secrets of one application: rotation without a pause, expiry at use, removal and the brake at once. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { removeClient } from '../../src/clients/access.ts';
import { clientSchema } from '../../src/clients/schema.ts';
import { addSecret, createSecret, removeSecret, listClientSecrets } from '../../src/clients/secrets.ts';
import { applyClient, setClientEnabled } from '../../src/clients/clients.ts';
import { back, days, seconds, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newPerson } from './people.ts';
import { basic, basicOf, get, post } from './requests.ts';

let hemma: Hemma;
let web: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma();
  web = await startRelyingParty({ hemma, description: { scopes: ['profile', 'email', 'offline_access'] } });
});
afterEach(back);
afterAll(async () => {
  await web.stop();
  await hemma.stop();
});

let services = 0;
async function service(): Promise<string> {
  const id = `service-${(services += 1)}`;
  await applyClient(hemma.db, clientSchema.parse({ id, name: id, type: 'service' }));
  return id;
}
const present = async (id: string, secret: string) =>
  (await post(hemma.url('/token'), { grant_type: 'client_credentials' }, basic(id, secret))).status;

async function secretOf(id: string, name: string, expiresAt?: Date): Promise<string> {
  const made = await createSecret(hemma.db, { clientId: id, name, expiresAt }, {});
  if ('refusal' in made) throw new Error(made.refusal);
  return made.secret;
}

describe('secrets of an application', () => {
  test('two open it at once; removing the old one leaves the new one alone', async () => {
    const id = await service();
    const [old, young] = [await secretOf(id, 'old'), await secretOf(id, 'new')];
    expect([await present(id, old), await present(id, young)]).toEqual([200, 200]);
    expect(await removeSecret(hemma.db, id, 'old', {})).toBe(true);
    expect([await present(id, old), await present(id, young)]).toEqual([401, 200]);
    expect(await removeSecret(hemma.db, id, 'old', {})).toBe(false);
  });

  test('open that application and no other', async () => {
    const [one, other] = [await service(), await service()];
    const secret = await secretOf(one, 'x');
    await secretOf(other, 'x');
    expect(await present(other, secret)).toBe(401);
  });

  test('one that has expired is refused at its use, while another still works', async () => {
    const id = await service();
    const brief = await secretOf(id, 'brief', new Date(Date.now() + days(90)));
    const lasting = await secretOf(id, 'lasting');
    travel(days(90) - seconds(5));
    expect(await present(id, brief)).toBe(200);
    travel(seconds(10));
    expect([await present(id, brief), await present(id, lasting)]).toEqual([401, 200]);
  });

  test('say when they were last used, to the minute', async () => {
    const id = await service();
    const secret = await secretOf(id, 'x');
    await secretOf(id, 'idle');
    const used = async () =>
      Object.fromEntries(
        (await listClientSecrets(hemma.db, id)).map(({ name, lastUsedAt }) => [name, lastUsedAt?.getTime()]),
      );
    expect(await used()).toEqual({ x: undefined, idle: undefined });
    expect(await present(id, `${secret}x`)).toBe(401);
    expect(await used()).toEqual({ x: undefined, idle: undefined });
    await present(id, secret);
    const first = (await used())['x'];
    expect(first).toEqual(expect.any(Number));
    travel(seconds(30));
    await present(id, secret);
    expect(await used()).toEqual({ x: first, idle: undefined });
    travel(seconds(31));
    await present(id, secret);
    expect((await used())['x']).toBeGreaterThan(first ?? 0);
  });

  test('differ in name, are twenty at most, and belong to applications that keep them', async () => {
    const id = await service();
    for (let at = 0; at < 20; at += 1) await secretOf(id, `n${at}`);
    const refused = async (clientId: string, name: string, expiresAt?: Date) => {
      const made = await createSecret(hemma.db, { clientId, name, expiresAt }, {});
      return 'refusal' in made ? made.refusal : 'made';
    };
    expect(await refused(id, 'n0')).toBe('secret-name-taken');
    expect(await refused(id, 'n20')).toBe('secrets-too-many');
    expect(await refused(id, ' ')).toBe('secret-name-missing');
    expect(await refused(id, 'late', new Date(Date.now() - 1))).toBe('secret-expired-already');
    expect(await refused('nobody', 'x')).toBe('client-unknown');
    const page = clientSchema.parse({
      id: 'page',
      name: 'Page',
      type: 'single-page',
      redirectUris: ['https://page.example/back'],
    });
    await applyClient(hemma.db, page);
    expect(await refused('page', 'x')).toBe('client-keeps-no-secret');
  });
});

describe('an application that is disabled', () => {
  test('ends its tokens at once and for good; enabled again it signs users in', async () => {
    const person = await newPerson(hemma, { twoStep: false });
    const { tokens } = await person.signInTo(web, { scope: 'openid offline_access', prompt: 'consent' });
    const me = () => get(hemma.url('/me'), { authorization: `Bearer ${tokens.access_token}` });
    await setClientEnabled(hemma.db, web.clientId, false, {});
    expect((await me()).status).toBe(401);
    expect((await person.visitor.visit((await web.begin()).url)).step).toBe('problem');
    const asked = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' };
    expect((await post(hemma.url('/token'), asked, basicOf(web))).json['error']).toBe('invalid_client');
    await setClientEnabled(hemma.db, web.clientId, true, {});
    expect((await me()).status).toBe(401);
    expect((await post(hemma.url('/token'), asked, basicOf(web))).json['error']).toBe('invalid_grant');
    await person.signInTo(web);
  });
});

describe('an application that is removed', () => {
  test('leaves no grant, token or place in a session behind, also for one that comes by the same name', async () => {
    const gone = await startRelyingParty({ hemma, description: { id: 'comes-and-goes', firstParty: false } });
    const person = await newPerson(hemma, { twoStep: false });
    const { tokens } = await person.signInTo(gone);
    await addSecret(hemma.db, gone.clientId, 'another');
    const ended = await removeClient(hemma.db, gone.clientId, {});
    expect(ended).toBe(1);
    expect(await removeClient(hemma.db, gone.clientId, {})).toBeUndefined();
    const left = await hemma.db.query(
      "SELECT 1 FROM oidc_records WHERE model = 'Session' AND payload->'authorizations' ? $1",
      [gone.clientId],
    );
    expect(left.count).toBe(0);
    await applyClient(hemma.db, gone.description);
    const me = await get(hemma.url('/me'), { authorization: `Bearer ${tokens.access_token}` });
    expect(me.status).toBe(401);
    expect(await listClientSecrets(hemma.db, gone.clientId)).toEqual([]);
    await person.visitor.visit((await gone.begin()).url);
    expect(person.visitor.screen.step).toBe('consent');
    await gone.stop();
  });
});
