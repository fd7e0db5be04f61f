import type { Migration } from './migration.ts';

/**
 * Delivered mails are kept for a week. Whoever looked for those that wait, once a second, read all of them: at half a
 * million 0.36 s, and 1 ms with this index.
 */
export const pendingMailIndex: Migration = {
  name: '0016-mails-waiting',
  up: (schema) =>
    schema
      .raw('CREATE INDEX mails_waiting ON mails (next_try_at) WHERE delivered_at IS NULL')
      .raw('DROP INDEX mails_next_try_at_index'),
};
