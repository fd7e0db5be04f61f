import { recordAuditEvent } from '../audit/audit-log.ts';
import { formatCsvLine } from './import/csv.ts';
import type { Db } from '../db/database.ts';
import type { UserWithHash } from './users.ts';
import { countUsers, listUsersWithHash } from './users.ts';
import { serializeAttributes, findAttributesOfUsers } from './attributes.ts';
import { listClaims } from './claim-definitions.ts';
import type { AuditActor } from './groups.ts';
import { listUserGroupNames } from './groups.ts';
import type { UserField, FileFormat } from './import/rows.ts';
import { userFields } from './import/rows.ts';

export interface ExportOptions extends AuditActor {
  format: FileFormat;
  /** The hashes of passwords leave too: whoever has the file can guess at them at leisure. */
  withHashes: boolean;
}

/** An account as a file has it: the fields that an import reads, by their names there. */
type ExportedUser = Partial<
  Record<UserField, string | boolean | readonly string[] | SerializedAttributes | null>
>;
type SerializedAttributes = ReturnType<typeof serializeAttributes>;

const pageSize = 500;

function toExportedUser(
  account: UserWithHash,
  groups: readonly string[],
  attributes: SerializedAttributes,
  withHashes: boolean,
): ExportedUser {
  return {
    email: account.email,
    name: account.name,
    locale: account.locale,
    role: account.role,
    two_step_required: account.twoStepRequired,
    email_verified: account.emailVerified,
    disabled: account.disabled,
    groups,
    attributes,
    // Where an invitation waits nobody has a password: taken in elsewhere, it waits there.
    ...(withHashes ? { password_hash: account.invited ? null : account.hash } : {}),
  };
}

/** Pages by address: memory holds one, whatever the file's length. */
async function* readUserPages(db: Db, withHashes: boolean): AsyncGenerator<ExportedUser[]> {
  const claims = await listClaims(db);
  for (let after = ''; ;) {
    const page = await listUsersWithHash(db, after, pageSize);
    const ids = page.map(({ id }) => id);
    const groups = await listUserGroupNames(db, ids);
    const attributes = await findAttributesOfUsers(db, ids);
    yield page.map((account) => {
      const written = serializeAttributes(claims, attributes.get(account.id) ?? {});
      return toExportedUser(account, groups.get(account.id) ?? [], written, withHashes);
    });
    const last = page.at(-1);
    if (!last || page.length < pageSize) return;
    after = last.email;
  }
}

/** Names with `|` between; a JSON list where one of them could be read as something else. */
function formatGroupsCell(names: readonly string[]): string {
  const plain = names.every((name) => !name.includes('|')) && !names[0]?.startsWith('[');
  return plain ? names.join('|') : JSON.stringify(names);
}

/** As JSON, which is one line and begins with a bracket; nothing where there is nothing. */
const formatAttributesCell = (attributes: SerializedAttributes): string =>
  Object.keys(attributes).length > 0 ? JSON.stringify(attributes) : '';

/** A row stays one line: an import tells rows by their lines. */
const toOneLine = (value: unknown): unknown =>
  typeof value === 'string' ? value.replaceAll(/[\r\n]+/g, ' ') : value;

async function* generateCsv(db: Db, withHashes: boolean): AsyncGenerator<string> {
  const columns = userFields.filter((field) => withHashes || field !== 'password_hash');
  // The mark tells spreadsheets that the text is UTF-8.
  yield `\uFEFF${formatCsvLine(columns)}`;
  for await (const page of readUserPages(db, withHashes)) {
    const lines = page.map((account) =>
      formatCsvLine(
        columns.map((column) => {
          const value = account[column];
          if (column === 'attributes') return formatAttributesCell(value as SerializedAttributes);
          return toOneLine(Array.isArray(value) ? formatGroupsCell(value as string[]) : value);
        }),
      ),
    );
    yield lines.join('');
  }
}

async function* generateJson(db: Db, withHashes: boolean): AsyncGenerator<string> {
  let separator = '[\n';
  for await (const page of readUserPages(db, withHashes)) {
    let text = '';
    for (const account of page) {
      text += separator + JSON.stringify(account);
      separator = ',\n';
    }
    yield text;
  }
  yield separator === '[\n' ? '[]\n' : '\n]\n';
}

/**
 * Every account as CSV or JSON that an import reads, a page at a time, in the order of addresses. Roles are named, and no
 * import gives them; authenticators and recovery codes never leave. That it was taken is in the audit before it begins.
 */
export async function exportUsers(
  db: Db,
  { format, withHashes, by, origin: requestInfo }: ExportOptions,
): Promise<AsyncGenerator<string>> {
  const accounts = await countUsers(db);
  await recordAuditEvent(db, {
    event: 'accounts.exported',
    by,
    origin: requestInfo,
    detail: { format, withHashes, accounts },
  });
  return (format === 'csv' ? generateCsv : generateJson)(db, withHashes);
}
