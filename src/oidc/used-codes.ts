import type { Provider } from 'oidc-provider';

/**
 * A code that comes again is told as used, also once its minute is over, as long as its row is there: the library asks
 * for its age first, and withdraws what was given for it (RFC 6749 §4.1.2) only where it finds it used.
 */
export function reportReusedCodes({ AuthorizationCode }: Provider): void {
  const prototype = AuthorizationCode.prototype as object;
  const base = Object.getPrototypeOf(prototype) as object;
  Object.defineProperty(prototype, 'isExpired', {
    configurable: true,
    get(this: { consumed?: unknown }): boolean {
      return !this.consumed && Reflect.get(base, 'isExpired', this) === true;
    },
  });
}
