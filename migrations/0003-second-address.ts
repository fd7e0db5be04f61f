import type { Migration } from './migration.ts';

/** A second, proved address that hears of what happens to an account; and what finished sign-ins are found by. */
export const noticeEmail: Migration = {
  name: '0003-second-address',
  up: (schema) =>
    schema
      .alterTable('accounts', (table) => {
        table.text('notice_email');
      })
      .raw(
        `CREATE INDEX oidc_records_finished ON oidc_records ((payload->'result'->'login'->>'accountId'))
         WHERE model = 'Interaction'`,
      ),
};
