import type { Client, KoaContextWithOIDC } from 'oidc-provider';
import { errors, Provider } from 'oidc-provider';

/** What of the library's objects is read here; its types leave some of it out. */
interface Code {
  redirectUri: string;
  consume: (this: Code) => Promise<void>;
}
interface SignOut {
  clientId?: string;
  postLogoutRedirectUri?: string;
}

/** A sign-in that goes on must not end at an address that was removed since it began. */
function recheckSignIn({ oidc }: KoaContextWithOIDC, client: Client): void {
  const uri = oidc.params?.redirect_uri;
  if (typeof uri !== 'string' || client.redirectUriAllowed(uri)) return;
  // The library has noted that it checked the address when the sign-in began, and would send errors there.
  Object.assign(oidc, { redirectUriCheckPerformed: false });
  oidc.entity('Client', client);
  throw new errors.InvalidRedirectUri();
}

/** A sign-out whose way back was removed since ends at the provider's own page. */
function recheckSignOut({ oidc }: KoaContextWithOIDC, client: Client): void {
  const state = oidc.session?.state as SignOut | undefined;
  const uri = state?.postLogoutRedirectUri;
  if (!state || !uri || state.clientId !== client.clientId || uri.startsWith(`${oidc.issuer}/`)) return;
  if (!client.postLogoutRedirectUriAllowed(uri)) delete state.postLogoutRedirectUri;
}

/**
 * Checks addresses that the library keeps from a checked request (in a code, an interaction, a session) again when they
 * are used: what an administrator removes from a client ends at once (RFC 9700 §4.1.3).
 */
export function recheckRedirects({ AuthorizationCode, Client }: Provider): void {
  const code = AuthorizationCode.prototype as unknown as Code;
  const { consume } = code;
  // Last of all that the library checks of a code, and never for one that was used.
  code.consume = async function consumeWhereRegistered() {
    const client = Provider.ctx?.oidc.client;
    if (client && !client.redirectUriAllowed(this.redirectUri))
      throw new errors.InvalidGrant('authorization code redirect_uri is no longer registered');
    return consume.call(this);
  };
  const find = Client.find.bind(Client);
  Client.find = async (id) => {
    const client = await find(id);
    const { ctx } = Provider;
    if (client && ctx?.oidc.route === 'resume') recheckSignIn(ctx, client);
    if (client && ctx?.oidc.route === 'end_session_confirm') recheckSignOut(ctx, client);
    return client;
  };
}
