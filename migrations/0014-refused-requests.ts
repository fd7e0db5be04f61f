import type { Migration } from './migration.ts';

/**
 * What applications asked for and did not get, at every endpoint, for whoever looks after them. Before, there were only
 * the addresses that nobody was sent to; they come along.
 */
export const clientErrors: Migration = {
  name: '0014-refused-requests',
  up: (schema) =>
    schema
      .createTable('refused_requests', (table) => {
        table.text('client_id').notNullable().references('clients.id').onDelete('CASCADE');
        table.text('endpoint').notNullable();
        // SHA-256 of what was refused and why: an index takes no text of any length.
        table.binary('digest').notNullable();
        table.text('error').notNullable();
        table.text('detail').notNullable();
        table.text('address');
        table.integer('times').notNullable();
        table.timestamp('first_at', { useTz: true }).notNullable();
        table.timestamp('last_at', { useTz: true }).notNullable();
        table.primary(['client_id', 'endpoint', 'digest']);
        table.index('last_at');
      })
      .raw(
        `INSERT INTO refused_requests (client_id, endpoint, digest, error, detail, address, times, first_at, last_at)
         SELECT client_id, CASE kind WHEN 'redirect' THEN 'authorization' ELSE 'sign-out' END, digest,
           CASE kind WHEN 'redirect' THEN 'invalid_redirect_uri' ELSE 'invalid_request' END,
           CASE kind WHEN 'redirect' THEN 'redirect_uri' ELSE 'post_logout_redirect_uri' END || ' not registered',
           address, times, first_at, last_at
         FROM refused_redirects`,
      )
      .dropTable('refused_redirects'),
};
