import type { Migration } from './migration.ts';

/**
 * Secrets that an application signs with (client_secret_jwt) are kept encrypted, since a signature is checked by the secret
 * itself; all others stay hashes. A row is one or the other.
 */
export const signingSecrets: Migration = {
  name: '0011-signing-secrets',
  up: (schema) =>
    schema
      .alterTable('client_secrets', (table) => {
        table.setNullable('hash');
        table.binary('sealed');
      })
      .raw(
        'ALTER TABLE client_secrets ADD CONSTRAINT client_secrets_kept_one_way CHECK (num_nonnulls(hash, sealed) = 1)',
      ),
};
