import type { Middleware } from 'koa';
import type { Provider } from 'oidc-provider';
import type { Settings } from '../config/settings.ts';
import type { Aftermath } from './security/user-changes.ts';
import type { Post } from './mail/outbox.ts';
import type { Deed } from './audit/audit-log.ts';
import type { Db } from './db/database.ts';
import type { Effect } from './db/effects.ts';
import type { SharedHasher } from './crypto/argon2.ts';
import type { Vault } from './crypto/encryption.ts';
import type { Kept } from './sessions/records.ts';

/** The files that pages refer to, read once at start; their addresses carry a hash and may be kept for ever. */
export interface Assets {
  url(name: string): string;
  serve: Middleware;
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
    interaction(uid: string): Promise<Kept | undefined>;
    bindInteraction(uid: string, binding: Buffer): void;
    endsInteraction(uid: string): boolean;
  };
  assets: Assets;
}
