import type { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import { errors, Provider } from 'oidc-provider';
import { describeUserAgent } from '../../users/devices.ts';
import type { Origin } from '../../http/request-info.ts';
import { mayBeUnstorable } from '../../db/database.ts';
import type { StoredRecord, LastSeen, LoadedRecord, RecordLookup } from '../../sessions/records.ts';
import { hashRecordId } from '../../sessions/records.ts';
import { isPastAbsoluteLimit } from '../../sessions/session-limits.ts';
import type { RequestWork } from './request-scope.ts';
import { storeReadResult } from './request-scope.ts';
import type { FinishedLogin, OneTimeWrite, Payload, RecordWrite } from '../../sessions/writes.ts';
import { toRecordName, parsePayload } from '../../sessions/writes.ts';

/** What an adapter needs of the storage. */
export interface RecordStorage {
  requests: AsyncLocalStorage<RequestWork>;
  /** Looks for records, in company of other requests. */
  look(wanted: readonly RecordLookup[]): Promise<(LoadedRecord | undefined)[]>;
  byUid(model: string, uid: string): Promise<StoredRecord | undefined>;
  byUserCode(hash: string): Promise<StoredRecord | undefined>;
  /** Writes at once, where there is no request. */
  write(write: RecordWrite): Promise<void>;
}

/** A person's code opens nothing without the person, and yet no copy of the database shall hold it. */
const hashUserCode = (userCode: string) => hashRecordId(userCode).toString('hex');

const withHashedUserCode = ({ userCode, ...rest }: Payload): Payload =>
  typeof userCode === 'string' ? { ...rest, uid: hashUserCode(userCode) } : rest;

/** A device code in a sign-in that its person began: known by the key of its row, which no device can present. */
const toPlaceholder = (key: Buffer) => `row:${key.toString('hex')}`;
const placeholderPattern = /^row:([0-9a-f]{64})$/;

/**
 * What is kept of a payload: not the cookie of the session it began in, nor its own identifier, except a grant's,
 * which nobody can present and which its tokens are found by when it is withdrawn.
 */
function toStoredPayload(model: string, payload: AdapterPayload): Payload {
  const { jti, ...others } = payload as Payload & { session?: Record<string, unknown> };
  if (model === 'DeviceCode') return withHashedUserCode(others);
  // The library stores a pushed request as a JWT alone. The client that pushed it may be disabled (RFC 9126 §2).
  if (model === 'PushedAuthorizationRequest')
    return { ...others, clientId: Provider.ctx?.oidc.client?.clientId };
  const rest = model === 'Grant' ? { ...others, jti } : others;
  if (!rest.session) return rest;
  const { cookie: _cookie, ...session } = rest.session;
  return { ...rest, session };
}

/** A signed-in session is saved by its own browser's requests alone: each leaves where and when it was last seen. */
function withLastSeen(model: string, payload: Payload, requestInfo: Origin | undefined): Payload {
  if (model !== 'Session' || !payload.accountId || !requestInfo) return payload;
  const { address, userAgent } = requestInfo;
  const place: LastSeen = {
    address,
    device: describeUserAgent(userAgent),
    at: Math.floor(Date.now() / 1000),
  };
  return { ...payload, place };
}

/** Whose sign-in this interaction has finished with; the question of consent that follows carries an old result. */
function getFinishedLogin(model: string, interaction: string, payload: Payload) {
  const { prompt, result } = payload as {
    prompt?: { name?: string };
    result?: { login?: Partial<FinishedLogin> };
  };
  const { accountId, openedAt } = result?.login ?? {};
  if (model !== 'Interaction' || prompt?.name !== 'login' || !accountId) return undefined;
  return { accountId, interaction, openedAt };
}

/** PostgreSQL keeps neither a NUL nor half a character; whoever sent one is told so before anything is written. */
function rejectUnstorable(text: string): void {
  if (!mayBeUnstorable(text)) return;
  JSON.parse(text, (_key, value: unknown) => {
    if (typeof value === 'string' && (value.includes('\0') || !value.isWellFormed())) {
      throw new errors.InvalidRequest('NUL and broken characters are not allowed');
    }
    return value;
  });
}

/** A record as the library has it. */
const toPayload = ({ text, consumed }: StoredRecord): Payload => {
  const payload = parsePayload(text);
  return consumed === undefined ? payload : { ...payload, consumed };
};

const isEndingWrite = (write: RecordWrite): write is OneTimeWrite =>
  write.kind === 'destroy' || write.kind === 'consume';

/** What cookies stand for, and are asked for one after the other. */
const cookieModels = new Set(['Session', 'Interaction']);
/** A token of a kind that nobody says is asked for as each of these, by one identifier. */
const tokenModels = ['AccessToken', 'ClientCredentials', 'RefreshToken'];

/** The adapter of one model, and its records as they are stored, also when they are consumed. */
export interface RecordAdapter extends Adapter {
  stored(id: string): Promise<StoredRecord | undefined>;
}

export function createAdapter(storage: RecordStorage, model: string): RecordAdapter {
  const { requests } = storage;
  const write = async (make: (work: RequestWork | undefined) => RecordWrite) => {
    const work = requests.getStore();
    if (work) work.writes.push(make(work));
    else await storage.write(make(undefined));
  };
  const keyFor = (id: string) => requests.getStore()?.placeholders.get(id) ?? hashRecordId(id);

  /** What this request will be asked for besides, and is read with the first of them. */
  const besides = (work: RequestWork, key: Buffer): readonly RecordLookup[] => {
    if (cookieModels.has(model)) return work.named;
    if (!work.anyToken || !tokenModels.includes(model)) return [];
    return tokenModels.map((kind) => ({ model: kind, key, clientId: undefined }));
  };
  const read = async (work: RequestWork, key: Buffer) => {
    const name = toRecordName(model, key);
    const more = besides(work, key);
    const isNew = (one: string) => !work.read.has(one) && !work.coming.has(one);
    const wanted = [
      more.find((one) => toRecordName(one.model, one.key) === name) ?? { model, key, clientId: undefined },
      ...more.filter(
        (one) => toRecordName(one.model, one.key) !== name && isNew(toRecordName(one.model, one.key)),
      ),
    ];
    const looking = storage.look(wanted);
    for (const one of wanted) work.coming.set(toRecordName(one.model, one.key), looking);
    const found = await looking;
    for (const [at, one] of wanted.entries()) storeReadResult(work, one, found[at]);
  };
  const load = async (key: Buffer): Promise<StoredRecord | undefined> => {
    const work = requests.getStore();
    if (!work) return (await storage.look([{ model, key, clientId: undefined }]))[0]?.record;
    const name = toRecordName(model, key);
    if (!work.read.has(name)) await (work.coming.get(name) ?? read(work, key));
    const found = work.read.get(name);
    if (model === 'Interaction' && found?.text.includes('"deviceCode"')) {
      const { deviceCode } = parsePayload(found.text) as { deviceCode?: string };
      const row = placeholderPattern.exec(deviceCode ?? '')?.[1];
      // Only in a request that comes with this sign-in's own cookie.
      if (deviceCode && row) work.placeholders.set(deviceCode, Buffer.from(row, 'hex'));
    }
    return found;
  };
  return {
    async upsert(id, payload, expiresIn) {
      if (expiresIn === undefined) throw new Error(`${model} would live for ever`);
      const key = keyFor(id);
      const name = toRecordName(model, key);
      const work = requests.getStore();
      const value = withLastSeen(model, toStoredPayload(model, payload), work?.origin);
      const text = JSON.stringify(value);
      rejectUnstorable(text);
      const expiresAt = new Date(Date.now() + expiresIn * 1000);
      const before = work?.read.get(name)?.text;
      work?.read.set(name, { ...work.read.get(name), key, text });
      // A device code is written as it was before this very write; others go by what the request began with.
      const base = model === 'DeviceCode' ? before : work?.base.get(name);
      const login = getFinishedLogin(model, id, value);
      await write(() => ({ kind: 'upsert', model, key, text, expiresAt, base, login }));
    },
    async find(id) {
      const found = await load(keyFor(id));
      // An interaction is consumed when it ends; its row stays for requests that come late with its cookie.
      if (!found || (model === 'Interaction' && found.consumed !== undefined)) return undefined;
      const payload = toPayload(found);
      return isPastAbsoluteLimit(payload.loginTs) ? undefined : { ...payload, jti: id };
    },
    async findByUid(uid) {
      const work = requests.getStore();
      const found = work?.sessions.has(uid) ? work.sessions.get(uid) : await storage.byUid(model, uid);
      if (!found) return undefined;
      const name = toRecordName(model, found.key);
      // A session that this request ended or changed already is what it made of it.
      if (work?.read.has(name) && work.read.get(name) === undefined) return undefined;
      const payload = toPayload(work?.read.get(name) ?? found);
      if (isPastAbsoluteLimit(payload.loginTs)) return undefined;
      const placeholder = randomUUID();
      work?.placeholders.set(placeholder, found.key);
      if (!work?.base.has(name)) work?.base.set(name, found.text);
      return { ...payload, jti: placeholder };
    },
    async findByUserCode(userCode) {
      const work = requests.getStore();
      const found = await storage.byUserCode(hashUserCode(userCode));
      if (!found) return undefined;
      const placeholder = toPlaceholder(found.key);
      work?.placeholders.set(placeholder, found.key);
      work?.read.set(toRecordName(model, found.key), found);
      return { ...toPayload(found), userCode, jti: placeholder };
    },
    async consume(id) {
      const key = keyFor(id);
      const name = toRecordName(model, key);
      const work = requests.getStore();
      const known = work?.read.get(name);
      if (known) work?.read.set(name, { ...known, consumed: Math.floor(Date.now() / 1000) });
      await write(() => ({ kind: 'consume', model, key, base: work?.base.get(name) }));
    },
    async destroy(id) {
      const key = keyFor(id);
      const name = toRecordName(model, key);
      const work = requests.getStore();
      // A session that moves and is saved once more ends under its old identifier twice: it was there the first time.
      if (work?.writes.some((one) => isEndingWrite(one) && one.model === model && one.key.equals(key)))
        return;
      work?.read.set(name, undefined);
      // The end of an interaction is the gate of what it led to: of several that resume it one does.
      const kind = model === 'Interaction' ? 'consume' : 'destroy';
      await write(() => ({ kind, model, key, base: work?.base.get(name) }));
    },
    stored: (id) => load(keyFor(id)),
    revokeByGrantId: (grantId) => write(() => ({ kind: 'revoke', model, grantId })),
  };
}
