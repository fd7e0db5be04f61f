import type { Migration } from './migration.ts';

/**
 * Operators look after people: groups that an operator may be limited to, invitations that wait, the one-time token of
 * the first administrator, and in the audit who did it. The indexes are those of the console's lists.
 */
export const operators: Migration = {
  name: '0005-operators',
  up: (schema) =>
    schema
      .createTable('groups', (table) => {
        table.uuid('id').primary();
        table.text('name').notNullable();
        // What names are compared by: two spellings of one name are one group.
        table.text('name_key').notNullable().unique();
        table.timestamp('created_at', { useTz: true }).notNullable();
      })
      .createTable('group_members', (table) => {
        table.uuid('group_id').notNullable().references('groups.id').onDelete('CASCADE');
        table.uuid('account_id').notNullable().references('accounts.id').onDelete('CASCADE').index();
        table.primary(['group_id', 'account_id']);
      })
      .alterTable('accounts', (table) => {
        // RESTRICT: a group that goes would make everybody's operator of whoever is limited to it.
        table.uuid('operator_group').references('groups.id').onDelete('RESTRICT').index();
        table.timestamp('invited_at', { useTz: true });
      })
      .createTable('bootstrap_tokens', (table) => {
        table.binary('hash').primary();
        table.timestamp('created_at', { useTz: true }).notNullable();
        table.timestamp('expires_at', { useTz: true }).notNullable();
        table.timestamp('used_at', { useTz: true });
      })
      .alterTable('audit', (table) => {
        table.uuid('actor');
        table.dropIndex('at');
        table.dropIndex('event');
        table.dropIndex('account_id');
        // A page of each filter in its order: what it costs does not grow with the audit.
        table.index(['at', 'id']);
        table.index(['event', 'at', 'id']);
        table.index(['account_id', 'at', 'id']);
        table.index(['actor', 'at', 'id']);
      })
      // One order for prefixes, pages and cursors, whatever the database's own collation.
      .raw('CREATE INDEX accounts_by_email ON accounts (email_key COLLATE "C")')
      .raw("CREATE INDEX accounts_by_name ON accounts USING gin (to_tsvector('simple', name))")
      .raw("CREATE INDEX accounts_operators ON accounts (role) WHERE role <> 'person'"),
};
