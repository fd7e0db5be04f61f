import type { ClientDescription } from '../../../src/clients/schema.ts';

/** A ready piece of configuration for one stack, with the client's own values in it and never a secret. */
export interface Snippet {
  name: string;
  text: string;
}

/** Where every example reads the secret from. */
export const secretVariable = 'HEMMA_CLIENT_SECRET';

interface SnippetValues {
  issuer: string;
  id: string;
  redirect: string;
  path: string;
  scopes: string[];
  /** A line for whoever renews: without `prompt=consent` there is no refresh token (OpenID Connect Core §11). */
  renewing: (line: string) => string;
  /** How it proves who it is. */
  proof: ClientDescription['authMethod'];
  /** A line for whoever must show a key with its tokens (RFC 9449). */
  bound: (line: string) => string;
  /** A line for whose ID token is not signed by what every program takes. */
  otherAlg: (line: (alg: string) => string) => string;
}

const nodeClientAuth = {
  secret: `client.ClientSecretBasic(process.env.${secretVariable})`,
  private_key_jwt: 'client.PrivateKeyJwt(privateKey)',
  client_secret_jwt: `client.ClientSecretJwt(process.env.${secretVariable})`,
  none: 'client.None()',
};

/** The library speaks https alone, until it is told that this is a machine to try things out on. */
const allowInsecureRequests = '\n  { execute: [client.allowInsecureRequests] },';

/** An address may hold an apostrophe (RFC 3986 §2.2); of all that would end a text in the examples it is the only one. */
const quote = (text: string): string => `'${text.replaceAll("'", "\\'")}'`;

const openidClientSnippet = ({
  issuer,
  id,
  redirect,
  scopes,
  renewing,
  proof,
  bound,
}: SnippetValues): string =>
  `// npm install openid-client
import * as client from 'openid-client';

const config = await client.discovery(
  new URL('${issuer}'),
  '${id}',
  undefined,
  ${nodeClientAuth[proof]},${issuer.startsWith('http:') ? allowInsecureRequests : ''}
);

const verifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const nonce = client.randomNonce();
const url = client.buildAuthorizationUrl(config, {
  redirect_uri: ${quote(redirect)},
  scope: '${scopes.join(' ')}',${renewing("\n  prompt: 'consent',")}
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
  nonce,
});
// Keep verifier, state and nonce in the person's session and redirect to url. When they come back:
// const tokens = await client.authorizationCodeGrant(config, currentUrl, {
//   pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true });${bound(`
// A key of its own that every token is bound to: pass { DPoP } as the last argument of each call, that one too.
// const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair());`)}`;

const springSnippet = ({ issuer, id, redirect, scopes, renewing, otherAlg }: SnippetValues): string =>
  `# application.yaml (spring-boot-starter-oauth2-client)
spring:
  security:
    oauth2:
      client:
        registration:
          hemma:
            client-id: "${id}"
            client-secret: \${${secretVariable}}
            authorization-grant-type: authorization_code
            redirect-uri: "${redirect}"
            scope: ${scopes.join(', ')}
        provider:
          hemma:
            issuer-uri: ${issuer}
# PKCE is required: customize the resolver with
# OAuth2AuthorizationRequestCustomizers.withPkce()${renewing('\n# and for refresh tokens add the parameter prompt=consent there')}${otherAlg((alg) => `\n# Spring takes RS256 alone: choose it as the signature here, or give an OidcIdTokenDecoderFactory ${alg}`)}`;

const dotnetSnippet = ({ issuer, id, path, scopes, renewing }: SnippetValues): string =>
  `// Microsoft.AspNetCore.Authentication.OpenIdConnect
builder.Services
    .AddAuthentication(options =>
    {
        options.DefaultScheme = CookieAuthenticationDefaults.AuthenticationScheme;
        options.DefaultChallengeScheme = OpenIdConnectDefaults.AuthenticationScheme;
    })
    .AddCookie()
    .AddOpenIdConnect(options =>
    {
        options.Authority = "${issuer}";
        options.ClientId = "${id}";
        options.ClientSecret = builder.Configuration["${secretVariable}"];
        options.ResponseType = "code";
        options.UsePkce = true;
        options.CallbackPath = "${path}";
        // form_post, the default, needs cookies that browsers take over https alone.
        options.ResponseMode = "query";
        options.CorrelationCookie.SameSite = SameSiteMode.Lax;
        options.NonceCookie.SameSite = SameSiteMode.Lax;${issuer.startsWith('http:') ? '\n        options.RequireHttpsMetadata = false;' : ''}
        options.Scope.Clear();${renewing('\n        options.Prompt = "consent";')}
${scopes.map((scope) => `        options.Scope.Add("${scope}");`).join('\n')}
        options.GetClaimsFromUserInfoEndpoint = true;
        options.MapInboundClaims = false;
        options.SaveTokens = true; // the ID token is the hint at sign-out
        options.ClaimActions.Remove("acr"); // otherwise acr is dropped
    });`;

const authlibSnippet = ({ issuer, id, redirect, scopes, renewing }: SnippetValues): string =>
  `# pip install authlib (Flask; Django and Starlette are registered alike)
import os
from authlib.integrations.flask_client import OAuth

oauth = OAuth(app)
oauth.register(
    "hemma",
    client_id="${id}",
    client_secret=os.environ["${secretVariable}"],
    server_metadata_url="${issuer}/.well-known/openid-configuration",${renewing('\n    authorize_params={"prompt": "consent"},')}
    client_kwargs={
        "scope": "${scopes.join(' ')}",
        "code_challenge_method": "S256",
    },
)
# return oauth.hemma.authorize_redirect("${redirect}")`;

const apacheSnippet = ({ issuer, id, redirect, scopes, renewing }: SnippetValues): string =>
  `# mod_auth_openidc
OIDCProviderMetadataURL ${issuer}/.well-known/openid-configuration
OIDCClientID ${id}
OIDCClientSecret \${${secretVariable}}
OIDCRedirectURI ${redirect}
OIDCScope "${scopes.join(' ')}"
OIDCPKCEMethod S256${renewing('\nOIDCAuthRequestParams prompt=consent')}
OIDCCryptoPassphrase \${OIDC_CRYPTO_PASSPHRASE}

<Location />
  AuthType openid-connect
  Require valid-user
</Location>`;

const goOidcSnippet = ({ issuer, id, redirect, scopes, renewing }: SnippetValues): string =>
  `// go get github.com/coreos/go-oidc/v3 golang.org/x/oauth2
provider, err := oidc.NewProvider(ctx, "${issuer}")
// ...
config := oauth2.Config{
	ClientID:     "${id}",
	ClientSecret: os.Getenv("${secretVariable}"),
	Endpoint:     provider.Endpoint(),
	RedirectURL:  "${redirect}",
	Scopes:       []string{${scopes.map((scope) => `"${scope}"`).join(', ')}},
}
verifier := oauth2.GenerateVerifier()
url := config.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier), oidc.Nonce(nonce)${renewing(',\n\toauth2.SetAuthURLParam("prompt", "consent")')})
// Keep verifier, state and nonce in the person's session and redirect to url. When they come back, compare state and:
// token, err := config.Exchange(ctx, code, oauth2.VerifierOption(verifier))
// idToken, err := provider.Verifier(&oidc.Config{ClientID: config.ClientID}).Verify(ctx, token.Extra("id_token").(string))
// and compare idToken.Nonce.`;

const oidcClientTsSnippet = ({ issuer, id, redirect, scopes, renewing }: SnippetValues): string =>
  `// npm install oidc-client-ts
import { UserManager } from 'oidc-client-ts';

const hemma = new UserManager({
  authority: '${issuer}',
  client_id: '${id}',
  redirect_uri: ${quote(redirect)},
  scope: '${scopes.join(' ')}',${renewing("\n  prompt: 'consent',")}
  loadUserInfo: true,
  // Otherwise the library drops acr and auth_time.
  filterProtocolClaims: false,
});
// await hemma.signinRedirect();
// and on the page that they come back to: const user = await hemma.signinRedirectCallback();`;

const oauth2ProxySnippet = ({ issuer, id, redirect, scopes, renewing }: SnippetValues): string =>
  `# oauth2-proxy.cfg; the secret comes as OAUTH2_PROXY_CLIENT_SECRET=$${secretVariable}
provider = "oidc"
oidc_issuer_url = "${issuer}"
client_id = "${id}"
redirect_url = "${redirect}"
scope = "${scopes.join(' ')}"
code_challenge_method = "S256"${renewing('\nprompt = "consent"')}
email_domains = ["*"]
cookie_refresh = "1m"
whitelist_domains = ["${new URL(issuer).host}"]`;

const serviceSnippet = ({ issuer, id }: SnippetValues): string =>
  `# The client credentials grant (RFC 6749 §4.4)
curl --user "${id}:$${secretVariable}" \\
  --data grant_type=client_credentials \\
  ${issuer}/token`;

const deviceFlowSnippet = ({ issuer, id, scopes, proof }: SnippetValues): string => {
  const who = proof === 'secret' ? `--user "${id}:$${secretVariable}"` : `--data client_id=${id}`;
  return `# The device authorization grant (RFC 8628): show the person verification_uri and user_code
curl ${who} \\
  --data-urlencode "scope=${scopes.join(' ')}" \\
  ${issuer}/device/auth
# and ask every five seconds until it is no longer authorization_pending; on slow_down wait five seconds more
curl ${who} \\
  --data grant_type=urn:ietf:params:oauth:grant-type:device_code \\
  --data device_code="$DEVICE_CODE" \\
  ${issuer}/token`;
};

/** The examples that fit an application of this type. */
export function snippetsFor(client: ClientDescription, issuer: string): Snippet[] {
  const redirect = client.redirectUris[0] ?? 'https://app.example.com/callback';
  const url = new URL(redirect);
  const values: SnippetValues = {
    issuer,
    id: client.id,
    redirect,
    path: url.pathname,
    scopes: ['openid', ...client.scopes],
    renewing: (line) => (client.scopes.includes('offline_access') ? line : ''),
    proof: client.authMethod,
    bound: (line) => (client.dpopRequired ? line : ''),
    otherAlg: (line) => (client.signingAlg === 'RS256' ? '' : line(client.signingAlg)),
  };
  if (client.type === 'service')
    return client.authMethod === 'secret' && !client.dpopRequired
      ? [{ name: 'curl', text: serviceSnippet(values) }]
      : [];
  const device =
    client.deviceFlow &&
    !client.dpopRequired &&
    (client.authMethod === 'secret' || client.authMethod === 'none')
      ? [{ name: 'curl (RFC 8628)', text: deviceFlowSnippet(values) }]
      : [];
  if (client.redirectUris.length === 0) return device;
  if (client.type === 'single-page' && !client.dpopRequired)
    return [{ name: 'oidc-client-ts (browser)', text: oidcClientTsSnippet(values) }];
  const everywhere = [{ name: 'openid-client (Node.js)', text: openidClientSnippet(values) }, ...device];
  // The others are for applications on a server that keep a secret, and bind no tokens.
  if (client.authMethod !== 'secret' || client.dpopRequired) return everywhere;
  return [
    ...everywhere,
    { name: 'Spring Security', text: springSnippet(values) },
    { name: '.NET', text: dotnetSnippet(values) },
    { name: 'Authlib (Python)', text: authlibSnippet(values) },
    { name: 'go-oidc (Go)', text: goOidcSnippet(values) },
    { name: 'mod_auth_openidc (Apache)', text: apacheSnippet(values) },
    { name: 'oauth2-proxy', text: oauth2ProxySnippet(values) },
  ];
}
