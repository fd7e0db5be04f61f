/**
 * The measure of the rest: the same library with the same configuration as far as it costs anything, over a plain Map,
 * with the provider's own page. No account is looked up, nothing is counted, written down or kept.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import Koa from 'koa';
import compose from 'koa-compose';
import type { Adapter, AdapterPayload, Configuration } from 'oidc-provider';
import { Provider } from 'oidc-provider';
import { acrValues } from '../src/sessions/assurance.ts';
import { claimsOfScopes } from '../src/users/claim-scopes.ts';
import { remainingSessionSeconds } from '../src/sessions/session-limits.ts';
import { createBaselinePages } from './baseline-pages.tsx';
import { openBaselineStorage } from './baseline-storage.ts';
import { serveRequests } from './messages.ts';
import { benchResource, serviceClient, signingAlg, webClient } from './town.ts';

const cookieKeys = [randomBytes(32).toString('base64url')];
const issuer = process.env['BENCH_ISSUER'] ?? '';
const port = Number(process.env['BENCH_PORT']);
const threads = Number(process.env['BENCH_HASH_THREADS'] ?? 1);

/** Everything of one model by its identifier, and what hangs together. Nothing ever leaves by itself. */
function createMapAdapter(): (name: string) => Adapter {
  const rows = new Map<string, AdapterPayload>();
  const byUid = new Map<string, string>();
  const byGrant = new Map<string, string[]>();
  return (name) => {
    const key = (id: string) => `${name}:${id}`;
    const found = (id: string | undefined) => Promise.resolve(id === undefined ? undefined : rows.get(id));
    return {
      upsert(id, payload) {
        rows.set(key(id), payload);
        if (payload.uid) byUid.set(`${name}:${payload.uid}`, key(id));
        if (payload.grantId && name !== 'Grant') {
          const together = byGrant.get(payload.grantId) ?? [];
          together.push(key(id));
          byGrant.set(payload.grantId, together);
        }
        return Promise.resolve();
      },
      find: (id) => found(key(id)),
      findByUid: (uid) => found(byUid.get(`${name}:${uid}`)),
      findByUserCode: () => found(undefined),
      consume(id) {
        const row = rows.get(key(id));
        if (row) row.consumed = Math.floor(Date.now() / 1000);
        return Promise.resolve();
      },
      destroy(id) {
        rows.delete(key(id));
        return Promise.resolve();
      },
      revokeByGrantId(grantId) {
        for (const id of byGrant.get(grantId) ?? []) rows.delete(id);
        byGrant.delete(grantId);
        return Promise.resolve();
      },
    };
  };
}

/** One key of each type, as Hemma publishes them. */
async function generateKeys() {
  const pairs = [
    await generateKeyPair('RS256', { extractable: true }),
    await generateKeyPair('ES256', { extractable: true }),
    await generateKeyPair('EdDSA', { extractable: true }),
  ];
  const jwks = await Promise.all(pairs.map(({ privateKey }) => exportJWK(privateKey)));
  return jwks.map((jwk) => ({ ...jwk, use: 'sig', kid: randomBytes(16).toString('base64url') }));
}

const storage = process.env['DATABASE_URL'] ? await openBaselineStorage(process.env) : undefined;

/** A sign-in under way stays in the Map: Hemma's storage would ask what was proved in it, and here nobody proves anything. */
function createAdapter(): (name: string) => Adapter {
  const map = createMapAdapter();
  return (name) => (storage && name !== 'Interaction' ? storage.adapter(name) : map(name));
}

const clients = [
  {
    client_id: webClient.id,
    client_name: 'Bench',
    client_secret: webClient.secret,
    redirect_uris: [webClient.redirectUri],
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'client_secret_basic',
    id_token_signed_response_alg: signingAlg,
    scope: 'openid profile email offline_access',
  },
  {
    client_id: serviceClient.id,
    client_name: 'Bench service',
    client_secret: serviceClient.secret,
    redirect_uris: [],
    response_types: [],
    grant_types: ['client_credentials'],
    token_endpoint_auth_method: 'client_secret_basic',
  },
] as NonNullable<Configuration['clients']>;

const cookieOptions = {
  httpOnly: true,
  sameSite: 'lax',
  signed: true,
  overwrite: true,
  secure: false,
} as const;
const hourSeconds = 3600;

async function createConfiguration(): Promise<Configuration> {
  return {
    adapter: createAdapter(),
    acrValues,
    clients,
    claims: Object.fromEntries(Object.entries(claimsOfScopes).map(([scope, names]) => [scope, [...names]])),
    cookies: {
      keys: cookieKeys,
      names: { session: 'hemma-session', interaction: 'hemma-interaction', resume: 'hemma-resume' },
      long: { ...cookieOptions, path: '/' },
      short: cookieOptions,
    },
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      userinfo: { enabled: true },
      claimsParameter: { enabled: true },
      pushedAuthorizationRequests: { enabled: true },
      dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => true },
      deviceFlow: { enabled: true },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: benchResource.scope,
          audience: benchResource.id,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 600,
          jwt: { sign: { alg: signingAlg } },
        }),
      },
    },
    findAccount: (_ctx, id) => ({
      accountId: id,
      claims: () => ({ sub: id, name: 'Åsa Ek', email: 'asa@bench.example', email_verified: true }),
    }),
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    jwks: { keys: await generateKeys() },
    // A first-party client is asked nothing.
    async loadExistingGrant({ oidc }) {
      const { client, session, account, provider } = oidc;
      if (!client || !account) return undefined;
      const known = session?.grantIdFor(client.clientId);
      const found = known ? await provider.Grant.find(known) : undefined;
      if (found) return found;
      const grant = new provider.Grant({ accountId: account.accountId, clientId: client.clientId });
      grant.addOIDCScope([...oidc.requestParamOIDCScopes].join(' '));
      await grant.save();
      return grant;
    },
    pkce: { required: () => true },
    responseTypes: ['code', 'none'],
    rotateRefreshToken: () => true,
    scopes: ['openid', 'offline_access', 'profile', 'email', 'groups'],
    ttl: {
      AuthorizationCode: 60,
      AccessToken: hourSeconds,
      ClientCredentials: 600,
      IdToken: hourSeconds,
      Interaction: hourSeconds / 2,
      Grant: 30 * 24 * hourSeconds,
      RefreshToken: (ctx) => ctx.oidc.entities.RotatedRefreshToken?.remainingTTL ?? 30 * 24 * hourSeconds,
      Session: (_ctx, session) => remainingSessionSeconds((session as { loginTs?: number }).loginTs),
    },
  };
}

const subjectForEmail = (email: string) => createHash('sha256').update(email).digest('hex').slice(0, 32);

const provider = new Provider(issuer, await createConfiguration());
provider.on('server_error', (_ctx, fault) => process.stderr.write(`${fault.stack}\n`));
const app = new Koa();
app.silent = true;
app.keys = cookieKeys;
if (storage) app.use(storage.middleware);
app.use(await createBaselinePages(provider, subjectForEmail, threads));
app.use(compose(provider.middleware));
const handle = app.callback();
const server = createServer((request, response) => void handle(request, response));
server.listen(port, '127.0.0.1', () =>
  serveRequests(
    () => ({ ...(storage?.tally ?? { statements: 0, roundTrips: 0 }) }),
    async () => {
      server.closeAllConnections();
      await storage?.close();
    },
  ),
);
