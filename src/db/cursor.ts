import type { Vault } from '../crypto/encryption.ts';

/**
 * Where a list goes on, as a text that says nothing and cannot be made up: closed with the house's key for this list
 * alone. Whoever sends anything else gets no list (Ory CVE-2026-33503).
 */
export const cursorOf = (vault: Vault, list: string, place: string): string =>
  vault.seal(place, `cursor of ${list}`).toString('base64url');

/** The place that a cursor stands for; undefined for whatever was not made by `cursorOf` for this list. */
export function placeOf(vault: Vault, list: string, cursor: string): string | undefined {
  try {
    return vault.open(Buffer.from(cursor, 'base64url'), `cursor of ${list}`).plain.toString();
  } catch {
    return undefined;
  }
}
