/**
 * Stands in the provider's process before `@node-rs/argon2`: the hashes of `plain` people are checked without its
 * cost, all others by the package itself. So the same process, with no setting of the product, shows a sign-in with the
 * hash and without it.
 */
import * as argon2 from '@node-rs/argon2';
import { freeHash, isFreeHash } from './town.ts';

export * from '@node-rs/argon2';

export const verify: typeof argon2.verify = async (stored, secret, ...more) =>
  isFreeHash(String(stored)) ? freeHash(String(secret)) === stored : argon2.verify(stored, secret, ...more);
