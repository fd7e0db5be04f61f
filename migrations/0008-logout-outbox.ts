import type { Knex } from 'knex';
import type { Migration } from './migration.ts';

const timestamp = (table: Knex.CreateTableBuilder, name: string) => table.timestamp(name, { useTz: true });

/** What applications are still to be told about sessions that ended, written in the transactions that ended them. */
export const logoutOutbox: Migration = {
  name: '0008-logout-outbox',
  up: (schema) =>
    schema
      .createTable('logout_messages', (table) => {
        table.uuid('id').primary();
        // No reference: a message outlives its application and its account, or nobody would be told of their end.
        table.text('client_id').notNullable();
        table.uuid('account_id').notNullable();
        // The public number of the session, for the page that lists what its applications answered.
        table.text('session').notNullable().index();
        table.text('sid');
        // How the application was described when it was removed; null while it is still registered.
        table.jsonb('described');
        table.integer('tries').notNullable();
        timestamp(table, 'created_at').notNullable();
        // Null once nothing more is tried.
        timestamp(table, 'next_try_at');
        // Why the last try failed.
        table.text('failure');
        table.text('outcome');
        timestamp(table, 'settled_at').index();
      })
      .raw(
        'CREATE INDEX logout_messages_due ON logout_messages (client_id, next_try_at) WHERE next_try_at IS NOT NULL',
      )
      // Sessions that ran out are looked for every few seconds, among all the tokens that linger for a day.
      .raw(
        "CREATE INDEX oidc_records_sessions_by_expiry ON oidc_records (expires_at) WHERE model = 'Session'",
      ),
};
