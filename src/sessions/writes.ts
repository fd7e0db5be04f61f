import type { AuditEvent } from '../audit/audit-log.ts';

export type Payload = Record<string, unknown> & { consumed?: number | boolean };

/** Everything that a request wants written, in order, all or nothing. */
export type RecordWrite = Upsert | OneTimeWrite | { kind: 'revoke'; model: string; grantId: string };

/** A finished sign-in: whose, in which interaction, and when the factor was verified that opened it (milliseconds). */
export interface FinishedLogin {
  accountId: string;
  interaction: string;
  openedAt: number | undefined;
}

export interface Upsert {
  kind: 'upsert';
  model: string;
  key: Buffer;
  /** The payload as JSON: it is written, and seldom looked into. */
  text: string;
  expiresAt: Date;
  /** What the record was when this request read it, as JSON; undefined where it is a new one. */
  base: string | undefined;
  /** The hash of the sign-in cookie of a new interaction. It is written once; later saves leave it. */
  binding?: Buffer | undefined;
  login?: FinishedLogin | undefined;
}

interface KeyedWrite<Kind> {
  kind: Kind;
  model: string;
  key: Buffer;
  base: string | undefined;
}
/** What happens to a record once. */
export type OneTimeWrite = KeyedWrite<'consume'> | KeyedWrite<'destroy'>;

/** A payload anew from what is kept of it: nobody shares it. */
export const parsePayload = (text: string): Payload => JSON.parse(text) as Payload;

type Authorizations = Record<string, unknown>;
export const getAuthorizations = (payload: Payload | undefined) =>
  (payload?.authorizations ?? {}) as Authorizations;

/** What a request changed in a session's applications, so that two tabs do not overwrite each other's. */
export function diffAuthorizations(
  base: Payload | undefined,
  next: Payload,
): { set: Authorizations; gone: string[] } {
  const before = getAuthorizations(base);
  const after = getAuthorizations(next);
  const set = Object.entries(after).filter(
    ([id, value]) => JSON.stringify(value) !== JSON.stringify(before[id]),
  );
  return { set: Object.fromEntries(set), gone: Object.keys(before).filter((id) => !(id in after)) };
}

const issuedModels = new Set(['AuthorizationCode', 'AccessToken', 'RefreshToken', 'DeviceCode']);

/** Whether something is handed out that must not be when the session that it rests on has ended meanwhile. */
export const issuesTokens = (writes: readonly RecordWrite[]): boolean =>
  writes.some((write) => write.kind === 'upsert' && issuedModels.has(write.model));

/** Whether a session goes on under a new identifier, or begins. */
export const rotatesSession = (writes: readonly RecordWrite[]): boolean =>
  writes.some((write) => write.kind === 'upsert' && write.model === 'Session' && !write.base);

/**
 * The writes of one request that one statement can carry, beside those of other requests: at most one of them, the gate,
 * can come too late, and then nothing of this request is written.
 */
export interface RequestWrites {
  /**
   * The interaction that this request resumes. It is consumed before the gate is tried, so that a sign-in gives one
   * session and one code. Where the gate then fails, the interaction stays consumed and the browser starts again.
   */
  interaction: OneTimeWrite | undefined;
  /** The gate, where there is one. */
  gate: OneTimeWrite | Upsert | undefined;
  /** Sessions that were read and are saved, with what changed of their applications. */
  keeps: { write: Upsert; set: Authorizations }[];
  /** New records. `set`: of a session that moves, what it brings to the applications that it takes along. */
  puts: { write: Upsert; set: Authorizations | undefined }[];
  /** Records that go, whether they are there or not. */
  ends: OneTimeWrite[];
  deeds: readonly AuditEvent[];
}

export const toRecordName = (model: string, key: Buffer): string => `${model}:${key.toString('hex')}`;

/** What a piece touches: no two that touch the same record go in one statement. A session at the gate is among those kept. */
export const listTouchedRecords = ({ interaction, gate, keeps, puts, ends }: RequestWrites): string[] =>
  [
    ...(interaction ? [interaction] : []),
    ...(gate && gate.kind !== 'upsert' ? [gate] : []),
    ...keeps.map(({ write }) => write),
    ...puts.map(({ write }) => write),
    ...ends,
  ].map(({ model, key }) => toRecordName(model, key));

/** Of several times that a request saves a record the last counts, in the place of the first. */
function keepLastWrites(writes: readonly RecordWrite[]): RecordWrite[] {
  const last = new Map<string | RecordWrite, RecordWrite>();
  for (const write of writes)
    last.set(write.kind === 'upsert' ? toRecordName(write.model, write.key) : write, write);
  return [...last.values()];
}

/** A session that moves to a new identifier, for the same person and without losing an application. */
function carriedAuthorizations(gone: OneTimeWrite, landed: Upsert | undefined): Authorizations | undefined {
  if (!gone.base || !landed) return undefined;
  const before = parsePayload(gone.base);
  const after = parsePayload(landed.text);
  const { set, gone: lost } = diffAuthorizations(before, after);
  return before.accountId === after.accountId && lost.length === 0 ? set : undefined;
}

// What is saved by a question of its own, and not in one piece with others.
const needsOwnStatement = ({ model, base, login }: Upsert) =>
  login !== undefined || model === 'ReplayDetection' || (model === 'DeviceCode' && base !== undefined);

/** A finished sign-in, where a request writes nothing else of the provider's. */
export function findLoginWrite(
  all: readonly RecordWrite[],
): { write: Upsert; login: NonNullable<Upsert['login']> } | undefined {
  const [write, another] = keepLastWrites(all);
  return !another && write?.kind === 'upsert' && write.login ? { write, login: write.login } : undefined;
}

/**
 * Makes one piece of a request's writes, or answers undefined where they go by themselves: whatever tells applications
 * of an end, takes a person's turn, revokes a grant, or may be too late in two ways.
 */
export function combineWrites(
  all: readonly RecordWrite[],
  auditEvents: readonly AuditEvent[],
): RequestWrites | undefined {
  const writes = keepLastWrites(all);
  const requestWrites: RequestWrites = {
    interaction: undefined,
    gate: undefined,
    keeps: [],
    puts: [],
    ends: [],
    deeds: auditEvents,
  };
  const conditionalWrites: (OneTimeWrite | Upsert)[] = [];
  const issuing = issuesTokens(writes);
  const rotating = rotatesSession(writes);
  for (const write of writes) {
    if (write.kind === 'revoke') return undefined;
    if (write.kind === 'consume' && write.model === 'Interaction') requestWrites.interaction = write;
    else if (write.kind === 'consume') conditionalWrites.push(write);
    else if (write.kind === 'destroy') {
      if (write.model !== 'Session') requestWrites.ends.push(write);
      else if (rotating) conditionalWrites.push(write);
      else return undefined;
    } else if (needsOwnStatement(write)) return undefined;
    else if (write.model === 'Session' && write.base) {
      const { set, gone } = diffAuthorizations(parsePayload(write.base), parsePayload(write.text));
      if (gone.length > 0) return undefined;
      requestWrites.keeps.push({ write, set });
      if (issuing) conditionalWrites.push(write);
    } else requestWrites.puts.push({ write, set: undefined });
  }
  const [gate, second] = conditionalWrites;
  // What is saved of a session beside another gate would be saved although that one was shut.
  if (second || ((requestWrites.interaction || gate?.kind === 'consume') && requestWrites.keeps.length > 0))
    return undefined;
  requestWrites.gate = gate;
  if (gate?.kind === 'destroy') {
    const landed = requestWrites.puts.find(({ write }) => write.model === 'Session');
    const set = carriedAuthorizations(gate, landed?.write);
    if (!landed || !set) return undefined;
    landed.set = set;
  }
  const touched = listTouchedRecords(requestWrites);
  return new Set(touched).size === touched.length ? requestWrites : undefined;
}
