/**
 * What the house gets for `@node-rs/argon2` while it runs inside the tests (`outside.ts` sees to it): the package itself,
 * but a secret that was once found right for a hash is not computed anew. People sign in thousands of times in a run, nearly
 * always with the same right password, and that was a quarter of all its computing. What is wrong, every guess and
 * every decoy, takes its full time each time: the tests that listen to the time listen to these.
 */
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type * as Argon2 from '@node-rs/argon2';
import { setImmediate as turn } from 'node:timers/promises';

const argon2 = createRequire(import.meta.url)('@node-rs/argon2') as typeof Argon2;

/** A secret and the whole text of a hash, with its salt and costs: whoever is right for it once always is. */
const right = new Set<string>();
const pair = (hash: string, secret: string) =>
  createHash('sha256').update(`${hash}\0`).update(secret).digest('base64');

/** What `createHasher` hashes for whoever has no hash: each start of a provider makes one more, and all are as good. */
const DECOY = 'nobody has this password';
const decoys = new Map<string, string>();

type Options = Parameters<typeof argon2.hash>[1];

/** As the package's `hash`; what it answers is remembered as right for the secret. */
export async function hash(secret: string, options?: Options): Promise<string> {
  if (secret === DECOY) {
    const costs = JSON.stringify(options);
    const decoy = decoys.get(costs) ?? (await argon2.hash(secret, options));
    decoys.set(costs, decoy);
    return decoy;
  }
  const made = await argon2.hash(secret, options);
  right.add(pair(made, secret));
  return made;
}

/** As the package's `verify`. */
export async function verify(hash: string, secret: string): Promise<boolean> {
  const asked = pair(hash, secret);
  if (right.has(asked)) {
    // An answer that is there at once would let nobody else in between, which a real one does.
    await turn();
    return true;
  }
  const answer = await argon2.verify(hash, secret);
  if (answer) right.add(asked);
  return answer;
}
