import { audit } from '../audit/audit-log.ts';
import { csvLine } from './import/csv.ts';
import type { Db } from '../db/database.ts';
import type { LeavingAccount } from './users.ts';
import { countAccounts, leavingAccounts } from './users.ts';
import { asWritten, attributesOfAll } from './attributes.ts';
import { listClaims } from './claim-definitions.ts';
import type { Doer } from './groups.ts';
import { groupNamesOf } from './groups.ts';
import type { Field, Format } from './import/rows.ts';
import { fields } from './import/rows.ts';

export interface ExportOptions extends Doer {
  format: Format;
  /** The hashes of passwords leave too: whoever has the file can guess at them at leisure. */
  withHashes: boolean;
}

/** An account as a file has it: the fields that an import reads, by their names there. */
type Leaving = Partial<Record<Field, string | boolean | readonly string[] | Written | null>>;
type Written = ReturnType<typeof asWritten>;

const pageRows = 500;

function leaving(
  account: LeavingAccount,
  groups: readonly string[],
  attributes: Written,
  withHashes: boolean,
): Leaving {
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
async function* pages(db: Db, withHashes: boolean): AsyncGenerator<Leaving[]> {
  const claims = await listClaims(db);
  for (let after = ''; ;) {
    const page = await leavingAccounts(db, after, pageRows);
    const ids = page.map(({ id }) => id);
    const groups = await groupNamesOf(db, ids);
    const attributes = await attributesOfAll(db, ids);
    yield page.map((account) => {
      const written = asWritten(claims, attributes.get(account.id) ?? {});
      return leaving(account, groups.get(account.id) ?? [], written, withHashes);
    });
    const last = page.at(-1);
    if (!last || page.length < pageRows) return;
    after = last.email;
  }
}

/** Names with `|` between; a JSON list where one of them could be read as something else. */
function groupsCell(names: readonly string[]): string {
  const plain = names.every((name) => !name.includes('|')) && !names[0]?.startsWith('[');
  return plain ? names.join('|') : JSON.stringify(names);
}

/** As JSON, which is one line and begins with a bracket; nothing where there is nothing. */
const attributesCell = (attributes: Written): string =>
  Object.keys(attributes).length > 0 ? JSON.stringify(attributes) : '';

/** A row stays one line: an import tells rows by their lines. */
const oneLine = (value: unknown): unknown =>
  typeof value === 'string' ? value.replaceAll(/[\r\n]+/g, ' ') : value;

async function* csv(db: Db, withHashes: boolean): AsyncGenerator<string> {
  const columns = fields.filter((field) => withHashes || field !== 'password_hash');
  // The mark tells spreadsheets that the text is UTF-8.
  yield `\uFEFF${csvLine(columns)}`;
  for await (const page of pages(db, withHashes)) {
    const lines = page.map((account) =>
      csvLine(
        columns.map((column) => {
          const value = account[column];
          if (column === 'attributes') return attributesCell(value as Written);
          return oneLine(Array.isArray(value) ? groupsCell(value as string[]) : value);
        }),
      ),
    );
    yield lines.join('');
  }
}

async function* json(db: Db, withHashes: boolean): AsyncGenerator<string> {
  let separator = '[\n';
  for await (const page of pages(db, withHashes)) {
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
export async function exportAccounts(
  db: Db,
  { format, withHashes, by, origin }: ExportOptions,
): Promise<AsyncGenerator<string>> {
  const accounts = await countAccounts(db);
  await audit(db, { event: 'accounts.exported', by, origin, detail: { format, withHashes, accounts } });
  return (format === 'csv' ? csv : json)(db, withHashes);
}
