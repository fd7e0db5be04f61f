/** What an administrator can do something about, each with words of its own in every language. */
export const clientErrorCauses = [
  'redirect-address',
  'sign-out-address',
  'hint',
  'secret',
  'assertion',
  'proof-of-key',
  'authentication',
  'code-used',
  'code-over',
  'code-address',
  'renewal-used',
  'renewal-over',
  'other-application',
  'account',
  'verifier',
  'challenge',
  'pushed-needed',
  'pushed-over',
  'level',
  'scope',
  'resource',
  'origin',
  'not-registered',
  'not-offered',
  'parameters',
  'other',
] as const;
export type ClientErrorCause = (typeof clientErrorCauses)[number];

/**
 * By the standard's code and the library's own words, the first that fits. The words are not promised to stay: what
 * none fits is `other`, and still shown with its code and detail.
 */
const causeTable: readonly (readonly [ClientErrorCause, error: RegExp, detail: RegExp])[] = [
  ['sign-out-address', /./, /post_logout_redirect_uri/],
  ['hint', /./, /id_token_hint/],
  ['code-address', /invalid_grant/, /redirect_uri (mismatch|is no longer registered)/],
  ['redirect-address', /invalid_redirect_uri/, /./],
  ['redirect-address', /invalid_request/, /^redirect_uri/],
  ['origin', /./, /^origin /],
  ['proof-of-key', /./, /dpop/i],
  ['secret', /invalid_client/, /secret/],
  ['assertion', /./, /client_assertion|client assertion/],
  ['assertion', /invalid_client/, /\b(JWT|jwt|JSON Web Key|alg|iss|aud|jti|signature|key|payload)\b/],
  ['authentication', /./, /authentication (mechanism|must)|[Aa]uthorization header/],
  ['other-application', /./, /client(Id)? mismatch/],
  ['account', /./, /account/],
  ['verifier', /./, /code_verifier/],
  ['challenge', /./, /code_challenge|PKCE/],
  ['code-used', /invalid_grant/, /authorization code already/],
  ['code-over', /invalid_grant/, /authorization code/],
  ['renewal-used', /invalid_grant/, /refresh token already/],
  ['renewal-over', /invalid_grant/, /refresh token|grant/],
  ['pushed-needed', /./, /Pushed Authorization Request must/],
  ['pushed-over', /invalid_request_uri/, /./],
  ['level', /unmet_authentication_requirements/, /./],
  ['scope', /scope/, /./],
  ['scope', /./, /openid scope|requested scope/],
  ['resource', /invalid_target/, /./],
  ['not-registered', /./, /not allowed (for|to) this client/],
  ['not-offered', /unsupported|not_supported/, /./],
  ['parameters', /invalid_request/, /./],
];

/** What it comes down to. */
export const findErrorCause = ({ error, detail }: { error: string; detail: string }): ClientErrorCause =>
  causeTable.find(([, code, words]) => code.test(error) && words.test(detail))?.[0] ?? 'other';

/** Answers that belong to the course of things: nobody has to see to anything. */
const expectedErrors = new Set([
  'login_required',
  'consent_required',
  'interaction_required',
  'account_selection_required',
  'access_denied',
  'authorization_pending',
  'slow_down',
  'expired_token',
  'use_dpop_nonce',
]);

export const isExpectedError = (error: string): boolean => expectedErrors.has(error);
