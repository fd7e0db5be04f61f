import type { Migration } from './migration.ts';

/** What lets a program register itself as an application (RFC 7591 §3), and the mark on what was registered so. */
export const initialAccessTokens: Migration = {
  name: '0010-initial-access-tokens',
  up: (schema) =>
    schema
      .createTable('initial_access_tokens', (table) => {
        table.uuid('id').primary();
        table.text('name').notNullable().unique();
        // SHA-256 of 256 random bits.
        table.binary('hash').notNullable().unique();
        table.jsonb('types').notNullable();
        table.jsonb('hosts').notNullable();
        table.integer('uses').notNullable();
        table.integer('most_uses').notNullable();
        table.timestamp('created_at', { useTz: true }).notNullable();
        table.timestamp('expires_at', { useTz: true }).notNullable();
        table.timestamp('last_used_at', { useTz: true });
      })
      .alterTable('clients', (table) => {
        // The token's name and no reference: the mark outlives the token.
        table.text('registered_with');
      }),
};
