import type { Knex } from 'knex';
import type { Migration } from './migration.ts';

const timestamp = (table: Knex.CreateTableBuilder, name: string) => table.timestamp(name, { useTz: true });

function createUserTables(schema: Knex.SchemaBuilder) {
  return schema
    .createTable('accounts', (table) => {
      table.uuid('id').primary();
      table.text('email').notNullable();
      // What an address is compared by; several spellings of one address are one account and one budget.
      table.text('email_key').notNullable().unique();
      table.text('name').notNullable();
      table.text('locale');
      table.text('role').notNullable();
      table.text('password_hash').notNullable();
      table.boolean('two_step_required').notNullable();
      timestamp(table, 'email_verified_at');
      timestamp(table, 'enrolment_open_until');
      timestamp(table, 'created_at').notNullable();
      timestamp(table, 'disabled_at');
    })
    .createTable('devices', (table) => {
      table.uuid('id').primary();
      table.uuid('account_id').notNullable().references('accounts.id').onDelete('CASCADE').index();
      table.binary('token_hash').notNullable();
      table.text('label').notNullable();
      timestamp(table, 'first_seen_at').notNullable();
      timestamp(table, 'last_seen_at').notNullable();
      timestamp(table, 'remembered_until');
      table.unique(['token_hash', 'account_id']);
    });
}

function createFactorTables(schema: Knex.SchemaBuilder) {
  return schema
    .createTable('authenticators', (table) => {
      table.uuid('id').primary();
      table.uuid('account_id').notNullable().unique().references('accounts.id').onDelete('CASCADE');
      table.binary('sealed_secret').notNullable();
      table.bigInteger('last_step').notNullable();
      timestamp(table, 'created_at').notNullable();
      timestamp(table, 'last_used_at').notNullable();
      timestamp(table, 'disabled_at');
    })
    .createTable('pending_authenticators', (table) => {
      table.text('interaction').primary();
      table.uuid('account_id').notNullable().references('accounts.id').onDelete('CASCADE');
      table.binary('sealed_secret').notNullable();
      timestamp(table, 'created_at').notNullable();
    })
    .createTable('recovery_codes', (table) => {
      table.uuid('id').primary();
      table.uuid('account_id').notNullable().references('accounts.id').onDelete('CASCADE');
      table.text('hash').notNullable();
      // The interaction that may still read a pending code, and the code, sealed; both gone once it is live.
      table.text('interaction').unique();
      table.binary('sealed_code');
      timestamp(table, 'created_at').notNullable();
      timestamp(table, 'live_at');
      timestamp(table, 'used_at');
    })
    .raw(
      'CREATE UNIQUE INDEX recovery_codes_one_live ON recovery_codes (account_id) WHERE live_at IS NOT NULL AND used_at IS NULL',
    )
    .createTable('mailed_codes', (table) => {
      table.uuid('id').primary();
      table.text('interaction').notNullable().index();
      table.uuid('account_id').notNullable().references('accounts.id').onDelete('CASCADE').index();
      table.text('hash').notNullable();
      timestamp(table, 'created_at').notNullable();
      timestamp(table, 'expires_at').notNullable();
      timestamp(table, 'used_at');
    });
}

function createSignInTables(schema: Knex.SchemaBuilder) {
  return schema
    .createTable('proofs', (table) => {
      table.text('interaction').notNullable();
      table.text('factor').notNullable();
      table.uuid('account_id').notNullable().references('accounts.id').onDelete('CASCADE');
      table.text('ref');
      timestamp(table, 'at').notNullable();
      table.primary(['interaction', 'factor']);
      table.index('at');
    })
    .createTable('sign_in_choices', (table) => {
      table.text('interaction').notNullable();
      table.text('choice').notNullable();
      timestamp(table, 'at').notNullable();
      table.primary(['interaction', 'choice']);
      table.index('at');
    })
    .createTable('attempts', (table) => {
      table.text('subject').notNullable();
      table.text('factor').notNullable();
      table.integer('failures').notNullable();
      timestamp(table, 'blocked_until');
      timestamp(table, 'updated_at').notNullable().index();
      table.primary(['subject', 'factor']);
    });
}

function createProviderTables(schema: Knex.SchemaBuilder) {
  return schema
    .createTable('oidc_records', (table) => {
      table.text('model').notNullable();
      // SHA-256 of the identifier: the database holds nothing that could be presented as a token or cookie.
      table.binary('key').notNullable();
      table.jsonb('payload').notNullable();
      table.text('grant_id').index();
      table.text('uid').index();
      table.text('account_id').index();
      timestamp(table, 'consumed_at');
      timestamp(table, 'expires_at').notNullable().index();
      table.primary(['model', 'key']);
    })
    .createTable('clients', (table) => {
      table.text('id').primary();
      table.jsonb('metadata').notNullable();
      table.boolean('first_party').notNullable();
      timestamp(table, 'created_at').notNullable();
      timestamp(table, 'updated_at').notNullable();
      timestamp(table, 'disabled_at');
    })
    .createTable('client_secrets', (table) => {
      table.uuid('id').primary();
      table.text('client_id').notNullable().references('clients.id').onDelete('CASCADE').index();
      table.text('name').notNullable();
      table.binary('hash').notNullable();
      timestamp(table, 'created_at').notNullable();
      timestamp(table, 'expires_at');
    })
    .createTable('keys', (table) => {
      table.text('id').primary();
      table.text('kind').notNullable();
      table.binary('sealed').notNullable();
      timestamp(table, 'created_at').notNullable();
    });
}

function createRecordTables(schema: Knex.SchemaBuilder) {
  return schema
    .createTable('audit', (table) => {
      table.bigIncrements('id');
      timestamp(table, 'at').notNullable().index();
      table.text('event').notNullable().index();
      table.uuid('account_id').index();
      table.text('client_id');
      table.text('address');
      table.text('request');
      table.jsonb('detail').notNullable();
    })
    .raw(
      `CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $body$
       BEGIN
         IF TG_OP = 'DELETE' AND current_setting('hemma.retention', true) = 'on' THEN RETURN OLD; END IF;
         RAISE EXCEPTION 'audit rows are never changed';
       END $body$`,
    )
    .raw(
      'CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()',
    )
    .createTable('mails', (table) => {
      table.uuid('id').primary();
      table.uuid('account_id');
      table.text('kind').notNullable();
      table.text('recipient').notNullable();
      table.binary('sealed_content');
      table.integer('tries').notNullable();
      timestamp(table, 'created_at').notNullable();
      timestamp(table, 'next_try_at').notNullable().index();
      timestamp(table, 'delivered_at');
    });
}

/** The tables of the first journeys: signing in, connecting a phone, single sign-on. */
export const baseline: Migration = {
  name: '0001-first-light',
  up: (schema) =>
    [
      createUserTables,
      createFactorTables,
      createSignInTables,
      createProviderTables,
      createRecordTables,
    ].reduce((builder, createTables) => createTables(builder), schema),
};
