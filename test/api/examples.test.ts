/** The document of the interface says what is so: every printed example is sent as printed and answered as documented. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { endpoints } from '../../src/api/index.ts';
import type { Endpoint } from '../../src/api/endpoint.ts';
import {
  exampleCase,
  exampleClaim,
  exampleClient,
  exampleGroup,
  exampleUser,
  exampleResourceServer,
  exampleAuditEvent,
  exampleSecretId,
  exampleInitialAccessToken,
  exampleClientVersion,
} from '../../src/api/examples.ts';
import { apiScopes } from '../../src/clients/resource-servers/api-scopes.ts';
import { exchange } from '../rig/exchange.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { call, somebodyWith, tokenOf } from './callers.ts';

let hemma: Hemma;
let tool: RelyingParty;
let token: string;
let other: string;
interface Documented {
  paths: Record<string, Record<string, { responses: Record<string, { content?: Record<string, unknown> }> }>>;
  components: {
    schemas: Record<string, unknown>;
    securitySchemes: { oauth: { flows: Record<string, unknown> } };
  };
}
let document: Documented;

const at = new Date(exampleClientVersion.updatedAt);
const invited = '9b1d2f66-3c0a-4f57-8d77-0b8f5a0b6c33';

beforeAll(async () => {
  hemma = await startHemma();
  tool = await startRelyingParty({ hemma, description: { apiScopes: [...apiScopes] } });
  const alma = await somebodyWith(hemma, 'administrator');
  token = await tokenOf(hemma, tool, alma, apiScopes);
  other = (await hemma.account({ email: 'other@example.com', role: 'administrator' })).id;
  document = (await call(hemma, '/openapi.json')).json as unknown as Documented;
});
afterAll(async () => {
  await tool.stop();
  await hemma.stop();
});

/** Whom the examples are about, as they are there; each example begins with the same town. */
async function arrange(): Promise<void> {
  const { db } = hemma;
  await db.query('DELETE FROM accounts WHERE id IN ($1, $2)', [exampleUser.id, invited]);
  await db.query("DELETE FROM clients WHERE id IN ($1, 'timesheet')", [exampleClient]);
  await db.query('DELETE FROM attempts');
  await db.query('DELETE FROM resource_servers');
  await db.query('DELETE FROM groups');
  await db.query('DELETE FROM initial_access_tokens');
  await db.query(
    `INSERT INTO initial_access_tokens (id, name, hash, types, hosts, uses, most_uses, created_at, expires_at)
     VALUES ($1, 'Supplier', '\\x00', '["web"]', '["app.supplier.example"]', 0, 1, $2, $3)`,
    [exampleInitialAccessToken, at, new Date(Date.now() + 3_600_000)],
  );
  await db.query('DELETE FROM claim_definitions');
  await db.query(
    `INSERT INTO claim_definitions (id, name, scope, label_sv, label_en, multi, created_at, updated_at)
     VALUES (gen_random_uuid(), $1, $2, $3, $4, false, $5, $5)`,
    [exampleClaim.name, exampleClaim.scope, exampleClaim.label.sv, exampleClaim.label.en, at],
  );
  await db.query('INSERT INTO groups (id, name, name_key, created_at) VALUES ($1, $2, $3, $4)', [
    exampleGroup.id,
    exampleGroup.name,
    'north',
    at,
  ]);
  const account = `INSERT INTO accounts (id, email, email_key, name, role, password_hash, two_step_required,
    email_verified_at, invited_at, created_at) VALUES ($1, $2, $2, $3, 'person', 'none', true, $4, $5, $4)`;
  await db.query(account, [exampleUser.id, exampleUser.email, exampleUser.name, at, null]);
  await db.query(account, [invited, 'late@north.example', 'Lina', at, at]);
  await db.query('INSERT INTO group_members (group_id, account_id) VALUES ($1, $2)', [
    exampleGroup.id,
    exampleUser.id,
  ]);
  await db.query('INSERT INTO account_attributes (account_id, name, said) VALUES ($1, $2, $3)', [
    exampleUser.id,
    exampleClaim.name,
    JSON.stringify(['Kontoret']),
  ]);
  await db.query(
    `INSERT INTO authenticators (id, account_id, sealed_secret, last_step, last_used_at, created_at)
     VALUES (gen_random_uuid(), $1, '\\x00', 0, $2, $2)`,
    [exampleUser.id, at],
  );
  await db.query(
    `INSERT INTO audit (at, event, account_id, client_id, address, request, detail)
     VALUES ($1, 'sign-in.finished', $2, $3, $4, $5, '{}')`,
    [
      new Date(exampleAuditEvent.at),
      exampleUser.id,
      exampleClient,
      exampleAuditEvent.address,
      exampleAuditEvent.request,
    ],
  );
  const metadata = {
    id: exampleClient,
    name: 'Payroll',
    type: 'web',
    firstParty: false,
    redirectUris: ['https://payroll.example/back'],
    postLogoutRedirectUris: [],
    corsOrigins: [],
    scopes: ['profile', 'email'],
    signingAlg: 'ES256',
  };
  await db.query(
    `INSERT INTO clients (id, metadata, first_party, managed, created_at, updated_at)
     VALUES ($1, $2::text::jsonb, false, 'console', $3, $3)`,
    [exampleClient, JSON.stringify(metadata), at],
  );
  await db.query(
    `INSERT INTO client_secrets (id, client_id, name, hash, created_at) VALUES ($1, $2, 'production', '\\x00', $3)`,
    [exampleSecretId, exampleClient, at],
  );
  const { id, number } = exampleResourceServer;
  const scopes = [{ name: 'orders:read', description: 'read your orders' }];
  const server = { id, name: 'Orders', scopes, tokenFormat: 'jwt', signingAlg: 'ES256', lifetime: 600 };
  await db.query(
    `INSERT INTO resource_servers (id, number, metadata, managed, created_at, updated_at)
     VALUES ($1, $2, $3::text::jsonb, 'console', $4, $4)`,
    [id, number, JSON.stringify(server), at],
  );
  await db.query(
    `INSERT INTO refused_requests (client_id, endpoint, digest, error, detail, address, times, first_at, last_at)
     VALUES ($1, 'authorization', '\\x00', 'invalid_redirect_uri', 'redirect_uri', 'https://payroll.example/bakc', 3, $2, $2)`,
    [exampleClient, at],
  );
}

/** The example's case: made sure of, and with something that another operator has asked for where that is needed. */
async function openCase({ method, path }: Endpoint): Promise<void> {
  if (!path.startsWith('/cases') || (path === '/cases' && method === 'POST')) return;
  const checks = /checks|notes|\}$|s$/.test(path)
    ? []
    : [{ name: 'call-back', by: other, at: at.toISOString() }];
  await hemma.db.query(
    `INSERT INTO help_desk_cases (id, number, account_id, opened_at, checks, notes)
     VALUES ($1, $2, $3, $4, $5::text::jsonb, '[]')`,
    [invited, exampleCase, exampleUser.id, at, JSON.stringify(checks)],
  );
  if (path.endsWith('approve'))
    await hemma.db.query(
      `INSERT INTO help_desk_approvals (id, case_id, deed, asked_by, asked_at) VALUES ($1, $1, 'invite', $2, $3)`,
      [invited, other, new Date()],
    );
}

const places = (value: unknown, path = ''): string[] => {
  if (Array.isArray(value)) return value.length > 0 ? places(value[0], `${path}[]`) : [path];
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([name, part]) => places(part, `${path}.${name}`));
};

describe('an example', () => {
  beforeEach(arrange);

  test.each(endpoints.map((one) => [`${one.method} ${one.path}`, one] as const))('%s', async (_name, one) => {
    await openCase(one);
    const { method, path, example, answers, body, takes } = one;
    const query = new URLSearchParams(example.query ?? {}).toString();
    const where = path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => example.params?.[name] ?? '');
    const answer = await call(hemma, `${where}${query && `?${query}`}`, {
      method,
      token,
      headers: example.headers ?? {},
      ...(body || takes ? { json: example.body } : {}),
    });
    expect([answer.status, answer.body.slice(0, 300)]).toEqual([answers.status, expect.any(String)]);
    expect(answer.headers['cache-control']).toBe('no-store');
    if (answers.status === 204) expect(answer.body).toBe('');
    if (answers.status === 201) expect(answer.headers['location']).toMatch(/^http:\/\/localhost:\d+\/api\//);
    if (answers.etag) expect(answer.headers['etag']).toMatch(/^"\d+"$/);
    // What is printed is what comes: every field of the example, with a value of its kind.
    const came = places(answer.json);
    const lacking = places(example.answer ?? {}).filter(
      (one) => !came.some((place) => place.startsWith(one)),
    );
    expect(lacking).toEqual([]);
  });
});

test.each(endpoints.map((one) => [`${one.method} ${one.path}`, one] as const))(
  'the printed answer of %s is one by its own schema',
  (_name, { answers, example }) => {
    if (example.answer === undefined) expect(answers.schema).toBeUndefined();
    else expect(answers.schema?.safeParse(example.answer).error).toBeUndefined();
  },
);

describe('the document', () => {
  test('is open to everybody, may be kept for a while, and has every endpoint with its refusals', async () => {
    const answer = await exchange(new URL(hemma.url('/api/openapi.json')));
    expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'public, max-age=300']);
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(new Set(documented)).toEqual(
      new Set(endpoints.map(({ method, path }) => `${method} /api${path}`)),
    );
    for (const methods of Object.values(document.paths))
      for (const { responses } of Object.values(methods))
        for (const status of ['401', '403', '429', '500', '503'])
          expect(responses[status]?.content).toHaveProperty(['application/problem+json']);
  });

  test('names the addresses of this issuer and every scope', () => {
    expect(document.components.securitySchemes.oauth.flows).toMatchObject({
      authorizationCode: { authorizationUrl: hemma.url('/auth'), tokenUrl: hemma.url('/token') },
      clientCredentials: { tokenUrl: hemma.url('/token'), scopes: { 'people:read': expect.any(String) } },
    });
    const { scopes } = document.components.securitySchemes.oauth.flows['clientCredentials'] as {
      scopes: object;
    };
    expect(Object.keys(scopes)).toEqual([...apiScopes]);
  });

  test('points only at what it holds', () => {
    const text = JSON.stringify(document);
    for (const [, name = ''] of text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g))
      expect(Object.keys(document.components.schemas)).toContain(name);
    expect(text).not.toContain('"$defs"');
    expect(text).not.toContain('"described"');
  });
});
