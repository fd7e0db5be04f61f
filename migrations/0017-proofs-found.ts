import type { Migration } from './migration.ts';

/**
 * What a changed password, and a recovery code that is entered in another sign-in, void: the proofs of an account, and
 * those of one thing. Without these both read every proof of the last hour. A proof of nothing in particular (a password)
 * stays out of the second.
 */
export const verifiedFactorIndexes: Migration = {
  name: '0017-proofs-found',
  up: (schema) =>
    schema
      .raw('CREATE INDEX proofs_by_account ON proofs (account_id)')
      .raw('CREATE INDEX proofs_by_ref ON proofs (ref) WHERE ref IS NOT NULL'),
};
