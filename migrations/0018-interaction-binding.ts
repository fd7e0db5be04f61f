import type { Migration } from './migration.ts';

/**
 * The browser that an interaction belongs to: the hash of its sign-in cookie, and the hash of the value before. They are
 * columns, since oidc-provider's `Interaction.save()` replaces the payload.
 */
export const interactionBinding: Migration = {
  name: '0018-interaction-binding',
  up: (schema) =>
    schema.raw('ALTER TABLE oidc_records ADD COLUMN binding bytea, ADD COLUMN previous_binding bytea'),
};
