import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  hash,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';

/** Opens and closes what the database keeps secret. Newest key first; older keys still open what they closed. */
export interface Encryption {
  /** Encrypts with AES-256-GCM; `about` names the row and is authenticated, so that rows cannot be swapped. */
  seal(plaintext: Buffer | string, associatedData: string): Buffer;
  /** Decrypts; `stale` says that an older key closed it and the owner should seal it anew. Throws when nothing fits. */
  open(ciphertext: Buffer, associatedData: string): { plain: Buffer; stale: boolean };
  /** Whether one of the keys closed it: an operator may have dropped the one that did. */
  opens(ciphertext: Buffer): boolean;
  /** A keyed digest of a text for one purpose (HMAC-SHA-256, base64url). */
  mac(purpose: string, text: string): string;
  /** Whether `given` is that digest under any of the keys, in constant time. */
  macMatches(purpose: string, text: string, digest: string): boolean;
}

/** None of the keys closed it. */
export class UnknownSecretKeyError extends Error {}

const deriveKey = (masterKey: Buffer, purpose: string) =>
  Buffer.from(hkdfSync('sha256', masterKey, '', `hemma ${purpose}`, 32));

function deriveKeys(encoded: string) {
  const masterKey = Buffer.from(encoded, 'base64url');
  const encryptionKey = deriveKey(masterKey, 'encryption');
  return {
    id: createHash('sha256').update(encryptionKey).digest().subarray(0, 4),
    encryption: encryptionKey,
    // As a key object: out of bytes one would be made at each digest, which costs four times as much as the digest.
    authentication: createSecretKey(deriveKey(masterKey, 'authentication')),
  };
}

const ivLength = 12;
const tagLength = 16;
const headerLength = 4 + ivLength + tagLength;

/** @param encodedKeys 32 bytes each, base64url, newest first; at least one. */
export function createEncryption(encodedKeys: readonly string[]): Encryption {
  const keys = encodedKeys.map(deriveKeys);
  const [newest] = keys;
  if (!newest) throw new Error('a vault needs a key');
  const digest = (key: typeof newest, purpose: string, text: string) =>
    createHmac('sha256', key.authentication).update(`${purpose}\0${text}`).digest();
  return {
    seal(plaintext, associatedData) {
      const iv = randomBytes(ivLength);
      const cipher = createCipheriv('aes-256-gcm', newest.encryption, iv, { authTagLength: tagLength });
      cipher.setAAD(Buffer.from(associatedData));
      const encrypted = Buffer.concat([cipher.update(plaintext), cipher.final()]);
      return Buffer.concat([newest.id, iv, cipher.getAuthTag(), encrypted]);
    },
    opens: (ciphertext) => keys.some(({ id }) => id.equals(ciphertext.subarray(0, 4))),
    open(ciphertext, associatedData) {
      const key = keys.find(({ id }) => id.equals(ciphertext.subarray(0, 4)));
      if (!key) throw new UnknownSecretKeyError(`none of its keys opens ${associatedData}`);
      const iv = ciphertext.subarray(4, 4 + ivLength);
      const decipher = createDecipheriv('aes-256-gcm', key.encryption, iv, { authTagLength: tagLength });
      decipher.setAAD(Buffer.from(associatedData));
      decipher.setAuthTag(ciphertext.subarray(4 + ivLength, headerLength));
      const plaintext = Buffer.concat([decipher.update(ciphertext.subarray(headerLength)), decipher.final()]);
      return { plain: plaintext, stale: key !== newest };
    },
    mac: (purpose, text) => digest(newest, purpose, text).toString('base64url'),
    macMatches(purpose, text, claimedDigest) {
      const bytes = Buffer.from(claimedDigest, 'base64url');
      return keys.some((key) => {
        const expected = digest(key, purpose, text);
        return expected.length === bytes.length && timingSafeEqual(expected, bytes);
      });
    },
  };
}

/** A new secret of 256 bits, base64url. */
export const generateToken = (): string => randomBytes(32).toString('base64url');

/** SHA-256: enough for secrets of 112 bits and more (NIST SP 800-63B-4 §3.1.2.2), too fast for anything shorter. */
export const sha256 = (text: string): Buffer =>
  // By its hexadecimal text: a buffer out of the library is memory outside of JavaScript's, and takes twice as long.
  Buffer.from(hash('sha256', text, 'hex'), 'hex');
