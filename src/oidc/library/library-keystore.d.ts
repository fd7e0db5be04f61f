/** How the library itself takes keys in: it checks them all, and only then exchanges those that it had. */
declare module 'oidc-provider/lib/helpers/initialize_keystore.js' {
  import type { JWK } from 'jose';
  import type { Provider } from 'oidc-provider';

  export default function initializeKeystore(this: Provider, jwks: { keys: JWK[] }): void;
}

/** How the library keeps what was used last. */
declare module 'oidc-provider/lib/helpers/lru.js' {
  export default class LRU {
    constructor(size: { maxSize: number });
    get(key: string): unknown;
  }
}

/** What the library keeps of a provider, as far as it is exchanged while it runs (see claim-cache.ts, subjects.ts). */
declare module 'oidc-provider/lib/helpers/weak_cache.js' {
  import type { Provider } from 'oidc-provider';
  import type LRU from 'oidc-provider/lib/helpers/lru.js';

  export default function instance(provider: Provider): {
    configuration: {
      claims: Record<string, Record<string, null> | undefined>;
      scopes: Set<string>;
      claimsSupported: Set<string>;
      idTokenSigningAlgValues: readonly string[];
      pairwiseIdentifier(
        ctx: undefined,
        accountId: string,
        client: { sectorIdentifier?: string | undefined },
      ): Promise<string>;
    };
    /** The public halves of the keys, as they are published; another object with each exchange. */
    jwks: object;
    /** Clients that were built, by a hash of their whole description (see library-clients.ts). */
    dynamicClients: LRU;
  };
}
