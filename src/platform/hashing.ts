import { hash as argon2 } from '@node-rs/argon2';
import { verifySlowHash } from './slow-hashes.ts';

// argon2id is the package's own default. OWASP's second choice of cost, counted equal to 46 MiB and one pass; lighter on memory when many sign in at once.
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
const marks = `$argon2id$v=19$m=${cost.memoryCost},t=${cost.timeCost},p=${cost.parallelism}$`;

/** Slow hashes for secrets that people carry, at most so many at once as the operator allows. */
export interface Hasher {
  hash(secret: string): Promise<string>;
  /** Verifies in constant time, hashes of other makes too; without one it works against a decoy of ours and says no. */
  verify(hash: string | undefined, secret: string): Promise<boolean>;
  /** Whether a hash is of another make, or was made with other parameters than today's. */
  outdated(hash: string): boolean;
}

/** The hasher of a process. */
export interface SharedHasher extends Hasher {
  /** How many wait, and how many hashes are being computed. */
  load(): { waiting: number; running: number };
}

interface Options {
  /** Hears of each turn how long it was waited for, in seconds. */
  observe?: (seconds: number) => void;
}

/** Lets at most `places` pieces of work run at once; the others wait in the order they came. */
export function turnstile(places: number) {
  let free = places;
  const waiting: (() => void)[] = [];
  const run = async <T>(work: () => Promise<T>): Promise<T> => {
    if (free > 0) free -= 1;
    else await new Promise<void>((turn) => waiting.push(turn));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
  return { run, running: () => places - free, waiting: () => waiting.length };
}

/**
 * @param threads Hashes computed at once. Hashing shares its threads with token signing: cores - 1 keeps a
 * flood of sign-ins from starving the token endpoint.
 */
export async function hasherOf(threads: number, { observe }: Options = {}): Promise<SharedHasher> {
  const benches = turnstile(threads);
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const since = performance.now();
    return benches.run(() => {
      observe?.((performance.now() - since) / 1000);
      return work();
    });
  };
  const decoy = await argon2('nobody has this password', cost);
  return {
    hash: (secret) => inTurn(() => argon2(secret, cost)),
    async verify(hash, secret) {
      const right = await inTurn(() => verifySlowHash(hash ?? decoy, secret));
      return right && hash !== undefined;
    },
    outdated: (hash) => !hash.startsWith(marks),
    load: () => ({ waiting: benches.waiting(), running: benches.running() }),
  };
}
