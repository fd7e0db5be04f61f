import type { Migration } from './migration.ts';

/**
 * A recovery code is claimed by one interaction at a time, and the one that completes something spends it. What an
 * interaction completed is noted, codes are mailed for more than one purpose, and the session that deactivated two-step verification may connect a phone anew.
 */
export const recoveryCodeReservation: Migration = {
  name: '0002-new-phone',
  up: (schema) =>
    schema
      .alterTable('recovery_codes', (table) => {
        table.text('claimed_by').index();
        table.timestamp('checked_at', { useTz: true });
      })
      .alterTable('accounts', (table) => {
        // Where it is set, the enrolment window is open for this session alone.
        table.text('enrolment_session');
      })
      .alterTable('mailed_codes', (table) => {
        table.text('purpose').notNullable().defaultTo('enrollment');
        // The address that a code went to; none of both where nobody has the address that was typed.
        table.text('address');
        // What wrong codes are counted by: the address, whether somebody has it or not.
        table.text('subject');
        table.setNullable('account_id');
      })
      .createTable('deeds', (table) => {
        table.text('interaction').notNullable();
        table.uuid('account_id').notNullable().references('accounts.id').onDelete('CASCADE');
        table.text('deed').notNullable();
        table.timestamp('at', { useTz: true }).notNullable().index();
        table.primary(['interaction', 'account_id', 'deed']);
      }),
};
