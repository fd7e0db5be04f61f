import type { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import { errors, Provider } from 'oidc-provider';
import { deviceLabel } from '../../users/devices.ts';
import type { Origin } from '../../http/request-info.ts';
import { mayBeUnkept } from '../../db/database.ts';
import type { Kept, Place, Seen, Wanted } from '../../sessions/records.ts';
import { keyOf } from '../../sessions/records.ts';
import { dayIsOver } from '../../sessions/session-limits.ts';
import type { Work } from './request-scope.ts';
import { keepSeen } from './request-scope.ts';
import type { FinishedLogin, Once, Payload, Write } from '../../sessions/writes.ts';
import { nameOf, payloadOf } from '../../sessions/writes.ts';

/** What an adapter needs of the storage. */
export interface Storage {
  requests: AsyncLocalStorage<Work>;
  /** Looks for records, in company of other requests. */
  look(wanted: readonly Wanted[]): Promise<(Seen | undefined)[]>;
  byUid(model: string, uid: string): Promise<Kept | undefined>;
  byUserCode(hash: string): Promise<Kept | undefined>;
  /** Writes at once, where there is no request. */
  write(write: Write): Promise<void>;
}

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
  // The library stores a pushed request as a JWT alone. The client that pushed it may be disabled (RFC 9126 §2).
  if (model === 'PushedAuthorizationRequest')
    return { ...others, clientId: Provider.ctx?.oidc.client?.clientId };
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
    result?: { login?: Partial<FinishedLogin> };
  };
  const { accountId, openedAt } = result?.login ?? {};
  if (model !== 'Interaction' || prompt?.name !== 'login' || !accountId) return undefined;
  return { accountId, interaction, openedAt };
}

/** PostgreSQL keeps neither a NUL nor half a character; whoever sent one is told so before anything is written. */
function refuseUnkept(text: string): void {
  if (!mayBeUnkept(text)) return;
  JSON.parse(text, (_key, value: unknown) => {
    if (typeof value === 'string' && (value.includes('\0') || !value.isWellFormed())) {
      throw new errors.InvalidRequest('NUL and broken characters are not allowed');
    }
    return value;
  });
}

/** A record as the library has it. */
const shown = ({ text, consumed }: Kept): Payload => {
  const payload = payloadOf(text);
  return consumed === undefined ? payload : { ...payload, consumed };
};

const isEnd = (write: Write): write is Once => write.kind === 'destroy' || write.kind === 'consume';

/** What cookies stand for, and are asked for one after the other. */
const ofCookies = new Set(['Session', 'Interaction']);
/** A token of a kind that nobody says is asked for as each of these, by one identifier. */
const ofTokens = ['AccessToken', 'ClientCredentials', 'RefreshToken'];

/** The adapter of one model, and its records as they are stored, also when they are consumed. */
export interface RecordAdapter extends Adapter {
  stored(id: string): Promise<Kept | undefined>;
}

export function adapterOf(storage: Storage, model: string): RecordAdapter {
  const { requests } = storage;
  const write = async (make: (work: Work | undefined) => Write) => {
    const work = requests.getStore();
    if (work) work.writes.push(make(work));
    else await storage.write(make(undefined));
  };
  const keyFor = (id: string) => requests.getStore()?.placeholders.get(id) ?? keyOf(id);

  /** What this request will be asked for besides, and is read with the first of them. */
  const besides = (work: Work, key: Buffer): readonly Wanted[] => {
    if (ofCookies.has(model)) return work.named;
    if (!work.anyToken || !ofTokens.includes(model)) return [];
    return ofTokens.map((kind) => ({ model: kind, key, clientId: undefined }));
  };
  const read = async (work: Work, key: Buffer) => {
    const name = nameOf(model, key);
    const more = besides(work, key);
    const isNew = (one: string) => !work.read.has(one) && !work.coming.has(one);
    const wanted = [
      more.find((one) => nameOf(one.model, one.key) === name) ?? { model, key, clientId: undefined },
      ...more.filter((one) => nameOf(one.model, one.key) !== name && isNew(nameOf(one.model, one.key))),
    ];
    const looking = storage.look(wanted);
    for (const one of wanted) work.coming.set(nameOf(one.model, one.key), looking);
    const found = await looking;
    for (const [at, one] of wanted.entries()) keepSeen(work, one, found[at]);
  };
  const load = async (key: Buffer): Promise<Kept | undefined> => {
    const work = requests.getStore();
    if (!work) return (await storage.look([{ model, key, clientId: undefined }]))[0]?.record;
    const name = nameOf(model, key);
    if (!work.read.has(name)) await (work.coming.get(name) ?? read(work, key));
    const found = work.read.get(name);
    if (model === 'Interaction' && found?.text.includes('"deviceCode"')) {
      const { deviceCode } = payloadOf(found.text) as { deviceCode?: string };
      const row = keyOfPlaceholder.exec(deviceCode ?? '')?.[1];
      // Only in a request that comes with this sign-in's own cookie.
      if (deviceCode && row) work.placeholders.set(deviceCode, Buffer.from(row, 'hex'));
    }
    return found;
  };
  return {
    async upsert(id, payload, expiresIn) {
      if (expiresIn === undefined) throw new Error(`${model} would live for ever`);
      const key = keyFor(id);
      const name = nameOf(model, key);
      const work = requests.getStore();
      const value = seen(model, kept(model, payload), work?.origin);
      const text = JSON.stringify(value);
      refuseUnkept(text);
      const expiresAt = new Date(Date.now() + expiresIn * 1000);
      const before = work?.read.get(name)?.text;
      work?.read.set(name, { ...work.read.get(name), key, text });
      // A device code is written as it was before this very write; others go by what the request began with.
      const base = model === 'DeviceCode' ? before : work?.base.get(name);
      const login = loginOf(model, id, value);
      await write(() => ({ kind: 'upsert', model, key, text, expiresAt, base, login }));
    },
    async find(id) {
      const found = await load(keyFor(id));
      // An interaction is consumed when it ends; its row stays for requests that come late with its cookie.
      if (!found || (model === 'Interaction' && found.consumed !== undefined)) return undefined;
      const payload = shown(found);
      return dayIsOver(payload.loginTs) ? undefined : { ...payload, jti: id };
    },
    async findByUid(uid) {
      const work = requests.getStore();
      const found = work?.sessions.has(uid) ? work.sessions.get(uid) : await storage.byUid(model, uid);
      if (!found) return undefined;
      const name = nameOf(model, found.key);
      // A session that this request ended or changed already is what it made of it.
      if (work?.read.has(name) && work.read.get(name) === undefined) return undefined;
      const payload = shown(work?.read.get(name) ?? found);
      if (dayIsOver(payload.loginTs)) return undefined;
      const placeholder = randomUUID();
      work?.placeholders.set(placeholder, found.key);
      if (!work?.base.has(name)) work?.base.set(name, found.text);
      return { ...payload, jti: placeholder };
    },
    async findByUserCode(userCode) {
      const work = requests.getStore();
      const found = await storage.byUserCode(hashOf(userCode));
      if (!found) return undefined;
      const placeholder = placeholderOf(found.key);
      work?.placeholders.set(placeholder, found.key);
      work?.read.set(nameOf(model, found.key), found);
      return { ...shown(found), userCode, jti: placeholder };
    },
    async consume(id) {
      const key = keyFor(id);
      const name = nameOf(model, key);
      const work = requests.getStore();
      const known = work?.read.get(name);
      if (known) work?.read.set(name, { ...known, consumed: Math.floor(Date.now() / 1000) });
      await write(() => ({ kind: 'consume', model, key, base: work?.base.get(name) }));
    },
    async destroy(id) {
      const key = keyFor(id);
      const name = nameOf(model, key);
      const work = requests.getStore();
      // A session that moves and is saved once more ends under its old identifier twice: it was there the first time.
      if (work?.writes.some((one) => isEnd(one) && one.model === model && one.key.equals(key))) return;
      work?.read.set(name, undefined);
      // The end of an interaction is the gate of what it led to: of several that resume it one does.
      const kind = model === 'Interaction' ? 'consume' : 'destroy';
      await write(() => ({ kind, model, key, base: work?.base.get(name) }));
    },
    stored: (id) => load(keyFor(id)),
    revokeByGrantId: (grantId) => write(() => ({ kind: 'revoke', model, grantId })),
  };
}
