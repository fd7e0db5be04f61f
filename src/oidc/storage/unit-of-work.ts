import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context, Middleware } from 'koa';
import type { Adapter } from 'oidc-provider';
import type { User } from '../../users/users.ts';
import { findUserById } from '../../users/users.ts';
import type { AuditEvent } from '../../audit/audit-log.ts';
import {
  recordAuditEvent,
  recordAuditEvents,
  auditTopic,
  recordAuditEventsEffect,
} from '../../audit/audit-log.ts';
import type { Db } from '../../db/database.ts';
import { retryOnDeadlock } from '../../db/deadlocks.ts';
import type { Effect } from '../../db/effects.ts';
import { applyEffects } from '../../db/effects.ts';
import { createBatcher } from '../../db/batch.ts';
import { signInValidPrecondition } from '../../security/verified-factors.ts';
import { createAdapter } from './adapter.ts';
import type { CookieNames } from '../cookie-names.ts';
import { toReplayedProofError } from '../dpop.ts';
import type { StoredRecord, RecordLookup } from '../../sessions/records.ts';
import {
  hashRecordId,
  ConflictError,
  readRecords,
  findRecordByUid,
  findRecordByUserCode,
  saveRecordEffect,
  revokeGrant,
  writeInTransaction,
  writeBatch,
} from '../../sessions/records.ts';
import type { RequestWork } from './request-scope.ts';
import { beginnings, createRequestWork } from './request-scope.ts';
import type { OneTimeWrite, RequestWrites, Upsert, RecordWrite } from '../../sessions/writes.ts';
import { findLoginWrite, combineWrites, listTouchedRecords } from '../../sessions/writes.ts';

/**
 * One request, one unit of work. The provider reads its own writes, keeps what it read for the length of the request,
 * and everything that it wants written goes at once after the last handler and before the answer: on success and on 4xx
 * alike, since refusals revoke things too. So a code is never consumed without its tokens existing, and two requests that
 * spend one thing are told apart by the database. Requests that come together share a statement, and nothing else.
 */
export interface UnitOfWork {
  middleware: Middleware;
  adapter: (model: string) => Adapter;
  /** An interaction as it is stored, also one that has ended; `binding` is the hash of the cookie that holds it. */
  interaction(uid: string): Promise<StoredRecord | undefined>;
  /** Has an interaction that this request creates held by the cookie with that hash. */
  bindInteraction(uid: string, binding: Buffer): void;
  /** Whether this request has ended an interaction. */
  endsInteraction(uid: string): boolean;
  /** The account with that number, as this request has read it already, or as it is now. */
  account(id: string): Promise<User | undefined>;
  /** Has the audit say something of this request: with its writes, if they happen. */
  note(deed: AuditEvent): void;
  /** Writes something else with this request's writes, and has the audit say so: all of it happens, or nothing. */
  alongside(effects: readonly Effect[], auditEvents: readonly AuditEvent[]): void;
  /** Runs once this request's writes are committed, or at once outside a request. */
  afterCommit(deed: () => Promise<void>): void;
  /** Waits until all that was to be written behind answers is. */
  settled(): Promise<void>;
}

/** Batches of this many at most: a statement that carries more waits longer than it saves. */
const batchLimits = { most: 24, abreast: 1 };

// Other faults are the connection's: whether it was written is not known, and asking again would be no answer.
const isStatementError = (fault: unknown) =>
  /^(?!08|53|57P|58)[0-9A-Z]{5}$/.test((fault as { code?: string }).code ?? '');

/** A finished sign-in, and what else is written of it. */
type FinishedSignIn = NonNullable<ReturnType<typeof findLoginWrite>>;
type PendingWrites = Pick<RequestWork, 'writes' | 'deeds' | 'alongside'>;

/** How a request's writes and words get into the database. */
function createFlush(db: Db): (work: PendingWrites) => Promise<void> {
  const write = createBatcher((pieces: readonly RequestWrites[]) => writeBatch(db, pieces), {
    ...batchLimits,
    touches: listTouchedRecords,
  });
  const effects = ({ deeds: auditEvents, alongside }: PendingWrites) => [
    ...alongside,
    ...(auditEvents.length > 0 ? [recordAuditEventsEffect(auditEvents)] : []),
  ];
  const alone = (work: PendingWrites) =>
    retryOnDeadlock(() =>
      db.transaction(async (tx) => {
        await writeInTransaction(tx, work.writes);
        const besides = effects(work);
        if (besides.length > 0) await applyEffects(tx, besides);
      }),
    );
  const finish = async ({ write: record, login }: FinishedSignIn, work: PendingWrites) => {
    const gate = signInValidPrecondition(login.accountId, login.interaction, login.openedAt);
    const stands = await retryOnDeadlock(() =>
      applyEffects(db, [saveRecordEffect(record), ...effects(work)], gate),
    );
    if (!stands) throw new ConflictError('Interaction', undefined);
  };
  return async (work) => {
    const finished = findLoginWrite(work.writes);
    if (finished) return finish(finished, work);
    const piece = work.alongside.length > 0 ? undefined : combineWrites(work.writes, work.deeds);
    if (!piece) return alone(work);
    const passed = await write(piece).catch((fault: unknown) => {
      if (!isStatementError(fault)) throw fault;
      // One of several in the statement, perhaps this one: by itself it fails for its own fault only.
      return alone(work).then(() => 'said' as const);
    });
    if (passed === true && work.deeds.length > 0) await db.announce(auditTopic, work.deeds);
    const { interaction, gate } = piece;
    if (passed) return;
    if (interaction) throw new ConflictError('Interaction', undefined);
    if (gate) throw new ConflictError(gate.model, gate.kind === 'upsert' ? gate.text : gate.base);
  };
}

declare module 'koa' {
  interface DefaultState {
    /** Another request ended the interaction of this one first; nothing was written. */
    interactionConflict?: boolean;
  }
}

/** The standard's word for having been overtaken, by what was being used. */
const conflictResponses: Record<string, { error: string; status: number }> = {
  AuthorizationCode: { error: 'invalid_grant', status: 400 },
  RefreshToken: { error: 'invalid_grant', status: 400 },
  DeviceCode: { error: 'invalid_grant', status: 400 },
  PushedAuthorizationRequest: { error: 'invalid_request_uri', status: 400 },
  ReplayDetection: { error: 'invalid_client', status: 401 },
};

/** Takes back everything that the answer said: it was written for a commit that did not happen. */
function clearResponse(ctx: Context): void {
  for (const name of ['Location', 'Set-Cookie', 'Content-Type', 'ETag']) ctx.remove(name);
  ctx.body = null;
}

function respondConflict(ctx: Context, fault: ConflictError): void {
  clearResponse(ctx);
  // Another request ended the interaction first, or what it rests on was voided: a changed password, a disabled account.
  if (fault.model === 'Interaction') {
    ctx.state.interactionConflict = true;
    ctx.status = 303;
    ctx.redirect(ctx.path.replace(/^(\/interaction\/[^/]+).*$/, '$1'));
    return;
  }
  const proof = fault.model === 'ReplayDetection' ? toReplayedProofError(ctx) : undefined;
  const refusal = proof ?? conflictResponses[fault.model];
  if (!refusal) return ctx.throw(409, 'session-ended');
  ctx.set('Cache-Control', 'no-store');
  if (fault.model === 'PushedAuthorizationRequest') return ctx.throw(400, 'invalid_request_uri');
  ctx.status = refusal.status;
  ctx.body = { error: refusal.error, error_description: 'it was used already' };
}

/** Milliseconds that a word about a token may be behind it, where nothing else of the token is written. */
const auditDelayMs = 100;

/**
 * Words that no answer waits for: a token that is kept nowhere was given, and nothing else is written of it. They go
 * together every tenth of a second; a process that is killed takes those of that time with it.
 */
function createAuditBuffer(db: Db, onFault: (fault: unknown) => void) {
  let waiting: AuditEvent[] = [];
  let timer: NodeJS.Timeout | undefined;
  let last = Promise.resolve();
  const say = () => {
    clearTimeout(timer);
    timer = undefined;
    const auditEvents = waiting;
    waiting = [];
    last = last.then(() => recordAuditEvents(db, auditEvents)).catch(onFault);
    return last;
  };
  return {
    note(auditEvents: readonly AuditEvent[]) {
      waiting.push(...auditEvents);
      timer ??= setTimeout(() => void say(), auditDelayMs);
    },
    settled: say,
  };
}

const isInteractionWrite = ({ model, key }: Upsert | OneTimeWrite, uid: string) =>
  model === 'Interaction' && key.equals(hashRecordId(uid));

export function createUnitOfWork(
  db: Db,
  names: Pick<CookieNames, 'session'>,
  onFault: (fault: unknown) => void,
): UnitOfWork {
  const requests = new AsyncLocalStorage<RequestWork>();
  const runAfterCommit = (work: RequestWork) => Promise.all(work.after.map((deed) => deed().catch(onFault)));
  const parseRequest = beginnings(names);
  const flush = createFlush(db);
  const auditBuffer = createAuditBuffer(db, onFault);
  const storage = {
    requests,
    look: batchReads(db),
    byUid: (model: string, uid: string) => findRecordByUid(db, model, uid),
    byUserCode: (hash: string) => findRecordByUserCode(db, hash),
    write: (write: RecordWrite) => flush({ writes: [write], deeds: [], alongside: [] }),
  };

  const middleware: Middleware = async (ctx, next) => {
    const work = createRequestWork(parseRequest(ctx));
    await requests.run(work, next);
    try {
      const { writes, deeds: auditEvents, alongside } = work;
      const nothing = writes.length === 0 && alongside.length === 0;
      if (!nothing || auditEvents.some(({ event }) => event !== 'token.issued')) await flush(work);
      else if (auditEvents.length > 0) auditBuffer.note(auditEvents);
    } catch (fault) {
      if (!(fault instanceof ConflictError)) {
        clearResponse(ctx);
        throw fault;
      }
      if (fault.grantId && conflictResponses[fault.model]?.error === 'invalid_grant') {
        const { grantId } = fault;
        await retryOnDeadlock(() => revokeGrant(db, grantId));
      }
      respondConflict(ctx, fault);
      return;
    }
    await runAfterCommit(work);
  };

  return {
    middleware,
    adapter: (model) => createAdapter(storage, model),
    interaction: (uid) => createAdapter(storage, 'Interaction').stored(uid),
    bindInteraction(uid, binding) {
      for (const write of requests.getStore()?.writes ?? [])
        if (write.kind === 'upsert' && isInteractionWrite(write, uid)) write.binding = binding;
    },
    endsInteraction: (uid) =>
      requests
        .getStore()
        ?.writes.some((write) => write.kind === 'consume' && isInteractionWrite(write, uid)) ?? false,
    async account(id) {
      return requests.getStore()?.accounts.get(id) ?? findUserById(db, id);
    },
    note(deed) {
      const work = requests.getStore();
      if (work) work.deeds.push(deed);
      else recordAuditEvent(db, deed).catch(onFault);
    },
    alongside(effects, auditEvents) {
      const work = requests.getStore();
      if (!work) throw new Error('there is no request that this could go along with');
      work.alongside.push(...effects);
      work.deeds.push(...auditEvents);
    },
    afterCommit(deed) {
      const work = requests.getStore();
      if (work) work.after.push(deed);
      else deed().catch(onFault);
    },
    settled: auditBuffer.settled,
  };
}

/** Looks for records in company of other requests; each asker's stay together. */
function batchReads(db: Db) {
  return createBatcher(
    async (askers: readonly (readonly RecordLookup[])[]) => {
      const found = await readRecords(db, askers.flat());
      let from = 0;
      return askers.map(({ length }) => found.slice(from, (from += length)));
    },
    { ...batchLimits, abreast: 2 },
  );
}
