import { phrasesFor } from '../../i18n/phrases.ts';
import type { ClientFieldName } from '../../clients/schema.ts';

/** Our fields by the standards' names. */
const theirs: Partial<Record<ClientFieldName, string>> = {
  name: 'client_name',
  type: 'application_type',
  authMethod: 'token_endpoint_auth_method',
  assertionSigningAlg: 'token_endpoint_auth_signing_alg',
  redirectUris: 'redirect_uris',
  postLogoutRedirectUris: 'post_logout_redirect_uris',
  backchannelLogoutUri: 'backchannel_logout_uri',
  frontchannelLogoutUri: 'frontchannel_logout_uri',
  launchUrl: 'client_uri',
  initiateLoginUri: 'initiate_login_uri',
  scopes: 'scope',
  signingAlg: 'id_token_signed_response_alg',
  lifetimes: 'default_max_age',
  parRequired: 'require_pushed_authorization_requests',
  dpopRequired: 'dpop_bound_access_tokens',
};

const words: Record<string, string> = phrasesFor('en').clients.faults;

/** `redirectUris.0` as `redirect_uris[0]`. */
export function place(path: string): string {
  const [field = '', ...rest] = path.split('.');
  const name = theirs[field as ClientFieldName] ?? field;
  return name === 'default_max_age' ? name : name + rest.map((part) => `[${part}]`).join('');
}

/** Whether a code of a fault has a sentence. */
export const isPhrase = (code: string): boolean => Object.hasOwn(words, code);

/** The sentence of a fault, in English (RFC 7591 §3.2.2). */
export const readable = (code: string): string => words[code] ?? words.malformed ?? code;
