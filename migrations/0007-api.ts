import type { Migration } from './migration.ts';

/** The interface for programs: what came through it says which application it came through. */
export const api: Migration = {
  name: '0007-api',
  up: (schema) =>
    schema.alterTable('audit', (table) => {
      table.text('program');
    }),
};
