import type { Context } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Settings } from '../../config/settings.ts';
import type { ClientCache } from '../clients/cache.ts';
import type { Encryption } from '../crypto/encryption.ts';
import type { Db } from '../db/database.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import type { ClaimCache } from './claims/claim-cache.ts';
import type { DevicePages } from './device-flow.ts';
import type { ProviderKeys } from './keys/keys.ts';
import type { UnitOfWork } from './storage/unit-of-work.ts';

/** The pages that oidc-provider asks for. They are handed in, since only `interactions/` renders HTML. */
export interface ProviderPages {
  problem(ctx: Context, code: string, description: string | undefined): void;
  signOut(ctx: KoaContextWithOIDC, form: { action: string; xsrf: string }): Promise<void>;
  signedOut(ctx: KoaContextWithOIDC): Promise<void>;
  device: DevicePages;
}

/** What the provider is made of. */
export interface ProviderDependencies {
  db: Db;
  vault: Encryption;
  settings: Settings;
  keys: ProviderKeys;
  work: UnitOfWork;
  pages: ProviderPages;
  book: ClaimCache;
  clients: ClientCache;
  tracing: Tracing;
}
