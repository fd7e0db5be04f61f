import type { Migration } from './migration.ts';

/**
 * Refused attempts of the last minutes, one row for each actor, route and minute: several processes add to one count. A
 * background job turns a row into an audit event when its minute is over, so the table stays small.
 *
 * The index that finished interactions were found by is dropped: their user is a column since 0018.
 */
export const refusedAttempts: Migration = {
  name: '0019-refused-attempts',
  up: (schema) =>
    schema
      .createTable('refused_attempts', (table) => {
        table.timestamp('minute', { useTz: true }).notNullable();
        // A user, a service account, or the network that strangers come from.
        table.text('actor').notNullable();
        // The template of the path, of a fixed list.
        table.text('route').notNullable();
        table.uuid('account_id');
        table.text('program');
        table.text('address');
        table.text('request');
        table.jsonb('reasons').notNullable();
        table.integer('count').notNullable();
        table.primary(['minute', 'actor', 'route']);
      })
      .raw('DROP INDEX oidc_records_finished'),
};
