/** `PASSWORD` as other systems hash it, by other programs than the provider's: crypt(3), the package argon2, node:crypto. */
import { pbkdf2Sync, randomBytes, scryptSync } from 'node:crypto';
import { PASSWORD } from '../rig/hemma.ts';

const salt = randomBytes(16);
const bare = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '');
const pbkdf2 = (digest: string, rounds: number, length: number, over: string | Buffer = salt) =>
  pbkdf2Sync(PASSWORD, over, rounds, length, digest);

/** The two parts of a credential in an export of Keycloak's. */
const keycloak = (digest: 'sha256' | 'sha512') => ({
  secretData: JSON.stringify({
    value: pbkdf2(digest, 27_500, 64).toString('base64'),
    salt: salt.toString('base64'),
    additionalParameters: {},
  }),
  credentialData: JSON.stringify({
    hashIterations: 27_500,
    algorithm: `pbkdf2-${digest}`,
    additionalParameters: {},
  }),
});

export const vectors: Record<string, string | object> = {
  'argon2id in the order of another library':
    '$argon2id$v=19$m=65536,p=4,t=3$5J28Ht7AY75c/n8jHA+42g$9c3WCCMovnc1Ygsv5XlLF5srX2E450gH79C5O5bA6TY',
  'bcrypt $2a': '$2a$08$abcdefghijklmnopqrstuuy0GVlRbLcEP0U7/8RhpLFMCAWcm.PAO',
  'bcrypt $2b': '$2b$10$abcdefghijklmnopqrstuuwPNdRqY8e6.2MWaEx4H26.2qi1bo4f6',
  'bcrypt $2y': '$2y$10$abcdefghijklmnopqrstuuwPNdRqY8e6.2MWaEx4H26.2qi1bo4f6',
  'PBKDF2-SHA256': `$pbkdf2-sha256$i=30000,l=32$${bare(salt)}$${bare(pbkdf2('sha256', 30_000, 32))}`,
  'PBKDF2-SHA512': `$pbkdf2-sha512$i=21000$${bare(salt)}$${bare(pbkdf2('sha512', 21_000, 64))}`,
  'PBKDF2 of passlib': `$pbkdf2-sha256$29000$${bare(salt).replaceAll('+', '.')}$${bare(pbkdf2('sha256', 29_000, 32)).replaceAll('+', '.')}`,
  'PBKDF2 of Django': `pbkdf2_sha256$26000$Y0m0WVzWJ7Vm$${pbkdf2('sha256', 26_000, 32, 'Y0m0WVzWJ7Vm').toString('base64')}`,
  'PBKDF2-SHA256 of Keycloak': keycloak('sha256'),
  'PBKDF2-SHA512 of Keycloak': keycloak('sha512'),
  scrypt: `$scrypt$ln=14,r=8,p=1$${bare(salt)}$${bare(scryptSync(PASSWORD, salt, 32))}`,
  'scrypt of Django': `scrypt$16384$Y0m0WVzWJ7Vm$8$1$${scryptSync(PASSWORD, 'Y0m0WVzWJ7Vm', 64).toString('base64')}`,
};

const tail = `${bare(salt)}$${bare(randomBytes(32))}`;

const argon2OfKeycloak = (memory: string, parallelism: string) =>
  JSON.stringify({
    value: randomBytes(32).toString('base64'),
    salt: salt.toString('base64'),
    algorithm: 'argon2',
    hashIterations: 2,
    additionalParameters: { type: ['id'], version: ['1.3'], memory: [memory], parallelism: [parallelism] },
  });

/** Hashes that nothing should ever verify: each with the code of its refusal. */
export const refused: Record<string, string> = {
  [`$argon2id$v=19$m=4194304,t=1,p=1$${tail}`]: 'costly-hash',
  [`$argon2id$v=19$m=262144,t=60,p=1$${tail}`]: 'costly-hash',
  [`$pbkdf2-sha256$i=1000000000$${tail}`]: 'costly-hash',
  [`pbkdf2_sha256$9999999999$saltsaltsalt$${randomBytes(32).toString('base64')}`]: 'costly-hash',
  [`$scrypt$ln=24,r=8,p=1$${tail}`]: 'costly-hash',
  '$2b$31$abcdefghijklmnopqrstuuwPNdRqY8e6.2MWaEx4H26.2qi1bo4f6': 'costly-hash',
  // One byte of hash: every 256th password would be right.
  [`$pbkdf2-sha256$i=30000$${bare(salt)}$Ag`]: 'malformed-hash',
  [`$argon2id$v=19$m=19456,t=2$${tail}`]: 'malformed-hash',
  '$2b$10$abcdefghijklmnopqrstuuwPNdRqY8e6.2MWaEx4H26': 'malformed-hash',
  '5f4dcc3b5aa765d61d8327deb882cf99': 'unknown-hash',
  [`$argon2i$v=19$m=19456,t=2,p=1$${tail}`]: 'unknown-hash',
  [`$constructor$i=1$${tail}`]: 'unknown-hash',
  // Half a kibibyte is kept by nobody and would be a fault at every sign-in.
  [argon2OfKeycloak('7168.5', '1')]: 'costly-hash',
  [argon2OfKeycloak('7168', '1.5')]: 'costly-hash',
  '{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=': 'unknown-hash',
};
