import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context, Middleware } from 'koa';
import type { Adapter } from 'oidc-provider';
import type { Account } from '../../users/users.ts';
import { accountById } from '../../users/users.ts';
import type { Deed } from '../../audit/audit-log.ts';
import { audit, auditAll, auditTopic, deedsAudited } from '../../audit/audit-log.ts';
import type { Db } from '../../db/database.ts';
import { retryOnDeadlock } from '../../db/deadlocks.ts';
import type { Effect } from '../../db/effects.ts';
import { writeAtOnce } from '../../db/effects.ts';
import { gathered } from '../../db/batch.ts';
import { signInStands } from '../../security/verified-factors.ts';
import { adapterOf } from './adapter.ts';
import type { CookieNames } from '../cookie-names.ts';
import { repeatedProof } from '../dpop.ts';
import type { Kept, Wanted } from '../../sessions/records.ts';
import {
  keyOf,
  Overtaken,
  readRecords,
  recordByUid,
  recordByUserCode,
  recordSaved,
  revokeGrant,
  writeAll,
  writeTogether,
} from '../../sessions/records.ts';
import type { Work } from './request-scope.ts';
import { beginnings, newWork } from './request-scope.ts';
import type { Once, Piece, Upsert, Write } from '../../sessions/writes.ts';
import { loginOf, pieceOf, touchedBy } from '../../sessions/writes.ts';

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
  interaction(uid: string): Promise<Kept | undefined>;
  /** Has an interaction that this request creates held by the cookie with that hash. */
  bindInteraction(uid: string, binding: Buffer): void;
  /** Whether this request has ended an interaction. */
  endsInteraction(uid: string): boolean;
  /** The account with that number, as this request has read it already, or as it is now. */
  account(id: string): Promise<Account | undefined>;
  /** Has the audit say something of this request: with its writes, if they happen. */
  note(deed: Deed): void;
  /** Writes something else with this request's writes, and has the audit say so: all of it happens, or nothing. */
  alongside(effects: readonly Effect[], deeds: readonly Deed[]): void;
  /** Runs once this request's writes are committed, or at once outside a request. */
  afterCommit(deed: () => Promise<void>): void;
  /** Waits until all that was to be written behind answers is. */
  settled(): Promise<void>;
}

/** Batches of this many at most: a statement that carries more waits longer than it saves. */
const company = { most: 24, abreast: 1 };

// Other faults are the connection's: whether it was written is not known, and asking again would be no answer.
const isFaultOfStatement = (fault: unknown) =>
  /^(?!08|53|57P|58)[0-9A-Z]{5}$/.test((fault as { code?: string }).code ?? '');

/** A finished sign-in, and what else is written of it. */
type Finished = NonNullable<ReturnType<typeof loginOf>>;
type Flushed = Pick<Work, 'writes' | 'deeds' | 'alongside'>;

/** How a request's writes and words get into the database. */
function flusher(db: Db): (work: Flushed) => Promise<void> {
  const write = gathered((pieces: readonly Piece[]) => writeTogether(db, pieces), {
    ...company,
    touches: touchedBy,
  });
  const effects = ({ deeds, alongside }: Flushed) => [
    ...alongside,
    ...(deeds.length > 0 ? [deedsAudited(deeds)] : []),
  ];
  const alone = (work: Flushed) =>
    retryOnDeadlock(() =>
      db.transaction(async (open) => {
        await writeAll(open, work.writes);
        const besides = effects(work);
        if (besides.length > 0) await writeAtOnce(open, besides);
      }),
    );
  const finish = async ({ write: record, login }: Finished, work: Flushed) => {
    const gate = signInStands(login.accountId, login.interaction, login.openedAt);
    const stands = await retryOnDeadlock(() =>
      writeAtOnce(db, [recordSaved(record), ...effects(work)], gate),
    );
    if (!stands) throw new Overtaken('Interaction', undefined);
  };
  return async (work) => {
    const finished = loginOf(work.writes);
    if (finished) return finish(finished, work);
    const piece = work.alongside.length > 0 ? undefined : pieceOf(work.writes, work.deeds);
    if (!piece) return alone(work);
    const passed = await write(piece).catch((fault: unknown) => {
      if (!isFaultOfStatement(fault)) throw fault;
      // One of several in the statement, perhaps this one: by itself it fails for its own fault only.
      return alone(work).then(() => 'said' as const);
    });
    if (passed === true && work.deeds.length > 0) await db.announce(auditTopic, work.deeds);
    const { interaction, gate } = piece;
    if (passed) return;
    if (interaction) throw new Overtaken('Interaction', undefined);
    if (gate) throw new Overtaken(gate.model, gate.kind === 'upsert' ? gate.text : gate.base);
  };
}

declare module 'koa' {
  interface DefaultState {
    /** Another request ended the interaction of this one first; nothing was written. */
    interactionConflict?: boolean;
  }
}

/** The standard's word for having been overtaken, by what was being used. */
const refusals: Record<string, { error: string; status: number }> = {
  AuthorizationCode: { error: 'invalid_grant', status: 400 },
  RefreshToken: { error: 'invalid_grant', status: 400 },
  DeviceCode: { error: 'invalid_grant', status: 400 },
  PushedAuthorizationRequest: { error: 'invalid_request_uri', status: 400 },
  ReplayDetection: { error: 'invalid_client', status: 401 },
};

/** Takes back everything that the answer said: it was written for a commit that did not happen. */
function replaceAnswer(ctx: Context): void {
  for (const name of ['Location', 'Set-Cookie', 'Content-Type', 'ETag']) ctx.remove(name);
  ctx.body = null;
}

function refuse(ctx: Context, fault: Overtaken): void {
  replaceAnswer(ctx);
  // Another request ended the interaction first, or what it rests on was voided: a changed password, a disabled account.
  if (fault.model === 'Interaction') {
    ctx.state.interactionConflict = true;
    ctx.status = 303;
    ctx.redirect(ctx.path.replace(/^(\/interaction\/[^/]+).*$/, '$1'));
    return;
  }
  const proof = fault.model === 'ReplayDetection' ? repeatedProof(ctx) : undefined;
  const refusal = proof ?? refusals[fault.model];
  if (!refusal) return ctx.throw(409, 'session-ended');
  ctx.set('Cache-Control', 'no-store');
  if (fault.model === 'PushedAuthorizationRequest') return ctx.throw(400, 'invalid_request_uri');
  ctx.status = refusal.status;
  ctx.body = { error: refusal.error, error_description: 'it was used already' };
}

/** Milliseconds that a word about a token may be behind it, where nothing else of the token is written. */
const behind = 100;

/**
 * Words that no answer waits for: a token that is kept nowhere was given, and nothing else is written of it. They go
 * together every tenth of a second; a process that is killed takes those of that time with it.
 */
function wordsBehind(db: Db, onFault: (fault: unknown) => void) {
  let waiting: Deed[] = [];
  let timer: NodeJS.Timeout | undefined;
  let last = Promise.resolve();
  const say = () => {
    clearTimeout(timer);
    timer = undefined;
    const deeds = waiting;
    waiting = [];
    last = last.then(() => auditAll(db, deeds)).catch(onFault);
    return last;
  };
  return {
    note(deeds: readonly Deed[]) {
      waiting.push(...deeds);
      timer ??= setTimeout(() => void say(), behind);
    },
    settled: say,
  };
}

const isInteraction = ({ model, key }: Upsert | Once, uid: string) =>
  model === 'Interaction' && key.equals(keyOf(uid));

export function unitOfWork(
  db: Db,
  names: Pick<CookieNames, 'session'>,
  onFault: (fault: unknown) => void,
): UnitOfWork {
  const requests = new AsyncLocalStorage<Work>();
  const settle = (work: Work) => Promise.all(work.after.map((deed) => deed().catch(onFault)));
  const beginningOf = beginnings(names);
  const flush = flusher(db);
  const words = wordsBehind(db, onFault);
  const storage = {
    requests,
    look: gatheredReads(db),
    byUid: (model: string, uid: string) => recordByUid(db, model, uid),
    byUserCode: (hash: string) => recordByUserCode(db, hash),
    write: (write: Write) => flush({ writes: [write], deeds: [], alongside: [] }),
  };

  const middleware: Middleware = async (ctx, next) => {
    const work = newWork(beginningOf(ctx));
    await requests.run(work, next);
    try {
      const { writes, deeds, alongside } = work;
      const nothing = writes.length === 0 && alongside.length === 0;
      if (!nothing || deeds.some(({ event }) => event !== 'token.issued')) await flush(work);
      else if (deeds.length > 0) words.note(deeds);
    } catch (fault) {
      if (!(fault instanceof Overtaken)) {
        replaceAnswer(ctx);
        throw fault;
      }
      if (fault.grantId && refusals[fault.model]?.error === 'invalid_grant') {
        const { grantId } = fault;
        await retryOnDeadlock(() => revokeGrant(db, grantId));
      }
      refuse(ctx, fault);
      return;
    }
    await settle(work);
  };

  return {
    middleware,
    adapter: (model) => adapterOf(storage, model),
    interaction: (uid) => adapterOf(storage, 'Interaction').stored(uid),
    bindInteraction(uid, binding) {
      for (const write of requests.getStore()?.writes ?? [])
        if (write.kind === 'upsert' && isInteraction(write, uid)) write.binding = binding;
    },
    endsInteraction: (uid) =>
      requests.getStore()?.writes.some((write) => write.kind === 'consume' && isInteraction(write, uid)) ??
      false,
    async account(id) {
      return requests.getStore()?.accounts.get(id) ?? accountById(db, id);
    },
    note(deed) {
      const work = requests.getStore();
      if (work) work.deeds.push(deed);
      else audit(db, deed).catch(onFault);
    },
    alongside(effects, deeds) {
      const work = requests.getStore();
      if (!work) throw new Error('there is no request that this could go along with');
      work.alongside.push(...effects);
      work.deeds.push(...deeds);
    },
    afterCommit(deed) {
      const work = requests.getStore();
      if (work) work.after.push(deed);
      else deed().catch(onFault);
    },
    settled: words.settled,
  };
}

/** Looks for records in company of other requests; each asker's stay together. */
function gatheredReads(db: Db) {
  return gathered(
    async (askers: readonly (readonly Wanted[])[]) => {
      const found = await readRecords(db, askers.flat());
      let from = 0;
      return askers.map(({ length }) => found.slice(from, (from += length)));
    },
    { ...company, abreast: 2 },
  );
}
