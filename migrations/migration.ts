import type { Knex } from 'knex';

/** One step of the database's growth. It is written once and never changed after a release. */
export interface Migration {
  name: string;
  up: (schema: Knex.SchemaBuilder) => Knex.SchemaBuilder;
}
