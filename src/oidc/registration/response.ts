import { toClientMetadata } from '../../clients/metadata.ts';
import type { RegisteredClient } from '../../clients/clients.ts';
import type { TokenEndpointAuthMethod } from './metadata.ts';
import { isPresent } from './metadata.ts';

/** All that was registered, in the standards' names (RFC 7591 §3.2.1), and the secret, which stands nowhere else. */
export function buildRegistrationResponse(
  { client, createdAt, updatedAt }: RegisteredClient,
  method: TokenEndpointAuthMethod,
  secret: string | undefined,
): Record<string, unknown> {
  const registered = Object.entries(toClientMetadata(client, updatedAt)).filter(
    ([name, value]) => name !== 'client_secret' && !name.startsWith('urn:hemma:') && isPresent(value),
  );
  return {
    ...Object.fromEntries(registered),
    client_id_issued_at: Math.floor(createdAt.getTime() / 1000),
    token_endpoint_auth_method: method,
    subject_type: 'public',
    ...(client.contact ? { contacts: [client.contact] } : {}),
    ...(client.frontchannelLogoutUri ? { frontchannel_logout_uri: client.frontchannelLogoutUri } : {}),
    ...(client.lifetimes.session === undefined ? {} : { default_max_age: client.lifetimes.session }),
    ...(secret === undefined ? {} : { client_secret: secret, client_secret_expires_at: 0 }),
  };
}
