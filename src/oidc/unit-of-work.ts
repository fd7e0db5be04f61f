import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { Context, Middleware } from 'koa';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import { errors } from 'oidc-provider';
import { deviceLabel } from '../accounts/devices.ts';
import type { Origin } from '../platform/audit.ts';
import type { Db } from '../platform/database.ts';
import { repeatedProof } from './dpop.ts';
import type { Payload, Place, Write } from './records.ts';
import {
  keyOf,
  Overtaken,
  recordByKey,
  recordByUid,
  recordByUserCode,
  revokeGrant,
  writeAll,
} from './records.ts';
import { dayIsOver } from './session-limits.ts';

/**
 * One request, one unit of work. The provider reads its own writes, keeps what it read for the length of the
 * request, and everything that it wants written goes in one transaction after the last handler and before the
 * answer: on success and on 4xx alike, since refusals revoke things too. So a code is never consumed without its
 * tokens existing, and two requests that spend one thing are told apart by the database.
 */
interface Work {
  read: Map<string, { key: Buffer; payload: Payload } | undefined>;
  /** As it was read, for writes that depend on it. */
  base: Map<string, Payload>;
  /** Sessions and device codes that were found otherwise have no identifier that could be presented: a placeholder. */
  placeholders: Map<string, Buffer>;
  writes: Write[];
  after: (() => Promise<void>)[];
  /** Where this request comes from; undefined outside of one. */
  origin: Origin | undefined;
}

export interface UnitOfWork {
  middleware: Middleware;
  adapter: (model: string) => Adapter;
  /** Runs once this request's writes are committed, or at once outside a request. Audit rows and counters go here. */
  afterCommit(deed: () => Promise<void>): void;
}

const newWork = (origin?: Origin): Work => ({
  read: new Map(),
  base: new Map(),
  placeholders: new Map(),
  writes: [],
  after: [],
  origin,
});

const nameOf = (model: string, key: Buffer) => `${model}:${key.toString('hex')}`;

/** A person's code opens nothing without the person, and yet no copy of the database shall hold it. */
const hashOf = (userCode: string) => keyOf(userCode).toString('hex');

const hashed = ({ userCode, ...rest }: Payload): Payload =>
  typeof userCode === 'string' ? { ...rest, uid: hashOf(userCode) } : rest;

/** A device code in a sign-in that its person began: known by the key of its row, which no device can present. */
const placeholderOf = (key: Buffer) => `row:${key.toString('hex')}`;
const keyOfPlaceholder = /^row:([0-9a-f]{64})$/;

/**
 * What is kept of a payload: not the cookie of the session it began in, nor its own identifier, except a grant's,
 * which nobody can present and which its tokens are found by when it is withdrawn.
 */
function kept(model: string, payload: AdapterPayload): Payload {
  const { jti, ...others } = payload as Payload & { session?: Record<string, unknown> };
  if (model === 'DeviceCode') return hashed(others);
  const rest = model === 'Grant' ? { ...others, jti } : others;
  if (!rest.session) return rest;
  const { cookie: _cookie, ...session } = rest.session;
  return { ...rest, session };
}

/** A signed-in session is saved by its own browser's requests alone: each leaves where and when it was last seen. */
function seen(model: string, payload: Payload, origin: Origin | undefined): Payload {
  if (model !== 'Session' || !payload.accountId || !origin) return payload;
  const { address, userAgent } = origin;
  const place: Place = { address, device: deviceLabel(userAgent), at: Math.floor(Date.now() / 1000) };
  return { ...payload, place };
}

/** Whose sign-in this interaction has finished with; the question of consent that follows carries an old result. */
function loginOf(model: string, interaction: string, payload: Payload) {
  const { prompt, result } = payload as {
    prompt?: { name?: string };
    result?: { login?: { accountId?: string } };
  };
  const accountId = result?.login?.accountId;
  if (model !== 'Interaction' || prompt?.name !== 'login' || !accountId) return undefined;
  return { accountId, interaction };
}

/** PostgreSQL keeps neither a NUL nor half a character; whoever sent one is told so before anything is written. */
function refuseUnkept(payload: Payload): void {
  JSON.stringify(payload, (_key, value: unknown) => {
    if (typeof value === 'string' && (value.includes('\0') || !value.isWellFormed())) {
      throw new errors.InvalidRequest('NUL and broken characters are not allowed');
    }
    return value;
  });
}

/** How often a deadlock's loser tries again; each time it finds more rows settled. */
const tries = 5;

async function settled(run: () => Promise<void>): Promise<void> {
  for (let turn = 1; ; turn += 1) {
    try {
      return await run();
    } catch (fault) {
      const lost = ['40P01', '40001'].includes((fault as { code?: string }).code ?? '');
      if (!lost || turn === tries) throw fault;
    }
  }
}

const flush = (db: Db, writes: readonly Write[]) =>
  settled(() => db.transaction((open) => writeAll(open, writes)));

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
  const proof = fault.model === 'ReplayDetection' ? repeatedProof(ctx) : undefined;
  const refusal = proof ?? refusals[fault.model];
  if (!refusal) return ctx.throw(409, 'session-ended');
  ctx.set('Cache-Control', 'no-store');
  if (fault.model === 'PushedAuthorizationRequest') return ctx.throw(400, 'invalid_request_uri');
  ctx.status = refusal.status;
  ctx.body = { error: refusal.error, error_description: 'it was used already' };
}

export function unitOfWork(db: Db, onFault: (fault: unknown) => void): UnitOfWork {
  const storage = new AsyncLocalStorage<Work>();
  const settle = (work: Work) => Promise.all(work.after.map((deed) => deed().catch(onFault)));

  const middleware: Middleware = async (ctx, next) => {
    const work = newWork(ctx.state.origin);
    await storage.run(work, next);
    try {
      if (work.writes.length > 0) await flush(db, work.writes);
    } catch (fault) {
      if (!(fault instanceof Overtaken)) {
        replaceAnswer(ctx);
        throw fault;
      }
      if (fault.grantId && refusals[fault.model]?.error === 'invalid_grant') {
        const { grantId } = fault;
        await settled(() => revokeGrant(db, grantId));
      }
      refuse(ctx, fault);
      return;
    }
    await settle(work);
  };

  return {
    middleware,
    adapter: (model) => adapterOf(db, storage, model),
    afterCommit(deed) {
      const work = storage.getStore();
      if (work) work.after.push(deed);
      else deed().catch(onFault);
    },
  };
}

function adapterOf(db: Db, storage: AsyncLocalStorage<Work>, model: string): Adapter {
  const write = async (make: (work: Work) => Write) => {
    const work = storage.getStore();
    if (work) work.writes.push(make(work));
    else await db.transaction(async (open) => writeAll(open, [make(newWork())]));
  };
  const keyFor = (id: string) => storage.getStore()?.placeholders.get(id) ?? keyOf(id);
  const load = async (key: Buffer) => {
    const work = storage.getStore();
    const name = nameOf(model, key);
    if (work?.read.has(name)) return work.read.get(name);
    const found = await recordByKey(db, model, key);
    work?.read.set(name, found);
    if (found) work?.base.set(name, structuredClone(found.payload));
    const { deviceCode } = (model === 'Interaction' && found ? found.payload : {}) as { deviceCode?: string };
    const row = keyOfPlaceholder.exec(deviceCode ?? '')?.[1];
    // Only in a request that comes with this sign-in's own cookie.
    if (deviceCode && row) work?.placeholders.set(deviceCode, Buffer.from(row, 'hex'));
    return found;
  };
  return {
    async upsert(id, payload, expiresIn) {
      if (expiresIn === undefined) throw new Error(`${model} would live for ever`);
      const key = keyFor(id);
      const name = nameOf(model, key);
      const value = structuredClone(seen(model, kept(model, payload), storage.getStore()?.origin));
      refuseUnkept(value);
      const expiresAt = new Date(Date.now() + expiresIn * 1000);
      const before = storage.getStore()?.read.get(name)?.payload;
      storage.getStore()?.read.set(name, { key, payload: value });
      await write((work) => ({
        kind: 'upsert',
        model,
        key,
        payload: value,
        expiresAt,
        // A device code is written as it was before this very write; others go by what the request began with.
        base: model === 'DeviceCode' ? before : work.base.get(name),
        login: loginOf(model, id, value),
      }));
    },
    async find(id) {
      const found = await load(keyFor(id));
      if (!found || dayIsOver(found.payload.loginTs)) return undefined;
      return { ...structuredClone(found.payload), jti: id };
    },
    async findByUid(uid) {
      const work = storage.getStore();
      const found = await recordByUid(db, model, uid);
      if (!found || dayIsOver(found.payload.loginTs)) return undefined;
      const name = nameOf(model, found.key);
      // A session that this request ended or changed already is what it made of it.
      if (work?.read.has(name) && work.read.get(name) === undefined) return undefined;
      const placeholder = randomUUID();
      work?.placeholders.set(placeholder, found.key);
      if (!work?.base.has(name)) work?.base.set(name, structuredClone(found.payload));
      return { ...structuredClone(work?.read.get(name)?.payload ?? found.payload), jti: placeholder };
    },
    async findByUserCode(userCode) {
      const work = storage.getStore();
      const found = await recordByUserCode(db, hashOf(userCode));
      if (!found) return undefined;
      const placeholder = placeholderOf(found.key);
      work?.placeholders.set(placeholder, found.key);
      work?.read.set(nameOf(model, found.key), found);
      return { ...structuredClone(found.payload), userCode, jti: placeholder };
    },
    async consume(id) {
      const key = keyFor(id);
      const name = nameOf(model, key);
      const known = storage.getStore()?.read.get(name);
      if (known) known.payload.consumed = Math.floor(Date.now() / 1000);
      await write((work) => ({ kind: 'consume', model, key, base: work.base.get(name) }));
    },
    async destroy(id) {
      const key = keyFor(id);
      const name = nameOf(model, key);
      const work = storage.getStore();
      // A session that moves and is saved once more ends under its old identifier twice: it was there the first time.
      if (work?.writes.some((one) => one.kind === 'destroy' && one.model === model && one.key.equals(key)))
        return;
      work?.read.set(name, undefined);
      await write(({ base }) => ({ kind: 'destroy', model, key, base: base.get(name) }));
    },
    revokeByGrantId: (grantId) => write(() => ({ kind: 'revoke', model, grantId })),
  };
}
