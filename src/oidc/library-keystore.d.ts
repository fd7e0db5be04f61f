/** How the library itself takes keys in: it checks them all, and only then exchanges those that it had. */
declare module 'oidc-provider/lib/helpers/initialize_keystore.js' {
  import type { JWK } from 'jose';
  import type { Provider } from 'oidc-provider';

  export default function initializeKeystore(this: Provider, jwks: { keys: JWK[] }): void;
}
