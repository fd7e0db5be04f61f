import type { Migration } from './migration.ts';

/**
 * Applications as administrators look after them: who looks after each (a file or the console), when a secret was last
 * used, and the addresses that people were not sent back to.
 */
export const clients: Migration = {
  name: '0006-clients',
  up: (schema) =>
    schema
      .alterTable('clients', (table) => {
        // What was there before came by `clients apply`: its file is still the one place to change it.
        table.text('managed').notNullable().defaultTo('file');
      })
      .alterTable('client_secrets', (table) => {
        table.timestamp('last_used_at', { useTz: true });
      })
      .createTable('refused_redirects', (table) => {
        table.text('client_id').notNullable().references('clients.id').onDelete('CASCADE');
        table.text('kind').notNullable();
        // SHA-256 of the address: an index takes no text of any length.
        table.binary('digest').notNullable();
        table.text('address').notNullable();
        table.integer('times').notNullable();
        table.timestamp('first_at', { useTz: true }).notNullable();
        table.timestamp('last_at', { useTz: true }).notNullable();
        table.primary(['client_id', 'kind', 'digest']);
      })
      // To end everything of one application; the tokens of a grant are found by the grant.
      .raw(
        "CREATE INDEX oidc_records_by_client ON oidc_records ((payload->>'clientId')) WHERE model IN ('Grant', 'ClientCredentials')",
      )
      // Who came to an application last, whether they typed anything or were let in by their session.
      .raw(
        "CREATE INDEX audit_arrivals ON audit (client_id, at, id) WHERE event = 'token.issued' AND detail->>'grant' = 'authorization_code'",
      ),
};
