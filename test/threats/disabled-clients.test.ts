/**
 * Disabling a client ends what it holds, enabling it brings nothing back, and both need the same rights.
 * Longer than usual: all that a client can hold is set up once.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { clientSchema } from '../../src/clients/schema.ts';
import { listClientSecrets } from '../../src/clients/secrets.ts';
import {
  applyClient,
  findClientById,
  createClient,
  applyClientFromFile,
  setClientEnabled,
} from '../../src/clients/clients.ts';
import { call, isProblem, machineToken, service } from '../api/callers.ts';
import { newDevice, type } from '../protocol/devices.ts';
import { newPerson } from '../protocol/people.ts';
import { basic, basicOf, get, post } from '../protocol/requests.ts';
import { hold, untilWaiting } from '../races/interleave.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';

let hemma: Hemma;
let machine: string;
const scopes = ['clients:read', 'clients:write'] as const;
const parties: RelyingParty[] = [];
beforeAll(async () => {
  hemma = await startHemma({ env: { HEMMA_TRUSTED_PROXIES: '127.0.0.1' } });
  machine = await machineToken(hemma, await service(hemma, 'machine', scopes), scopes);
});
afterAll(async () => {
  await Promise.all(parties.map((one) => one.stop()));
  await hemma.stop();
});

async function party(): Promise<RelyingParty> {
  const made = await startRelyingParty({
    hemma,
    description: { scopes: ['profile', 'email', 'offline_access'], deviceFlow: true },
  });
  parties.push(made);
  return made;
}

async function turn(id: string, way: 'disable' | 'enable'): Promise<void> {
  expect((await call(hemma, `/clients/${id}/${way}`, { method: 'POST', token: machine })).status).toBe(204);
}

/** Waits until the background job has ended everything of a disabled client. */
async function revoked(id: string): Promise<void> {
  for (let wait = 0; wait < 2000; wait++) {
    const { count } = await hemma.db.query(
      'SELECT 1 FROM clients WHERE id = $1 AND revoking_since IS NOT NULL',
      [id],
    );
    if (count === 0) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`${id} is still being revoked`);
}

const recordsOf = async (id: string) => {
  const { rows } = await hemma.db.query<{ model: string }>(
    `SELECT DISTINCT model FROM oidc_records
     WHERE payload->>'clientId' = $1 OR payload->'params'->>'client_id' = $1 OR payload->'authorizations' ? $1
     ORDER BY model`,
    [id],
  );
  return rows.map(({ model }) => model);
};

/** Everything that a client can hold: of each, how it is answered when it is used. */
async function holding(one: RelyingParty) {
  const person = await newPerson(hemma, { twoStep: false });
  const signedIn = await person.signInTo(one, { scope: 'openid offline_access', prompt: 'consent' });
  const { access_token: access, refresh_token: refresh = '' } = signedIn.tokens;
  const begun = await one.begin();
  const code = (await person.signIn(begun.url)).url.searchParams.get('code') ?? '';
  const waiting = await newDevice(hemma, one);
  const allowed = await newDevice(hemma, one);
  await type(hemma, person.visitor, allowed.code);
  await person.answer(await person.visitor.submit({}, 'confirm=yes'));
  const held = await newPerson(hemma, { twoStep: false });
  await held.visitor.visit((await one.begin()).url);
  const token = (fields: Record<string, string>) => post(hemma.url('/token'), fields, basicOf(one));
  const userinfo = () => get(hemma.url('/me'), { authorization: `Bearer ${access}` });
  return {
    person,
    userinfo,
    sid: signedIn.claims.sid,
    used: async () => {
      const about = { token: refresh };
      const introspected = await post(hemma.url('/token/introspection'), about, basicOf(one));
      const redeemed = await token({
        grant_type: 'authorization_code',
        code,
        redirect_uri: one.redirectUri,
        code_verifier: begun.verifier,
      });
      const renewed = await token({ grant_type: 'refresh_token', refresh_token: refresh });
      const resumed = await held.answer(await held.visitor.submit({ email: held.account.email }));
      return {
        userinfo: (await userinfo()).status,
        introspection: introspected.json['active'],
        code: redeemed.json['error'],
        refresh: renewed.json['error'],
        'device that waits': (await waiting.ask()).json['error'],
        'device that was allowed': (await allowed.ask()).json['error'],
        'held sign-in': resumed.url.href.startsWith(one.redirectUri) ? 'back' : resumed.step,
      };
    },
  };
}

const dead = {
  userinfo: 401,
  introspection: false,
  code: 'invalid_grant',
  refresh: 'invalid_grant',
  'device that waits': 'invalid_grant',
  'device that was allowed': 'invalid_grant',
};

describe('a client that is disabled', () => {
  test('gets logout messages, and enabling it brings back nothing that it held', async () => {
    const one = await party();
    const { person, sid, userinfo, used } = await holding(one);
    expect((await userinfo()).status).toBe(200);
    await turn(one.clientId, 'disable');
    expect((await userinfo()).status).toBe(401);
    const told = await one.told(1);
    expect(told.map((token) => decodeJwt(token)['sid'])).toEqual([sid]);
    await revoked(one.clientId);
    expect(await recordsOf(one.clientId)).toEqual([]);
    await turn(one.clientId, 'enable');
    const { 'held sign-in': heldSignIn, ...rest } = await used();
    expect(rest).toEqual(dead);
    expect(heldSignIn).not.toBe('back');
    // Users sign in again as before, silently where their session here goes on.
    const { tokens } = await person.signInTo(one);
    expect(person.steps).toEqual([]);
    expect((await get(hemma.url('/me'), { authorization: `Bearer ${tokens.access_token}` })).status).toBe(
      200,
    );
    expect(one.logoutTokens).toHaveLength(1);
  }, 120_000);

  test('brings nothing back where it is enabled in the same moment', async () => {
    const one = await party();
    const { used, sid } = await holding(one);
    await setClientEnabled(hemma.db, one.clientId, false, {});
    await setClientEnabled(hemma.db, one.clientId, true, {});
    const { 'held sign-in': heldSignIn, ...rest } = await used();
    expect(rest).toEqual(dead);
    expect(heldSignIn).not.toBe('back');
    await revoked(one.clientId);
    expect((await one.told(1)).map((token) => decodeJwt(token)['sid'])).toEqual([sid]);
  }, 120_000);

  test('brings nothing back that a request under way wrote after everything had ended', async () => {
    const one = await party();
    const { used } = await holding(one);
    await hemma.db.query('CREATE TABLE late AS SELECT * FROM oidc_records');
    await turn(one.clientId, 'disable');
    await revoked(one.clientId);
    await hemma.db.query('INSERT INTO oidc_records SELECT * FROM late ON CONFLICT DO NOTHING');
    await hemma.db.query('DROP TABLE late');
    expect(await recordsOf(one.clientId)).toContain('Grant');
    await turn(one.clientId, 'enable');
    const { 'held sign-in': heldSignIn, ...rest } = await used();
    expect(rest).toEqual(dead);
    expect(heldSignIn).not.toBe('back');
  }, 120_000);

  test('loses the tokens that it has for itself', async () => {
    const robot = await service(hemma, 'robot', []);
    const asked = await post(
      hemma.url('/token'),
      { grant_type: 'client_credentials' },
      basic(robot.id, robot.secret),
    );
    const active = async () =>
      (
        await post(
          hemma.url('/token/introspection'),
          { token: String(asked.json['access_token']) },
          basic(robot.id, robot.secret),
        )
      ).json['active'];
    expect(await active()).toBe(true);
    await turn('robot', 'disable');
    await turn('robot', 'enable');
    expect(await active()).toBe(false);
    expect(await listClientSecrets(hemma.db, 'robot')).toHaveLength(1);
  });

  test('ends in thousands of sessions, each told once, without keeping anyone waiting', async () => {
    const one = await party();
    const account = await hemma.account({ email: 'everywhere@example.com' });
    const sessions = 2600;
    await hemma.db.query(
      `INSERT INTO oidc_records (model, key, payload, uid, account_id, expires_at)
       SELECT 'Session', sha256(n::text::bytea), p, p->>'uid', $1, $3 FROM generate_series(1, $4::int) AS n,
         LATERAL (SELECT jsonb_build_object('kind', 'Session', 'uid', 'many-' || n, 'accountId', $1::text,
           'authorizations', jsonb_build_object($2::text, jsonb_build_object('sid', 'sid-' || n, 'grantId', 'grant-' || n),
             'another', jsonb_build_object('sid', 'other-' || n))) AS p) AS made`,
      [account.id, one.clientId, new Date(Date.now() + 3_600_000), sessions],
    );
    await hemma.db.query(
      `INSERT INTO oidc_records (model, key, payload, account_id, expires_at)
       SELECT 'Grant', sha256(('grant-' || n)::bytea), jsonb_build_object('jti', 'grant-' || n, 'clientId', $2::text,
         'accountId', $1::text), $1, $3 FROM generate_series(1, $4::int) AS n`,
      [account.id, one.clientId, new Date(Date.now() + 3_600_000), sessions],
    );
    await turn(one.clientId, 'disable');
    await revoked(one.clientId);
    expect(await recordsOf(one.clientId)).toEqual([]);
    const { rows } = await hemma.db.query<{ messages: number; sessions: number }>(
      `SELECT count(*) AS messages, count(DISTINCT session) AS sessions FROM logout_messages WHERE client_id = $1`,
      [one.clientId],
    );
    expect(rows).toEqual([{ messages: sessions, sessions }]);
    const others = await hemma.db.query(
      "SELECT 1 FROM oidc_records WHERE model = 'Session' AND payload->'authorizations' ? 'another'",
    );
    expect(others.count).toBe(sessions);
    await hemma.db.query('DELETE FROM logout_messages WHERE client_id = $1', [one.clientId]);
    await hemma.db.query("DELETE FROM oidc_records WHERE uid LIKE 'many-%'");
  }, 120_000);

  test('is disabled and revoked by a file and from a shell alike', async () => {
    const one = await party();
    const { used } = await holding(one);
    const list = [{ ...one.description, enabled: false }];
    const applied = await call(hemma, '/clients/apply', { method: 'POST', token: machine, json: list });
    expect(applied.json['items']).toEqual([expect.objectContaining({ result: 'changed' })]);
    await revoked(one.clientId);
    const dry = await call(hemma, '/clients/apply?dryRun=true', {
      method: 'POST',
      token: machine,
      json: [{ ...one.description, enabled: true }],
    });
    expect(dry.status).toBe(200);
    expect((await findClientById(hemma.db, one.clientId))?.enabled).toBe(false);
    await turn(one.clientId, 'enable');
    const { 'held sign-in': _held, ...rest } = await used();
    expect(rest).toEqual(dead);
  }, 120_000);
});

describe('a program that may not enable a client', () => {
  const strong = async (id: string, more: Record<string, unknown> = {}) => {
    const given = { id, name: id, type: 'service', apiScopes: ['roles:write'], ...more };
    await createClient(hemma.db, clientSchema.parse(given), {});
    return id;
  };
  const asks = (path: string, method = 'POST', headers: Record<string, string> = {}) =>
    call(hemma, path, { method, token: machine, headers });

  test('does not disable it, sign its users out, take its secrets or delete it either', async () => {
    const id = await strong('strong');
    const { etag = '' } = (await asks(`/clients/${id}`, 'GET')).headers;
    await service(hemma, 'strong-too', ['roles:write']);
    const [secret] = await listClientSecrets(hemma.db, 'strong-too');
    const refused = [
      await asks(`/clients/${id}/disable`),
      await asks(`/clients/${id}/sign-out-everyone`),
      await asks(`/clients/strong-too/secrets/${secret?.id}`, 'DELETE'),
      await asks(`/clients/${id}`, 'DELETE', { 'if-match': etag }),
    ];
    expect(refused.map((answer) => [answer.status, isProblem(answer, 'beyond-reach')])).toEqual(
      refused.map(() => [403, true]),
    );
    expect((await findClientById(hemma.db, id))?.enabled).toBe(true);
    expect(await listClientSecrets(hemma.db, 'strong-too')).toHaveLength(1);
    await setClientEnabled(hemma.db, id, false, {});
    expect(isProblem(await asks(`/clients/${id}/enable`), 'beyond-reach')).toBe(true);
  });

  test('does not remove it by a list that leaves it out', async () => {
    const id = 'strong-in-a-file';
    const given = { id, name: id, type: 'service', apiScopes: ['roles:write'] };
    await applyClientFromFile(hemma.db, clientSchema.parse(given));
    const answer = await call(hemma, '/clients/apply?prune=true', {
      method: 'POST',
      token: machine,
      json: [],
    });
    expect(isProblem(answer, 'beyond-reach')).toBe(true);
    expect(await findClientById(hemma.db, id)).toBeDefined();
  });

  test('disables and enables one that is within its reach', async () => {
    const weak = clientSchema.parse({
      id: 'weak',
      name: 'Weak',
      type: 'service',
      apiScopes: ['clients:read'],
    });
    await applyClient(hemma.db, weak);
    await turn('weak', 'disable');
    await turn('weak', 'enable');
  });
});

describe('the background job that revokes disabled clients', () => {
  test('revokes the others where one client cannot be revoked, and that one as soon as it can', async () => {
    const [stuck, other] = [await party(), await party()];
    const [, second] = [await holding(stuck), await holding(other)];
    await hemma.db.query(
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$`,
    );
    await hemma.db.query(
      `CREATE TRIGGER stuck BEFORE DELETE ON oidc_records FOR EACH ROW
       WHEN (OLD.payload->>'clientId' = '${stuck.clientId}') EXECUTE FUNCTION refuse()`,
    );
    try {
      await turn(stuck.clientId, 'disable');
      await turn(other.clientId, 'disable');
      await revoked(other.clientId);
      expect((await other.told(1)).map((token) => decodeJwt(token)['sid'])).toEqual([second.sid]);
      expect(await recordsOf(stuck.clientId)).toContain('Grant');
      expect(hemma.logs()).toContain('a disabled client could not be revoked');
    } finally {
      await hemma.db.query('DROP FUNCTION refuse CASCADE');
    }
    await revoked(stuck.clientId);
    expect(await recordsOf(stuck.clientId)).toEqual([]);
  }, 120_000);

  test('leaves nothing to do at enabling: late tokens end, and sessions are not gone through again', async () => {
    const one = await party();
    const { person, used } = await holding(one);
    await hemma.db.query('CREATE TABLE late AS SELECT * FROM oidc_records');
    await turn(one.clientId, 'disable');
    await revoked(one.clientId);
    // A request under way wrote what the job had ended, the client's place in the session included.
    await hemma.db.query(
      `INSERT INTO oidc_records SELECT * FROM late
       ON CONFLICT (model, key) DO UPDATE SET payload = excluded.payload`,
    );
    await hemma.db.query('DROP TABLE late');
    expect(await recordsOf(one.clientId)).toContain('Session');
    const held = await hold(
      hemma.env['DATABASE_URL'] ?? '',
      `SELECT 1 FROM oidc_records WHERE model = 'Session' FOR UPDATE`,
    );
    // While another transaction holds all sessions.
    const enabled = turn(one.clientId, 'enable').then(() => 'enabled');
    const waited = untilWaiting(hemma.env['DATABASE_URL'] ?? '', 1).then(
      () => 'waits for a session',
      () => 'waits for nothing',
    );
    try {
      expect(await Promise.race([enabled, waited])).toBe('enabled');
    } finally {
      await held.release();
    }
    await waited;
    const { 'held sign-in': heldSignIn, ...rest } = await used();
    expect(rest).toEqual(dead);
    expect(heldSignIn).not.toBe('back');
    const { tokens } = await person.signInTo(one);
    expect((await get(hemma.url('/me'), { authorization: `Bearer ${tokens.access_token}` })).status).toBe(
      200,
    );
  }, 120_000);
});
