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
      .raw('CREATE INDEX clients_to_revoke ON clients (id) WHERE revoking_since IS NOT NULL')
      // Sign-ins under way and device codes of one client, which would be looked for in all of them otherwise.
      .raw(
        `CREATE INDEX oidc_records_pending_by_client
         ON oidc_records ((coalesce(payload->'params'->>'client_id', payload->>'clientId')))
         WHERE model IN ('Interaction', 'DeviceCode', 'PushedAuthorizationRequest')`,
      ),
};
