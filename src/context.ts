import type { Middleware } from 'koa';
import type { Provider } from 'oidc-provider';
import type { Settings } from '../config/settings.ts';
import type { UserChangeHooks } from './security/user-changes.ts';
import type { EnqueueMail } from './mail/outbox.ts';
import type { AuditEvent } from './audit/audit-log.ts';
import type { Db } from './db/database.ts';
import type { Effect } from './db/effects.ts';
import type { SharedHasher } from './crypto/argon2.ts';
import type { Encryption } from './crypto/encryption.ts';
import type { StoredRecord } from './sessions/records.ts';

/** The files that pages refer to, read once at start; their addresses carry a hash and may be kept for ever. */
export interface Assets {
  url(name: string): string;
  serve: Middleware;
}

/** What the roof hands to every page: nothing is reached in any other way. */
export interface AppContext {
  settings: Settings;
  db: Db;
  vault: Encryption;
  hasher: SharedHasher;
  post: EnqueueMail;
  aftermath: UserChangeHooks;
  provider: Provider;
  /** What a page wants written goes with what the provider writes in this request. */
  work: {
    alongside(effects: readonly Effect[], auditEvents: readonly AuditEvent[]): void;
    interaction(uid: string): Promise<StoredRecord | undefined>;
    bindInteraction(uid: string, binding: Buffer): void;
    endsInteraction(uid: string): boolean;
  };
  assets: Assets;
}
