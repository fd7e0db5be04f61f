import type { Migration } from './migration.ts';

/** Claims of the house's own, as an administrator defined them, and what accounts have for them. */
export const claims: Migration = {
  name: '0013-claims',
  up: (schema) =>
    schema
      .createTable('claim_definitions', (table) => {
        table.uuid('id').primary();
        // It is what applications read: it never changes.
        table.text('name').notNullable().unique();
        table.text('scope').notNullable().index();
        table.text('label_sv').notNullable();
        table.text('label_en').notNullable();
        table.boolean('multi').notNullable();
        table.timestamp('created_at', { useTz: true }).notNullable();
        table.timestamp('updated_at', { useTz: true }).notNullable();
      })
      .createTable('account_attributes', (table) => {
        table.uuid('account_id').notNullable().references('accounts.id').onDelete('CASCADE');
        // A value means nothing without its definition.
        table.text('name').notNullable().references('claim_definitions.name').onDelete('CASCADE').index();
        // A list of texts, also where there is one.
        table.jsonb('said').notNullable();
        table.primary(['account_id', 'name']);
      }),
};
