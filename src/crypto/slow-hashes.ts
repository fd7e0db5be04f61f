import type { ScryptOptions } from 'node:crypto';
import { pbkdf2, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { verify as verifyArgon2 } from '@node-rs/argon2';
import { verify as verifyBcrypt } from '@node-rs/bcrypt';

/** A password's hash as text, `$name$v=1$key=1,key=2$salt$hash` (the PHC string format), taken apart. */
export interface PhcHash {
  name: string;
  version: number | undefined;
  costs: Readonly<Record<string, number>>;
  salt: Buffer;
  hash: Buffer;
}

const phcPattern =
  /^\$(?<name>[a-z0-9-]{1,32})(?:\$v=(?<version>\d{1,4}))?\$(?<costs>[a-z]{1,8}=\d{1,10}(?:,[a-z]{1,8}=\d{1,10}){0,4})\$(?<salt>[A-Za-z0-9+/]{1,256})\$(?<hash>[A-Za-z0-9+/]{1,256})$/;

/** Takes such a text apart; undefined where it has another form. Whether its costs are bearable is not judged here. */
export function parsePhc(text: string): PhcHash | undefined {
  const groups = phcPattern.exec(text)?.groups;
  if (!groups) return undefined;
  const { name = '', version, costs = '', salt = '', hash = '' } = groups;
  const named = costs.split(',').map((cost) => cost.split('=') as [string, string]);
  return {
    name,
    version: version === undefined ? undefined : Number(version),
    costs: Object.fromEntries(named.map(([key, value]) => [key, Number(value)])),
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  };
}

const toUnpaddedBase64 = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '');

/** Puts it together again: the one spelling in which the house keeps it. */
export function formatPhc({ name, version, costs, salt, hash }: PhcHash): string {
  const named = Object.entries(costs).map(([key, value]) => `${key}=${value}`);
  const versionPart = version === undefined ? '' : `$v=${version}`;
  return `$${name}${versionPart}$${named.join(',')}$${toUnpaddedBase64(salt)}$${toUnpaddedBase64(hash)}`;
}

const derivePbkdf2 = promisify(pbkdf2);
const deriveScrypt = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

/** Bytes that scrypt takes with N = 2^ln (RFC 7914 §2), with room for what it needs besides. */
const scryptMaxMemory = (ln: number, r: number, p: number): number => 128 * r * (2 ** ln + p) + 2 ** 20;

function deriveHash({ name, costs, salt, hash }: PhcHash, secret: string): Promise<Buffer> {
  const { i = 0, ln = 0, r = 0, p = 0 } = costs;
  if (name === 'pbkdf2-sha256') return derivePbkdf2(secret, salt, i, hash.length, 'sha256');
  if (name === 'pbkdf2-sha512') return derivePbkdf2(secret, salt, i, hash.length, 'sha512');
  if (name !== 'scrypt') throw new Error('a hash of a kind that nothing here reads');
  const options = { N: 2 ** ln, r, p, maxmem: scryptMaxMemory(ln, r, p) };
  return deriveScrypt(secret, salt, hash.length, options);
}

/**
 * Verifies a secret against a hash of any kind that the house takes in: argon2, bcrypt, PBKDF2, scrypt, in constant time
 * and off the main thread. bcrypt reads no more than 72 bytes of a secret, as where the hash comes from. Throws for a
 * text that is none of them: nothing else is ever stored.
 */
export async function verifySlowHash(hash: string, secret: string): Promise<boolean> {
  if (hash.startsWith('$argon2')) return verifyArgon2(hash, secret);
  if (hash.startsWith('$2')) return verifyBcrypt(secret, hash);
  const phc = parsePhc(hash);
  if (!phc) throw new Error('a hash of a form that nothing here reads');
  return timingSafeEqual(await deriveHash(phc, secret), phc.hash);
}
