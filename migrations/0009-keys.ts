import type { Migration } from './migration.ts';

/**
 * A signing key's life, in moments: from when it signs, from when another does instead, and until when what it signed
 * can still be verified. One from before signs since it was made; a cookie key has no such life.
 */
export const keys: Migration = {
  name: '0009-keys',
  up: (schema) =>
    schema.alterTable('keys', (table) => {
      table.timestamp('signs_at', { useTz: true });
      table.timestamp('retires_at', { useTz: true });
      table.timestamp('gone_at', { useTz: true });
    }),
};
