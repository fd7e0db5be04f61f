import { z } from 'zod';
import type { PhcHash } from '../../crypto/slow-hashes.ts';
import { parsePhc, formatPhc } from '../../crypto/slow-hashes.ts';

/** Why a hash of another system cannot be taken over. No fault ever repeats a part of the hash. */
export type HashFault = 'unknown-hash' | 'malformed-hash' | 'costly-hash';

type HashResult = { hash: string } | { fault: HashFault };

/** Costs are whole numbers: half a kibibyte would be kept, and never verified. */
const isIntegerBetween = (value: number | undefined, least: number, most: number): value is number =>
  value !== undefined && Number.isInteger(value) && value >= least && value <= most;

/**
 * What one verification may cost: about a second and 256 MiB. Whoever brings a dearer one (a slip, or an attack by
 * file) would let anybody who knows the address keep the provider busy with wrong passwords.
 */
interface HashAlgorithm {
  /** The names of its costs in the order in which they are kept; no more and no fewer may stand there. */
  costs: readonly string[];
  bearable: (costs: PhcHash['costs'], length: number) => boolean;
}

/** PBKDF2 works through all its iterations once for each block that its digest fills (RFC 8018 §5.2). */
const pbkdf2Algorithm = (digestBytes: number): HashAlgorithm => ({
  costs: ['i'],
  bearable: ({ i }, length) => isIntegerBetween(i, 1, 2_000_000 / Math.ceil(length / digestBytes)),
});

const algorithms: ReadonlyMap<string, HashAlgorithm> = new Map([
  [
    'argon2id',
    {
      costs: ['m', 't', 'p'],
      bearable: ({ m, t, p }) =>
        isIntegerBetween(p, 1, 16) &&
        isIntegerBetween(m, 8 * p, 262_144) &&
        isIntegerBetween(t, 1, 64) &&
        m * t <= 1_048_576,
    },
  ],
  ['pbkdf2-sha256', pbkdf2Algorithm(32)],
  ['pbkdf2-sha512', pbkdf2Algorithm(64)],
  [
    'scrypt',
    {
      costs: ['ln', 'r', 'p'],
      // N below 2^(16 r): RFC 7914 §6.
      bearable: ({ ln, r, p }) =>
        isIntegerBetween(r, 1, 32) &&
        isIntegerBetween(p, 1, 16) &&
        isIntegerBetween(ln, 1, Math.min(20, 16 * r - 1)) &&
        2 ** ln * r <= 2 ** 20 &&
        2 ** ln * r * p <= 2 ** 21,
    },
  ],
]);

/**
 * Judges a hash that was taken apart. A short one is malformed, not weak: of a hash of one byte every 256th password
 * would be right.
 */
function validateHash({ costs: { l: length, ...costs }, ...rest }: PhcHash): HashResult {
  const { name, version, salt, hash } = rest;
  const kind = algorithms.get(name);
  if (!kind) return { fault: 'unknown-hash' };
  const argon2 = name === 'argon2id';
  if (argon2 ? version !== 19 : version !== undefined) return { fault: 'unknown-hash' };
  const whole =
    kind.costs.length === Object.keys(costs).length && kind.costs.every((one) => costs[one] !== undefined);
  if (!whole || (length !== undefined && length !== hash.length)) return { fault: 'malformed-hash' };
  const [longestSalt, longestHash] = argon2 ? [48, 64] : [128, 128];
  if (!isIntegerBetween(salt.length, 8, longestSalt) || !isIntegerBetween(hash.length, 16, longestHash))
    return { fault: 'malformed-hash' };
  if (!kind.bearable(costs, hash.length)) return { fault: 'costly-hash' };
  const ordered = Object.fromEntries(kind.costs.map((one) => [one, costs[one] ?? 0]));
  return { hash: formatPhc({ ...rest, costs: ordered }) };
}

/** Modular crypt form: `$2b$`, two digits of cost, 22 letters of salt and 31 of hash. */
function parseBcryptHash(text: string): HashResult | undefined {
  if (!/^\$2[abxy]?\$/.test(text)) return undefined;
  const [, cost] = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(text) ?? [];
  if (cost === undefined) return { fault: 'malformed-hash' };
  return isIntegerBetween(Number(cost), 4, 14) ? { hash: text } : { fault: 'costly-hash' };
}

function decodeBase64(text: string): Buffer | undefined {
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}

/** `pbkdf2_sha256$600000$salt$hash` and `scrypt$16384$salt$8$1$hash` as Django writes them: the salt is plain text. */
function parseDjangoHash(text: string): HashResult | undefined {
  const [, digest, i = '', salt = '', hash = ''] =
    /^pbkdf2_(sha256|sha512)\$(\d{1,10})\$([^$]{1,128})\$([^$]{1,256})$/.exec(text) ?? [];
  const bytes = decodeBase64(hash);
  if (digest && bytes)
    return validateHash({
      name: `pbkdf2-${digest}`,
      version: undefined,
      costs: { i: Number(i) },
      salt: Buffer.from(salt),
      hash: bytes,
    });
  const scrypt = /^scrypt\$(\d{1,10})\$([^$]{1,128})\$(\d{1,6})\$(\d{1,6})\$([^$]{1,256})$/.exec(text);
  const [, n, text64 = '', r, p, last = ''] = scrypt ?? [];
  const output = decodeBase64(last);
  if (scrypt && output) {
    const ln = Math.log2(Number(n));
    if (!Number.isInteger(ln)) return { fault: 'malformed-hash' };
    const costs = { ln, r: Number(r), p: Number(p) };
    return validateHash({
      name: 'scrypt',
      version: undefined,
      costs,
      salt: Buffer.from(text64),
      hash: output,
    });
  }
  return /^(?:pbkdf2_sha(?:256|512)|scrypt)\$/.test(text) ? { fault: 'malformed-hash' } : undefined;
}

/** passlib leaves the name of its one cost away, and writes `.` for `+`: `$pbkdf2-sha256$29000$salt$hash`. */
const normalizePasslibHash = (text: string): string =>
  text
    .replace(/^(\$pbkdf2-sha(?:256|512)\$)(\d{1,10}\$)/, '$1i=$2')
    .replace(/^\$pbkdf2-.*$/, (whole) => whole.replaceAll('.', '+'));

function parsePhcHash(text: string): HashResult | undefined {
  const [, name = ''] = /^\$([a-z0-9-]{1,32})\$/.exec(text) ?? [];
  if (!algorithms.has(name)) return undefined;
  const taken = parsePhc(normalizePasslibHash(text));
  return taken ? validateHash(taken) : { fault: 'malformed-hash' };
}

const stringArray = z.array(z.string()).optional();
const base64Text = z.base64().max(256);
const secretData = z.object({ value: base64Text, salt: base64Text });
const credentialData = z.object({
  algorithm: z.string().max(40),
  hashIterations: z.number().int().positive(),
  additionalParameters: z
    .object({ type: stringArray, version: stringArray, memory: stringArray, parallelism: stringArray })
    .optional(),
});

/** JSON in a text, or the object itself; undefined for anything else. */
function parseObject(given: unknown): Record<string, unknown> | undefined {
  if (typeof given === 'object' && given !== null && !Array.isArray(given))
    return given as Record<string, unknown>;
  if (typeof given !== 'string' || !given.startsWith('{')) return undefined;
  try {
    return parseObject(JSON.parse(given));
  } catch {
    return undefined;
  }
}

/** A credential of Keycloak's: `secretData` and `credentialData` as its export has them, or the fields of both together. */
function parseKeycloakHash(given: unknown): HashResult | undefined {
  const outer = parseObject(given);
  if (!outer) return undefined;
  const secret = secretData.safeParse(parseObject(outer['secretData']) ?? outer);
  const credential = credentialData.safeParse(parseObject(outer['credentialData']) ?? outer);
  if (!secret.success || !credential.success) return { fault: 'malformed-hash' };
  const { algorithm, hashIterations, additionalParameters: more } = credential.data;
  const [salt, hash] = [secret.data.salt, secret.data.value].map((one) => Buffer.from(one, 'base64'));
  if (!salt || !hash) return { fault: 'malformed-hash' };
  if (algorithm.startsWith('pbkdf2-'))
    return validateHash({ name: algorithm, version: undefined, costs: { i: hashIterations }, salt, hash });
  if (algorithm !== 'argon2' || more?.type?.[0] !== 'id' || more.version?.[0] !== '1.3')
    return { fault: 'unknown-hash' };
  const costs = { m: Number(more.memory?.[0]), t: hashIterations, p: Number(more.parallelism?.[0]) };
  return validateHash({ name: 'argon2id', version: 19, costs, salt, hash });
}

/**
 * Reads a password's hash of another system (argon2id, bcrypt, PBKDF2 with SHA-256 or SHA-512, scrypt; in PHC form or
 * the one of passlib, Django or Keycloak) and answers with the one spelling that the house keeps.
 */
export function readForeignHash(given: unknown): HashResult {
  const read = parseKeycloakHash(given);
  if (read) return read;
  if (typeof given !== 'string') return { fault: 'malformed-hash' };
  const text = given.trim();
  return parseBcryptHash(text) ?? parseDjangoHash(text) ?? parsePhcHash(text) ?? { fault: 'unknown-hash' };
}
