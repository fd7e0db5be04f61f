import type { Provider } from 'oidc-provider';
import type { Settings } from '../config/settings.ts';
import type { Aftermath } from './users/user-changes.ts';
import type { Post } from './mail/outbox.ts';
import type { Deed } from './audit/audit-log.ts';
import type { Db } from './db/database.ts';
import type { Effect } from './db/effects.ts';
import type { SharedHasher } from './crypto/argon2.ts';
import type { Vault } from './crypto/encryption.ts';
import type { Assets } from '../interactions/ui/assets.ts';

/** An interaction as it is stored: its payload as JSON, and the hashes of the cookie values that hold and held it. */
export interface StoredInteraction {
  key: Buffer;
  text: string;
  consumed?: number;
  binding?: Buffer | undefined;
  previousBinding?: Buffer | undefined;
}

/** What the roof hands to every page: nothing is reached in any other way. */
export interface House {
  settings: Settings;
  db: Db;
  vault: Vault;
  hasher: SharedHasher;
  post: Post;
  aftermath: Aftermath;
  provider: Provider;
  /** What a page wants written goes with what the provider writes in this request. */
  work: {
    alongside(effects: readonly Effect[], deeds: readonly Deed[]): void;
    interaction(uid: string): Promise<StoredInteraction | undefined>;
    bindInteraction(uid: string, binding: Buffer): void;
    endsInteraction(uid: string): boolean;
  };
  assets: Assets;
}
