import type { Encryption } from '../crypto/encryption.ts';

/**
 * Where a list goes on, as a text that says nothing and cannot be made up: closed with the house's key for this list
 * alone. Whoever sends anything else gets no list (Ory CVE-2026-33503).
 */
export const encodeCursor = (encryption: Encryption, list: string, position: string): string =>
  encryption.seal(position, `cursor of ${list}`).toString('base64url');

/** The place that a cursor stands for; undefined for whatever was not made by `encodeCursor` for this list. */
export function decodeCursor(encryption: Encryption, list: string, cursor: string): string | undefined {
  try {
    return encryption.open(Buffer.from(cursor, 'base64url'), `cursor of ${list}`).plain.toString();
  } catch {
    return undefined;
  }
}
