import { createHmac } from 'node:crypto';
import type { Configuration, Provider } from 'oidc-provider';
import instance from 'oidc-provider/lib/helpers/weak_cache.js';
import type { ClientDescription } from '../clients/schema.ts';
import { getSectorIdentifier } from '../clients/sector-identifiers.ts';

/**
 * The numbers by which applications know people (OpenID Connect Core §8). A pairwise one is made of the account and the
 * sector with a key that was drawn once and is kept sealed: it is the same for ever, whatever becomes of the secret keys
 * that seal it, and no application can reckon it for another. Nothing is stored, so nothing is looked up.
 */
export function configureSubjects(
  key: Buffer,
): Pick<Configuration, 'subjectTypes' | 'pairwiseIdentifier' | 'sectorIdentifierUriValidate'> {
  return {
    subjectTypes: ['public', 'pairwise'],
    // Whoever registers an application answers for its sector: nothing is fetched from it (§8.1 is for strangers).
    sectorIdentifierUriValidate: () => false,
    pairwiseIdentifier: (_ctx, accountId, client) => {
      const { sectorIdentifier } = client as { sectorIdentifier?: string };
      if (!sectorIdentifier) throw new Error('a pairwise application has no sector');
      return createHmac('sha256', key).update(`${sectorIdentifier}\0${accountId}`).digest('base64url');
    },
  };
}

/** The number by which an application knows an account. */
export async function getSubject(
  provider: Provider,
  client: ClientDescription,
  accountId: string,
): Promise<string> {
  if (client.subjectType === 'public') return accountId;
  const { configuration } = instance(provider);
  return configuration.pairwiseIdentifier(undefined, accountId, {
    sectorIdentifier: getSectorIdentifier(client),
  });
}
