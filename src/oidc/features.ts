import type { Client, Configuration, KoaContextWithOIDC } from 'oidc-provider';
import { canUseClient } from '../clients/access.ts';
import type { Db } from '../db/database.ts';
import { configureDeviceFlow } from './device-flow.ts';
import { configureDpop } from './dpop.ts';
import type { ProviderDependencies } from './provider-dependencies.ts';
import { createResourceResolver, findTokenClient } from './resource-access.ts';
import type { UnitOfWork } from './storage/unit-of-work.ts';

/** The features of oidc-provider that are on, with their policies. */
export function buildFeatures({
  db,
  vault: encryption,
  settings,
  work: unitOfWork,
  pages,
  clients: clientCache,
}: ProviderDependencies): Configuration['features'] {
  return {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: createIntrospectionPolicy(db, unitOfWork) },
    revocation: { enabled: true, allowedPolicy: canRevoke },
    userinfo: { enabled: true },
    claimsParameter: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    dPoP: configureDpop(encryption),
    deviceFlow: configureDeviceFlow(db, unitOfWork, pages),
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: createResourceResolver(clientCache, settings.HEMMA_ISSUER),
    },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      async logoutSource(ctx) {
        const action = ctx.oidc.urlFor('end_session_confirm');
        const { secret } = (ctx.oidc.session?.state ?? {}) as { secret: string };
        await pages.signOut(ctx, { action, xsrf: secret });
      },
      postLogoutSuccessSource: (ctx) => pages.signedOut(ctx),
    },
  };
}

/**
 * A client may ask about its own tokens only (RFC 7662 §4: no scanning, no learning of others' people), or about those for
 * the resource server that it is the door of; and those of an account that was disabled are dead.
 */
function createIntrospectionPolicy(db: Db, unitOfWork: UnitOfWork) {
  return async (
    ctx: KoaContextWithOIDC,
    client: Client,
    token: Parameters<typeof findTokenClient>[2] & { accountId?: unknown },
  ): Promise<boolean> => {
    const holder = await findTokenClient(ctx, client, token);
    if (client.clientAuthMethod === 'none' || !holder) return false;
    if (typeof token.accountId !== 'string') return true;
    const account = await unitOfWork.account(token.accountId);
    return account !== undefined && !account.disabledAt && canUseClient(db, holder, account.id);
  };
}

/** A client revokes its own tokens only (RFC 7009 §2.1); of others it learns nothing. */
const canRevoke = (
  _ctx: KoaContextWithOIDC,
  client: { clientId: string },
  token: { clientId?: string | undefined },
): boolean => client.clientId === token.clientId;
