import type { Context } from 'koa';
import type { User } from '../../users/users.ts';
import type { AuditEvent } from '../../audit/audit-log.ts';
import type { Origin } from '../../http/request-info.ts';
import type { Effect } from '../../db/effects.ts';
import type { CookieNames } from '../cookie-names.ts';
import type { StoredRecord, LoadedRecord, RecordLookup } from '../../sessions/records.ts';
import { hashRecordId } from '../../sessions/records.ts';
import type { RecordWrite } from '../../sessions/writes.ts';
import { toRecordName } from '../../sessions/writes.ts';

/** What one request has read and wants written. */
export interface RequestWork {
  /** By `toRecordName`, as it is by now: what it was when it was read, or what this request made of it. */
  read: Map<string, StoredRecord | undefined>;
  /** What is being read. */
  coming: Map<string, Promise<unknown>>;
  /** As it was read, for writes that depend on it: JSON. */
  base: Map<string, string>;
  /** Sessions by their public number. */
  sessions: Map<string, StoredRecord | undefined>;
  accounts: Map<string, User>;
  /** Sessions and device codes that were found otherwise have no identifier that could be presented: a placeholder. */
  placeholders: Map<string, Buffer>;
  /** What the request names besides, and will be asked for as well: read with the first of them. */
  named: readonly RecordLookup[];
  /** A token is asked about without a word of what kind it is. */
  anyToken: boolean;
  writes: RecordWrite[];
  /** What the audit is to say of it, written with the writes. */
  deeds: AuditEvent[];
  /** What is written besides, with the writes. */
  alongside: Effect[];
  after: (() => Promise<void>)[];
  /** Where this request comes from; undefined outside of one. */
  origin: Origin | undefined;
}

/** What a request says before anything is read: where it comes from, and what it names. */
export type RequestWorkInit = Pick<RequestWork, 'origin' | 'named' | 'anyToken'>;

export const createRequestWork = (init: RequestWorkInit): RequestWork => ({
  read: new Map(),
  coming: new Map(),
  base: new Map(),
  sessions: new Map(),
  accounts: new Map(),
  placeholders: new Map(),
  writes: [],
  deeds: [],
  alongside: [],
  after: [],
  ...init,
});

/** Keeps a record as it was read; what this request made of it meanwhile stays. */
function storeRecord(work: RequestWork, name: string, record: StoredRecord | undefined): void {
  if (work.read.has(name)) return;
  work.read.set(name, record);
  if (record) work.base.set(name, record.text);
}

/** Keeps what was read for this request: a record, and what it leads to, also where that is not there. */
export function storeReadResult(
  work: RequestWork,
  { model, key }: RecordLookup,
  seen: LoadedRecord | undefined,
): void {
  storeRecord(work, toRecordName(model, key), seen?.record);
  if (!seen) return;
  const { grant, session, sessionUid, account } = seen;
  if (account) work.accounts.set(account.id, account);
  if (grant) storeRecord(work, toRecordName('Grant', grant.key), grant);
  if (sessionUid !== undefined && !work.sessions.has(sessionUid)) work.sessions.set(sessionUid, session);
}

/** Paths that name an interaction, below which its pages are and where oidc-provider resumes it. */
const pathOfInteraction = /^\/(?:interaction|auth|device)\/([\w-]{20,60})(?:\/|$)/;

/** Tells what a request names before anything is read: its session, the interaction of its path, and who asks. */
export function beginnings({ session }: Pick<CookieNames, 'session'>): (ctx: Context) => RequestWorkInit {
  const namedBy = (ctx: Context): RecordLookup[] => {
    const { client_id: asked } = ctx.query;
    const clientId = typeof asked === 'string' ? asked : undefined;
    const cookie = ctx.cookies.get(session, { signed: false });
    const uid = pathOfInteraction.exec(ctx.path)?.[1];
    return [
      ...(cookie ? [{ model: 'Session', key: hashRecordId(cookie), clientId }] : []),
      ...(uid ? [{ model: 'Interaction', key: hashRecordId(uid), clientId }] : []),
    ];
  };
  return (ctx) => ({
    origin: ctx.state.origin,
    // Programs have none.
    named: ctx.headers.cookie === undefined ? [] : namedBy(ctx),
    anyToken: ctx.path === '/token/introspection' || ctx.path === '/token/revocation',
  });
}
