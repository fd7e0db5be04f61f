import type { Migration } from './migration.ts';

const often = 'autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02';

/** Budgets of networks and mailboxes that slide (docs/adr/0001-throttling.md). */
export const throttling: Migration = {
  name: '0020-throttling',
  up: (schema) =>
    schema
      .createTable('sliding_budgets', (table) => {
        table.text('subject').notNullable();
        table.text('budget').notNullable();
        table.double('level').notNullable();
        // Distinct users who signed in from a network lately.
        table.double('users').notNullable();
        table.timestamp('updated_at', { useTz: true }).notNullable();
        table.primary(['subject', 'budget']);
      })
      .createTable('network_names', (table) => {
        table.text('network').notNullable();
        table.binary('name').notNullable();
        table.timestamp('failed_at', { useTz: true });
        table.timestamp('succeeded_at', { useTz: true });
        table.timestamp('touched_at', { useTz: true }).notNullable();
        table.primary(['network', 'name']);
      })
      .alterTable('mailed_codes', (table) => {
        // Wrong pairs of password and code; the fifth voids the code.
        table.integer('failures').notNullable().defaultTo(0);
      })
      // As in 0015: rows live for hours, and an ordinary index over the time would forbid HOT updates.
      .raw(`ALTER TABLE sliding_budgets SET (${often})`)
      .raw(`ALTER TABLE network_names SET (${often})`)
      .raw(
        'CREATE INDEX sliding_budgets_updated_at_index ON sliding_budgets USING brin (updated_at) WITH (autosummarize = on)',
      )
      .raw(
        'CREATE INDEX network_names_touched_at_index ON network_names USING brin (touched_at) WITH (autosummarize = on)',
      )
      // What the metric of throttled names reads: almost no row has the value.
      .raw(
        'CREATE INDEX attempts_blocked_until_index ON attempts (blocked_until) WHERE blocked_until IS NOT NULL',
      ),
};
