import type { Knex } from 'knex';
import type { Migration } from './migration.ts';

const timestamp = (table: Knex.TableBuilder, name: string) => table.timestamp(name, { useTz: true });

function alterCodeTables(schema: Knex.SchemaBuilder) {
  return schema
    .alterTable('recovery_codes', (table) => {
      // A saved code, or one that the help desk had mailed: of both together one lives (the index of 0001).
      table.text('kind').notNullable().defaultTo('saved');
      timestamp(table, 'expires_at');
    })
    .alterTable('accounts', (table) => {
      // For 72 hours after either the help desk mails no code: whoever did it may be a thief.
      timestamp(table, 'email_changed_at');
      timestamp(table, 'password_reset_at');
    });
}

function createCaseTables(schema: Knex.SchemaBuilder) {
  return schema
    .createTable('help_desk_cases', (table) => {
      table.uuid('id').primary();
      // What the person reads to the agent over the telephone.
      table.text('number').notNullable().unique();
      table.uuid('account_id').notNullable().references('accounts.id').onDelete('CASCADE').index();
      timestamp(table, 'opened_at').notNullable().index();
      // The operator who opened it; the person, after the right password, where it is null.
      table.uuid('opened_by');
      table.text('interaction');
      table.text('address');
      table.text('request');
      table.jsonb('checks').notNullable();
      table.jsonb('notes').notNullable();
      // When somebody last did anything in it; since it was opened nobody, where it is null.
      timestamp(table, 'touched_at');
      timestamp(table, 'closed_at').index();
      table.uuid('closed_by');
      table.text('outcome');
    })
    .raw(
      'CREATE UNIQUE INDEX help_desk_cases_one_open ON help_desk_cases (account_id) WHERE closed_at IS NULL',
    )
    .createTable('help_desk_sends', (table) => {
      table.uuid('id').primary();
      table.uuid('case_id').notNullable().references('help_desk_cases.id').onDelete('CASCADE').index();
      table.uuid('account_id').notNullable().index();
      table.uuid('operator_id').notNullable();
      timestamp(table, 'sent_at').notNullable();
      table.index(['operator_id', 'sent_at']);
    })
    .createTable('help_desk_approvals', (table) => {
      table.uuid('id').primary();
      table.uuid('case_id').notNullable().references('help_desk_cases.id').onDelete('CASCADE').index();
      // What another operator is asked to allow: `send-code` or `invite`.
      table.text('deed').notNullable();
      table.uuid('asked_by').notNullable();
      timestamp(table, 'asked_at').notNullable();
      table.uuid('approved_by');
      timestamp(table, 'approved_at');
      timestamp(table, 'used_at');
    })
    .createTable('help_desk_stop_codes', (table) => {
      table.binary('hash').primary();
      table.uuid('case_id').notNullable().references('help_desk_cases.id').onDelete('CASCADE').index();
      timestamp(table, 'created_at').notNullable();
    });
}

/** Help-desk cases, the codes that they end in, a second operator's approval, and the person's own way to stop it. */
export const helpDesk: Migration = {
  name: '0004-help-desk',
  up: (schema) =>
    [alterCodeTables, createCaseTables].reduce((builder, createTables) => createTables(builder), schema),
};
