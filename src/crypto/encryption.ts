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
export interface Vault {
  /** Encrypts with AES-256-GCM; `about` names the row and is authenticated, so that rows cannot be swapped. */
  seal(plain: Buffer | string, about: string): Buffer;
  /** Decrypts; `stale` says that an older key closed it and the owner should seal it anew. Throws when nothing fits. */
  open(sealed: Buffer, about: string): { plain: Buffer; stale: boolean };
  /** Whether one of the keys closed it: an operator may have dropped the one that did. */
  opens(sealed: Buffer): boolean;
  /** A keyed digest of a text for one purpose (HMAC-SHA-256, base64url). */
  mac(purpose: string, text: string): string;
  /** Whether `given` is that digest under any of the keys, in constant time. */
  macMatches(purpose: string, text: string, given: string): boolean;
}

/** None of the keys closed it. */
export class WrongSecretKeys extends Error {}

const derive = (master: Buffer, use: string) =>
  Buffer.from(hkdfSync('sha256', master, '', `hemma ${use}`, 32));

function keyOf(encoded: string) {
  const master = Buffer.from(encoded, 'base64url');
  const encryption = derive(master, 'encryption');
  return {
    id: createHash('sha256').update(encryption).digest().subarray(0, 4),
    encryption,
    // As a key object: out of bytes one would be made at each digest, which costs four times as much as the digest.
    authentication: createSecretKey(derive(master, 'authentication')),
  };
}

const ivLength = 12;
const tagLength = 16;
const headLength = 4 + ivLength + tagLength;

/** @param encodedKeys 32 bytes each, base64url, newest first; at least one. */
export function vaultOf(encodedKeys: readonly string[]): Vault {
  const keys = encodedKeys.map(keyOf);
  const [newest] = keys;
  if (!newest) throw new Error('a vault needs a key');
  const digest = (key: typeof newest, purpose: string, text: string) =>
    createHmac('sha256', key.authentication).update(`${purpose}\0${text}`).digest();
  return {
    seal(plain, about) {
      const iv = randomBytes(ivLength);
      const cipher = createCipheriv('aes-256-gcm', newest.encryption, iv, { authTagLength: tagLength });
      cipher.setAAD(Buffer.from(about));
      const body = Buffer.concat([cipher.update(plain), cipher.final()]);
      return Buffer.concat([newest.id, iv, cipher.getAuthTag(), body]);
    },
    opens: (sealed) => keys.some(({ id }) => id.equals(sealed.subarray(0, 4))),
    open(sealed, about) {
      const key = keys.find(({ id }) => id.equals(sealed.subarray(0, 4)));
      if (!key) throw new WrongSecretKeys(`none of its keys opens ${about}`);
      const iv = sealed.subarray(4, 4 + ivLength);
      const decipher = createDecipheriv('aes-256-gcm', key.encryption, iv, { authTagLength: tagLength });
      decipher.setAAD(Buffer.from(about));
      decipher.setAuthTag(sealed.subarray(4 + ivLength, headLength));
      const plain = Buffer.concat([decipher.update(sealed.subarray(headLength)), decipher.final()]);
      return { plain, stale: key !== newest };
    },
    mac: (purpose, text) => digest(newest, purpose, text).toString('base64url'),
    macMatches(purpose, text, given) {
      const bytes = Buffer.from(given, 'base64url');
      return keys.some((key) => {
        const right = digest(key, purpose, text);
        return right.length === bytes.length && timingSafeEqual(right, bytes);
      });
    },
  };
}

/** A new secret of 256 bits, base64url. */
export const randomToken = (): string => randomBytes(32).toString('base64url');

/** SHA-256: enough for secrets of 112 bits and more (NIST SP 800-63B-4 §3.1.2.2), too fast for anything shorter. */
export const sha256 = (text: string): Buffer =>
  // By its hexadecimal text: a buffer out of the library is memory outside of JavaScript's, and takes twice as long.
  Buffer.from(hash('sha256', text, 'hex'), 'hex');
