/** What programs must not be able to register, by what RFC 7591 §3.2.2 calls it, with a word that the answer says. */

export const web = { redirect_uris: ['https://app.example/back'], client_name: 'Supplier app' };

const to = (uri: string) => ({ redirect_uris: [uri] });
const many = Array.from({ length: 51 }, (_none, at) => `https://app.example/${at}`);
const keys = { keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'eA', d: 'ZA' }] };

type Attack = readonly [what: string, metadata: unknown, says: RegExp];

const redirects: readonly Attack[] = [
  ['no redirect', {}, /^redirect_uris: /],
  ['a script', to('javascript:alert(1)'), /^redirect_uris\[0\]: /],
  ['a page of data', to('data:text/html,x'), /scheme/],
  ['plain http', to('http://app.example/'), /https/],
  ['a fragment', to('https://app.example/#x'), /#/],
  ['a wildcard', to('https://*.app.example/'), /asterisks/],
  ['somebody before the @', to('https://hemma.example@evil.example/'), /@/],
  ['a scheme of its own on the web', to('com.example.app:/back'), /Schemes/],
  ['a huge list', { redirect_uris: many }, /many/],
  ['no list', { redirect_uris: 'https://app.example/' }, /./],
  ['an address that is none', { redirect_uris: [{}] }, /^redirect_uris\[0\]: /],
  ['a service that people come to', { ...web, grant_types: ['client_credentials'] }, /service/],
];

const others: readonly Attack[] = [
  ['a list', [web], /object/],
  ['nothing', null, /object/],
  ['no object', 'web', /object/],
];

/** Members that are refused beside an application that is fine. */
const beside: readonly Attack[] = [
  ['a start page that is a script', { client_uri: 'javascript:x' }, /^client_uri: /],
  ['messages into the house', { backchannel_logout_uri: 'https://10.0.0.1/' }, /^backchannel_logout_uri: /],
  [
    'a page of somebody else',
    { frontchannel_logout_uri: 'https://evil.example/' },
    /^frontchannel_logout_uri: /,
  ],
  ['keys from afar', { jwks_uri: 'http://169.254.169.254/' }, /^jwks_uri: send/],
  ['a sector from afar', { sector_identifier_uri: 'http://127.0.0.1/' }, /^sector_identifier_uri: /],
  ['requests from afar', { request_uris: ['http://127.0.0.1/'] }, /^request_uris: /],
  ['private keys', { token_endpoint_auth_method: 'private_key_jwt', jwks: keys }, /^jwks.*private/],
  ['a key method without keys', { token_endpoint_auth_method: 'private_key_jwt' }, /^jwks: /],
  ['keys that nobody uses', { jwks: { keys: [] } }, /^jwks/],
  ['encrypted answers', { id_token_encrypted_response_alg: 'RSA-OAEP' }, /not supported/],
  ['implicit', { grant_types: ['implicit'] }, /^grant_types/],
  ['a password grant', { grant_types: ['password'] }, /^grant_types/],
  ['no grant', { grant_types: [] }, /^grant_types/],
  [
    'people and service in one',
    { grant_types: ['authorization_code', 'client_credentials'] },
    /^grant_types/,
  ],
  ['tokens by the front door', { response_types: ['code', 'id_token'] }, /^response_types/],
  [
    'a secret on a phone',
    { application_type: 'native', token_endpoint_auth_method: 'client_secret_basic' },
    /^token_endpoint_auth_method: /,
  ],
  ['a method of nobody', { token_endpoint_auth_method: 'tls_client_auth' }, /^token_endpoint_auth_method: /],
  ['no signature', { id_token_signed_response_alg: 'none' }, /^id_token_signed_response_alg: /],
  ['a signature by the secret', { id_token_signed_response_alg: 'HS256' }, /^id_token_signed_response_alg: /],
  ['other subjects', { subject_type: 'pairwise' }, /^subject_type: /],
  ['rights in the interface', { scope: 'openid people:write' }, /^scope: only/],
  ['an age out of range', { default_max_age: 1 }, /^default_max_age: /],
  ['a level of nobody', { default_acr_values: ['urn:x'] }, /^default_acr_values: /],
  ['a name without end', { client_name: 'x'.repeat(81) }, /^client_name: /],
  ['a name turned around', { client_name: 'Hemma\u202e' }, /^client_name: /],
  ['a name with what nobody sees', { client_name: 'Hem\u200bma' }, /nobody sees/],
  ['a name of letters that draw nothing', { client_name: '\u3164' }, /nobody sees/],
  ['a name with a joiner that draws nothing', { client_name: 'Hem\u034fma' }, /nobody sees/],
  ['a name of blanks for fingers', { client_name: '\u2800' }, /nobody sees/],
  ['a name that covers the lines beside it', { client_name: `x${'\u0301'.repeat(9)}` }, /nobody sees/],
  ['half a character', { client_name: '\ud800' }, /kept/],
  ['a NUL', { client_name: 'a\0b' }, /kept/],
];

export const attacks: readonly (readonly [...Attack, error: string])[] = [
  ...redirects.map((one) => [...one, 'invalid_redirect_uri'] as const),
  ...others.map((one) => [...one, 'invalid_client_metadata'] as const),
  ...beside.map(
    ([what, more, says]) => [what, { ...web, ...(more as object) }, says, 'invalid_client_metadata'] as const,
  ),
  ['a statement', { ...web, software_statement: 'e30.e30.' }, /statement/, 'unapproved_software_statement'],
];

/** What means nothing here, whatever it calls itself: RFC 7591 §2 has it passed over. */
export const smuggled = {
  ...web,
  id: 'victim',
  client_secret: 'chosen',
  client_secret_expires_at: 1,
  firstParty: true,
  consent: 'none',
  apiScopes: ['people:write'],
  allowedIntents: ['step_up'],
  allowedGroups: ['North'],
  pkceOptional: true,
  managed: 'file',
  registration_access_token: 'x',
  'urn:hemma:first-party': true,
  'urn:hemma:api-scopes': ['people:write'],
  'urn:hemma:registered-itself': false,
  // As a member of its own, which is what JSON makes of it.
  ['__proto__']: { consent: 'none', firstParty: true },
};
