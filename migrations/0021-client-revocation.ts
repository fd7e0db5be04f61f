import type { Migration } from './migration.ts';

/**
 * When a client was disabled whose grants, tokens and sessions are still to be ended. Ending those of hundreds of
 * thousands of users takes minutes, and disabling must not: a background job ends them in small transactions.
 */
export const clientRevocation: Migration = {
  name: '0021-client-revocation',
  up: (schema) =>
    schema
      .alterTable('clients', (table) => {
        table.timestamp('revoking_since', { useTz: true });
      })
      // What was disabled before this version is ended like the rest.
      .raw('UPDATE clients SET revoking_since = disabled_at WHERE disabled_at IS NOT NULL')
      .raw('CREATE INDEX clients_to_revoke ON clients (id) WHERE revoking_since IS NOT NULL'),
};
