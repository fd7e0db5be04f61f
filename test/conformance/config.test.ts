/** Config OP, module by module (OpenID Connect certification; OpenID Connect Discovery §3, RFC 8414 §2). */
import { afterAll, beforeAll, expect } from '@jest/globals';
import { get } from '../protocol/requests.ts';
import { certify, type Module, type Op, startOp } from './op.ts';

let op: Op;
beforeAll(async () => {
  op = await startOp();
});

const endpoints = [
  'authorization_endpoint',
  'token_endpoint',
  'userinfo_endpoint',
  'jwks_uri',
  'end_session_endpoint',
  'introspection_endpoint',
  'revocation_endpoint',
  'pushed_authorization_request_endpoint',
];

const modules: Record<string, Module> = {
  async 'oidcc-discovery-endpoint-verification'({ hemma, discovery }) {
    const answer = await get(hemma.url('/.well-known/openid-configuration'));
    expect([answer.status, answer.headers['content-type']]).toEqual([
      200,
      expect.stringContaining('application/json'),
    ]);
    expect(discovery['issuer']).toBe(hemma.issuer);
    for (const name of endpoints) expect(discovery[name]).toMatch(/^https:\/\//);
    expect(discovery).toMatchObject({
      response_types_supported: expect.arrayContaining(['code']),
      response_modes_supported: expect.arrayContaining(['query', 'form_post']),
      subject_types_supported: expect.arrayContaining(['public']),
      id_token_signing_alg_values_supported: expect.arrayContaining(['RS256']),
      grant_types_supported: expect.arrayContaining(['authorization_code', 'refresh_token']),
      scopes_supported: expect.arrayContaining(['openid', 'profile', 'email', 'offline_access']),
      claims_supported: expect.arrayContaining(['sub', 'name', 'email', 'acr', 'auth_time']),
      claims_parameter_supported: true,
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
    });
    // What is left out means `false`, but for this one, which then would mean `true` (Discovery §3).
    expect(discovery['request_uri_parameter_supported']).toBe(false);
    expect([undefined, false]).toContain(discovery['request_parameter_supported']);
    for (const locale of discovery['ui_locales_supported'] as string[])
      expect(Intl.getCanonicalLocales(locale)).toEqual([locale]);
    const { keys } = (await get(String(discovery['jwks_uri']))).json as { keys: Record<string, string>[] };
    for (const key of keys) {
      expect(key).toMatchObject({ kty: expect.any(String), kid: expect.any(String), use: 'sig' });
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) expect(key).not.toHaveProperty(secret);
    }
  },
};

const report = certify('Config OP: oidcc-config-certification-test-plan', () => op, 'query', modules);
afterAll(async () => {
  report();
  await op.stop();
});
