import type { Migration } from './migration.ts';

// Vacuum comes by the share of a table that died, a fifth where nothing is said: far too late for a table in which
// everything lives for minutes. No room is left free on pages for updates (fillfactor): pruning makes it, and two of three
// updates of records touched no index (HOT) without it as with it (63 against 67 %).
const frequentVacuum = 'autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02';
const storageParameters: Record<string, string> = {
  oidc_records: `autovacuum_vacuum_threshold = 1000, ${frequentVacuum}`,
  proofs: frequentVacuum,
  deeds: frequentVacuum,
  sign_in_choices: frequentVacuum,
  attempts: frequentVacuum,
  mails: 'autovacuum_vacuum_scale_factor = 0.05',
  logout_messages: 'autovacuum_vacuum_scale_factor = 0.05',
  // Rows are only added: what counts is that its pages are marked as seen by all and its numbers are known.
  audit: 'autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02',
};

// Rows without the value are most of the table, and are never looked for by it: 8 % of what an insert writes.
const partialIndexes = ['grant_id', 'uid', 'account_id'].map(
  (column) => `DROP INDEX oidc_records_${column}_index;
    CREATE INDEX oidc_records_${column}_index ON oidc_records (${column}) WHERE ${column} IS NOT NULL;`,
);

/**
 * How the tables that every sign-in writes are stored. Nothing is rewritten: it counts from a table's next page on.
 * Writers wait for the indexes that are made anew, so those of the records are only where that takes a second or two;
 * a bigger table keeps those that it has, which answer the same questions.
 */
export const tableStorage: Migration = {
  name: '0015-hot-tables',
  up: (schema) =>
    Object.entries(storageParameters)
      .reduce(
        (builder, [table, parameters]) => builder.raw(`ALTER TABLE ${table} SET (${parameters})`),
        schema,
      )
      .raw(
        `DO $body$ BEGIN IF pg_relation_size('oidc_records') < 256 * 1024 * 1024 THEN ${partialIndexes.join(' ')} END IF; END $body$`,
      )
      // What is swept by: without it every sweep read all mails of a week.
      .raw('CREATE INDEX mails_by_age ON mails ((coalesce(delivered_at, created_at)))')
      // An ordinary index over the time of the last try forbade HOT (48 % of updates, 99 % without) for the row
      // that every sign-in of an address counts in.
      .raw('DROP INDEX attempts_updated_at_index')
      .raw(
        'CREATE INDEX attempts_updated_at_index ON attempts USING brin (updated_at) WITH (autosummarize = on)',
      ),
};
