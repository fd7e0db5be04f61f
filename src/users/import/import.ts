import { randomUUID } from 'node:crypto';
import { invitation } from '../../mail/templates/operator.ts';
import type { Post } from '../../mail/outbox.ts';
import { audit, auditAll } from '../../audit/audit-log.ts';
import type { Db } from '../../db/database.ts';
import type { Hasher } from '../../crypto/argon2.ts';
import { randomToken, sha256 } from '../../crypto/encryption.ts';
import { addAccounts, analyseAccounts, takenAddresses } from '../users.ts';
import type { AttributeFaultCode } from '../attributes.ts';
import { addAttributes, fitTogether, judgeAttributes } from '../attributes.ts';
import type { ClaimDefinition } from '../claim-definitions.ts';
import { listClaims } from '../claim-definitions.ts';
import type { Doer, Group } from '../groups.ts';
import { addMembers, createGroup, groupBy } from '../groups.ts';
import type { Person, ValueFault } from './user.ts';
import { judgePerson } from './user.ts';
import type { Field, FileFault, Format, ReadRow, RowFault } from './rows.ts';
import { rowsOf } from './rows.ts';

/** Why a row is not taken in; `email-taken` leaves the account that is there untouched. */
export type ImportFault =
  RowFault | ValueFault | AttributeFaultCode | 'no-such-group' | 'repeated-email' | 'email-taken';

/** A row that was not taken in: its number and why, and nothing of what stood in it. */
export interface RefusedRow {
  row: number;
  code: ImportFault;
  field?: Field;
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

export interface ImportOptions extends Doer {
  format?: Format | undefined;
  /** Judges every row, and writes nothing. */
  dryRun?: boolean;
  /** Groups that are not there are made; otherwise their rows are refused. */
  createGroups?: boolean;
  /** Mails an invitation to whoever comes without a password. */
  invite?: Post | undefined;
  /** Stops after the rows that were read already. */
  signal?: AbortSignal;
  onRefused?: (row: RefusedRow) => void;
  onProgress?: (counts: Readonly<ImportCounts>) => void;
}

/** One import on its way through a file. */
interface Course {
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

type Row = Extract<ReadRow, { row: number }>;
type Arrival = Omit<Person, 'attributes'> & {
  row: number;
  id: string;
  in: Group[];
  attributes: Record<string, string[]>;
};

/** Rows that one statement takes in. */
const batchRows = 500;

/** The group of that name; made where that was asked for. Undefined: its row is refused. */
async function groupOf({ db, options, groups }: Course, name: string): Promise<Group | undefined> {
  if (groups.has(name)) return groups.get(name);
  let group = await groupBy(db, { name });
  if (!group && options.createGroups) {
    if (options.dryRun) group = { id: '', name };
    else {
      const made = await createGroup(db, name, { by: options.by, origin: options.origin });
      group = 'group' in made ? made.group : await groupBy(db, { name });
    }
  }
  groups.set(name, group);
  return group;
}

/** A person whose address stands in the file for the first time, with the groups that the row names. */
async function arrivalOf(course: Course, row: number, person: Person): Promise<Arrival | RefusedRow> {
  const { seen } = course;
  const key = sha256(person.email).toString('base64url').slice(0, 20);
  if (seen.has(key)) return { row, code: 'repeated-email', field: 'email' };
  const groups: Group[] = [];
  for (const name of person.groups ?? []) {
    const group = await groupOf(course, name);
    if (!group) return { row, code: 'no-such-group', field: 'groups' };
    groups.push(group);
  }
  const judged = person.attributes ? judgeAttributes(await course.claims(), person.attributes) : undefined;
  if (judged && 'faults' in judged)
    return { row, code: judged.faults[0]?.code ?? 'attribute-malformed', field: 'attributes' };
  const attributes = judged?.attributes ?? {};
  if (!fitTogether(attributes)) return { row, code: 'attributes-too-many', field: 'attributes' };
  seen.add(key);
  return { ...person, row, id: randomUUID(), in: groups, attributes };
}

/** A row judged as far as that can be done without writing. */
async function judged(course: Course, read: Row): Promise<Arrival | RefusedRow> {
  const { row } = read;
  if ('fault' in read) return { row, code: read.fault };
  const found = judgePerson(read.values);
  return 'person' in found ? arrivalOf(course, row, found.person) : { row, ...found };
}

/** Puts accounts, their groups, the audit and the mails into one transaction; answers with the numbers of those made. */
function write({ db, options }: Course, arrivals: readonly Arrival[], nobodys: string): Promise<Set<string>> {
  const { by, origin, invite } = options;
  const doer = { by, origin };
  // Always in one order: two imports of the same people at once wait for each other and never lock each other out.
  const sorted = arrivals.toSorted((one, other) => (one.email < other.email ? -1 : 1));
  return db.transaction(async (open) => {
    const made = await addAccounts(
      open,
      sorted.map((one) => ({
        id: one.id,
        email: one.email,
        name: one.name,
        locale: one.locale ?? null,
        hash: one.password_hash ?? nobodys,
        twoStepRequired: one.two_step_required ?? true,
        // Of an address with a password nobody knows whether it was ever proved; without one the mailbox is the way in.
        emailVerified: one.email_verified ?? one.password_hash === undefined,
        disabled: one.disabled ?? false,
        invited: one.password_hash === undefined,
      })),
    );
    const here = sorted.filter(({ id }) => made.has(id));
    await auditAll(
      open,
      here.map(({ id }) => ({
        event: 'account.created',
        accountId: id,
        ...doer,
        detail: { role: 'person', imported: true },
      })),
    );
    await addMembers(
      open,
      here.flatMap((one) => one.in.map((group) => ({ accountId: one.id, group }))),
      doer,
    );
    await addAttributes(
      open,
      here.map(({ id, attributes }) => ({ accountId: id, attributes })),
      doer,
    );
    for (const one of here.filter((each) => invite && !each.password_hash && !each.disabled)) {
      await invite?.(open, { ...one, locale: one.locale }, 'invitation', (facts) =>
        invitation(facts, one.email),
      );
      await audit(open, { event: 'account.invited', accountId: one.id, ...doer });
    }
    return made;
  });
}

/** Whose address is free, asked without writing. */
async function free({ db }: Course, arrivals: readonly Arrival[]): Promise<Set<string>> {
  const taken = await takenAddresses(
    db,
    arrivals.map(({ email }) => email),
  );
  return new Set(arrivals.filter(({ email }) => !taken.has(email)).map(({ id }) => id));
}

async function takeIn(course: Course, arrivals: readonly Arrival[]): Promise<void> {
  const { counts, options } = course;
  if (arrivals.length > 0) {
    const made = options.dryRun
      ? await free(course, arrivals)
      : await write(course, arrivals, await course.nobodys());
    counts.created += made.size;
    counts.existing += arrivals.length - made.size;
    for (const { row, id } of arrivals)
      if (!made.has(id)) options.onRefused?.({ row, code: 'email-taken', field: 'email' });
  }
  options.onProgress?.(counts);
}

function begun(db: Db, hasher: Hasher, options: ImportOptions): Course {
  const counts: ImportCounts = { rows: 0, created: 0, existing: 0, refused: 0 };
  let nobodys: Promise<string> | undefined;
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
    nobodys: () => (nobodys ??= hasher.hash(randomToken())),
  };
}

/**
 * Takes accounts in from a file that comes in pieces, some hundred rows a transaction: what was written stays written
 * whatever comes after, and the same file once more takes in only what is missing. A bad row is told and passed over.
 * Password rules are not applied; a password's hash of another make is replaced at its owner's first sign-in. Nobody
 * gets a role here, and no enrolment window is opened: before a first phone the mailbox is asked.
 */
export async function importAccounts(
  db: Db,
  hasher: Hasher,
  file: AsyncIterable<Uint8Array>,
  options: ImportOptions,
): Promise<ImportResult> {
  const course = begun(db, hasher, options);
  const { counts, refuse } = course;
  let [waiting, stopped]: [Arrival[], boolean] = [[], false];
  for await (const read of rowsOf(file, options.format)) {
    if (!('row' in read)) return read;
    counts.rows += 1;
    const arrival = await judged(course, read);
    if ('code' in arrival) refuse(arrival);
    else waiting.push(arrival);
    stopped = options.signal?.aborted === true;
    if (stopped) break;
    if (waiting.length < batchRows && counts.rows % batchRows !== 0) continue;
    await takeIn(course, waiting);
    waiting = [];
  }
  await takeIn(course, waiting);
  const dryRun = options.dryRun === true;
  if (!dryRun) {
    const { by, origin } = options;
    await audit(db, { event: 'accounts.imported', by, origin, detail: { ...counts, stopped } });
    if (counts.created > batchRows) await analyseAccounts(db);
  }
  return { ...counts, dryRun, stopped };
}
