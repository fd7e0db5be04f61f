import type { Provider } from 'oidc-provider';
import type { Settings } from '../../config/settings.ts';
import type { Aftermath } from '../../src/platform/aftermath.ts';
import type { Post } from '../../src/mail/outbox.ts';
import type { Deed } from '../../src/platform/audit.ts';
import type { Db } from '../../src/platform/database.ts';
import type { Effect } from '../../src/platform/effects.ts';
import type { SharedHasher } from '../../src/platform/hashing.ts';
import type { Vault } from '../../src/platform/secrets.ts';
import type { Assets } from './assets.ts';

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
