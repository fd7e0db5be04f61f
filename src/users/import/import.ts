import { randomUUID } from 'node:crypto';
import { invitationMail } from '../../mail/templates/operator.ts';
import type { EnqueueMail } from '../../mail/outbox.ts';
import { recordAuditEvent, recordAuditEvents } from '../../audit/audit-log.ts';
import type { Db } from '../../db/database.ts';
import type { Hasher } from '../../crypto/argon2.ts';
import { generateToken, sha256 } from '../../crypto/encryption.ts';
import { insertUsers, analyzeUsers, findTakenEmails } from '../users.ts';
import type { AttributeFaultCode } from '../attributes.ts';
import { addAttributes, isWithinValueLimit, validateAttributes } from '../attributes.ts';
import type { ClaimDefinition } from '../claim-definitions.ts';
import { listClaims } from '../claim-definitions.ts';
import type { AuditActor, Group } from '../groups.ts';
import { addMembers, createGroup, findGroup } from '../groups.ts';
import type { UserValues, ValueFault } from './user.ts';
import { validateUserValues } from './user.ts';
import type { UserField, FileFault, FileFormat, ParsedRow, RowFault } from './rows.ts';
import { readRows } from './rows.ts';

/** Why a row is not taken in; `email-taken` leaves the account that is there untouched. */
export type ImportFault =
  RowFault | ValueFault | AttributeFaultCode | 'no-such-group' | 'repeated-email' | 'email-taken';

/** A row that was not taken in: its number and why, and nothing of what stood in it. */
export interface RefusedRow {
  row: number;
  code: ImportFault;
  field?: UserField;
}

export interface ImportCounts {
  rows: number;
  created: number;
  /** Rows whose address somebody has already. */
  existing: number;
  refused: number;
}

export type ImportResult =
  | (ImportCounts & { dryRun: boolean; /** Whether it ended before the file did. */ stopped: boolean })
  | { fault: FileFault; column?: string };

export interface ImportOptions extends AuditActor {
  format?: FileFormat | undefined;
  /** Judges every row, and writes nothing. */
  dryRun?: boolean;
  /** Groups that are not there are made; otherwise their rows are refused. */
  createGroups?: boolean;
  /** Mails an invitation to whoever comes without a password. */
  invite?: EnqueueMail | undefined;
  /** Stops after the rows that were read already. */
  signal?: AbortSignal;
  onRefused?: (row: RefusedRow) => void;
  onProgress?: (counts: Readonly<ImportCounts>) => void;
}

/** One import on its way through a file. */
interface ImportRun {
  db: Db;
  hasher: Hasher;
  options: ImportOptions;
  counts: ImportCounts;
  refuse: (row: RefusedRow) => void;
  /** Digests of the addresses that stood in the file so far: some hundred bytes a row, the one thing that grows with it. */
  seen: Set<string>;
  groups: Map<string, Group | undefined>;
  /** The claims that there are, asked once. */
  claims: () => Promise<readonly ClaimDefinition[]>;
  /** The hash of a password that nobody knows, one for the whole file: a hundred thousand would take half an hour. */
  nobodys: () => Promise<string>;
}

type NumberedRow = Extract<ParsedRow, { row: number }>;
type PreparedUser = Omit<UserValues, 'attributes'> & {
  row: number;
  id: string;
  in: Group[];
  attributes: Record<string, string[]>;
};

/** Rows that one statement takes in. */
const batchSize = 500;

/** The group of that name; made where that was asked for. Undefined: its row is refused. */
async function findOrCreateGroup(
  { db, options, groups }: ImportRun,
  name: string,
): Promise<Group | undefined> {
  if (groups.has(name)) return groups.get(name);
  let group = await findGroup(db, { name });
  if (!group && options.createGroups) {
    if (options.dryRun) group = { id: '', name };
    else {
      const made = await createGroup(db, name, { by: options.by, origin: options.origin });
      group = 'group' in made ? made.group : await findGroup(db, { name });
    }
  }
  groups.set(name, group);
  return group;
}

/** A person whose address stands in the file for the first time, with the groups that the row names. */
async function prepareUser(
  course: ImportRun,
  row: number,
  values: UserValues,
): Promise<PreparedUser | RefusedRow> {
  const { seen } = course;
  const key = sha256(values.email).toString('base64url').slice(0, 20);
  if (seen.has(key)) return { row, code: 'repeated-email', field: 'email' };
  const groups: Group[] = [];
  for (const name of values.groups ?? []) {
    const group = await findOrCreateGroup(course, name);
    if (!group) return { row, code: 'no-such-group', field: 'groups' };
    groups.push(group);
  }
  const judged = values.attributes ? validateAttributes(await course.claims(), values.attributes) : undefined;
  if (judged && 'faults' in judged)
    return { row, code: judged.faults[0]?.code ?? 'attribute-malformed', field: 'attributes' };
  const attributes = judged?.attributes ?? {};
  if (!isWithinValueLimit(attributes)) return { row, code: 'attributes-too-many', field: 'attributes' };
  seen.add(key);
  return { ...values, row, id: randomUUID(), in: groups, attributes };
}

/** A row judged as far as that can be done without writing. */
async function validateRow(course: ImportRun, read: NumberedRow): Promise<PreparedUser | RefusedRow> {
  const { row } = read;
  if ('fault' in read) return { row, code: read.fault };
  const found = validateUserValues(read.values);
  return 'person' in found ? prepareUser(course, row, found.person) : { row, ...found };
}

/** Puts accounts, their groups, the audit and the mails into one transaction; answers with the numbers of those made. */
function insertBatch(
  { db, options }: ImportRun,
  arrivals: readonly PreparedUser[],
  unknownPasswordHash: string,
): Promise<Set<string>> {
  const { by, origin: requestInfo, invite } = options;
  const doer = { by, origin: requestInfo };
  // Always in one order: two imports of the same people at once wait for each other and never lock each other out.
  const sorted = arrivals.toSorted((one, other) => (one.email < other.email ? -1 : 1));
  return db.transaction(async (tx) => {
    const createdIds = await insertUsers(
      tx,
      sorted.map((one) => ({
        id: one.id,
        email: one.email,
        name: one.name,
        locale: one.locale ?? null,
        hash: one.password_hash ?? unknownPasswordHash,
        twoStepRequired: one.two_step_required ?? true,
        // Of an address with a password nobody knows whether it was ever proved; without one the mailbox is the way in.
        emailVerified: one.email_verified ?? one.password_hash === undefined,
        disabled: one.disabled ?? false,
        invited: one.password_hash === undefined,
      })),
    );
    const createdUsers = sorted.filter(({ id }) => createdIds.has(id));
    await recordAuditEvents(
      tx,
      createdUsers.map(({ id }) => ({
        event: 'account.created',
        accountId: id,
        ...doer,
        detail: { role: 'person', imported: true },
      })),
    );
    await addMembers(
      tx,
      createdUsers.flatMap((one) => one.in.map((group) => ({ accountId: one.id, group }))),
      doer,
    );
    await addAttributes(
      tx,
      createdUsers.map(({ id, attributes }) => ({ accountId: id, attributes })),
      doer,
    );
    for (const one of createdUsers.filter((each) => invite && !each.password_hash && !each.disabled)) {
      await invite?.(tx, { ...one, locale: one.locale }, 'invitation', (facts) =>
        invitationMail(facts, one.email),
      );
      await recordAuditEvent(tx, { event: 'account.invited', accountId: one.id, ...doer });
    }
    return createdIds;
  });
}

/** Whose address is free, asked without writing. */
async function findAvailable({ db }: ImportRun, arrivals: readonly PreparedUser[]): Promise<Set<string>> {
  const taken = await findTakenEmails(
    db,
    arrivals.map(({ email }) => email),
  );
  return new Set(arrivals.filter(({ email }) => !taken.has(email)).map(({ id }) => id));
}

async function processBatch(course: ImportRun, arrivals: readonly PreparedUser[]): Promise<void> {
  const { counts, options } = course;
  if (arrivals.length > 0) {
    const createdIds = options.dryRun
      ? await findAvailable(course, arrivals)
      : await insertBatch(course, arrivals, await course.nobodys());
    counts.created += createdIds.size;
    counts.existing += arrivals.length - createdIds.size;
    for (const { row, id } of arrivals)
      if (!createdIds.has(id)) options.onRefused?.({ row, code: 'email-taken', field: 'email' });
  }
  options.onProgress?.(counts);
}

function startRun(db: Db, hasher: Hasher, options: ImportOptions): ImportRun {
  const counts: ImportCounts = { rows: 0, created: 0, existing: 0, refused: 0 };
  let unknownPasswordHash: Promise<string> | undefined;
  let claims: Promise<readonly ClaimDefinition[]> | undefined;
  return {
    db,
    hasher,
    options,
    counts,
    refuse(row) {
      counts.refused += 1;
      options.onRefused?.(row);
    },
    seen: new Set(),
    groups: new Map(),
    claims: () => (claims ??= listClaims(db)),
    nobodys: () => (unknownPasswordHash ??= hasher.hash(generateToken())),
  };
}

/**
 * Takes accounts in from a file that comes in pieces, some hundred rows a transaction: what was written stays written
 * whatever comes after, and the same file once more takes in only what is missing. A bad row is told and passed over.
 * Password rules are not applied; a password's hash of another make is replaced at its owner's first sign-in. Nobody
 * gets a role here, and no enrolment window is opened: before a first phone the mailbox is asked.
 */
export async function importUsers(
  db: Db,
  hasher: Hasher,
  file: AsyncIterable<Uint8Array>,
  options: ImportOptions,
): Promise<ImportResult> {
  const course = startRun(db, hasher, options);
  const { counts, refuse } = course;
  let [waiting, stopped]: [PreparedUser[], boolean] = [[], false];
  for await (const read of readRows(file, options.format)) {
    if (!('row' in read)) return read;
    counts.rows += 1;
    const arrival = await validateRow(course, read);
    if ('code' in arrival) refuse(arrival);
    else waiting.push(arrival);
    stopped = options.signal?.aborted === true;
    if (stopped) break;
    if (waiting.length < batchSize && counts.rows % batchSize !== 0) continue;
    await processBatch(course, waiting);
    waiting = [];
  }
  await processBatch(course, waiting);
  const dryRun = options.dryRun === true;
  if (!dryRun) {
    const { by, origin: requestInfo } = options;
    await recordAuditEvent(db, {
      event: 'accounts.imported',
      by,
      origin: requestInfo,
      detail: { ...counts, stopped },
    });
    if (counts.created > batchSize) await analyzeUsers(db);
  }
  return { ...counts, dryRun, stopped };
}
