import type { Migration } from './migration.ts';

/** Whatever takes access tokens of ours: its identifier is their audience (RFC 8707), its number stands in addresses. */
export const resourceServers: Migration = {
  name: '0012-resource-servers',
  up: (schema) =>
    schema.createTable('resource_servers', (table) => {
      table.text('id').primary();
      table.uuid('number').notNullable().unique();
      table.jsonb('metadata').notNullable();
      table.text('managed').notNullable();
      table.timestamp('created_at', { useTz: true }).notNullable();
      table.timestamp('updated_at', { useTz: true }).notNullable();
    }),
};
