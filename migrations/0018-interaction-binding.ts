import type { Migration } from './migration.ts';

/**
 * The browser that an interaction belongs to: the hash of its sign-in cookie, and the hash of the value before. They are
 * columns, since oidc-provider's `Interaction.save()` replaces the payload.
 *
 * Finished interactions belong to their user from here on, so that a change of factors finds them by an index.
 */
export const interactionBinding: Migration = {
  name: '0018-interaction-binding',
  up: (schema) =>
    schema.raw('ALTER TABLE oidc_records ADD COLUMN binding bytea, ADD COLUMN previous_binding bytea').raw(
      `UPDATE oidc_records SET account_id =
           coalesce(payload #>> '{result,login,accountId}', payload #>> '{lastSubmission,login,accountId}')
         WHERE model = 'Interaction' AND account_id IS NULL`,
    ),
};
