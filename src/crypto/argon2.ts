import { hash as argon2 } from '@node-rs/argon2';
import { verifySlowHash } from './slow-hashes.ts';

// argon2id is the package's own default. OWASP's second choice of cost, counted equal to 46 MiB and one pass; lighter on memory when many sign in at once.
const argon2Cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
const hashPrefix = `$argon2id$v=19$m=${argon2Cost.memoryCost},t=${argon2Cost.timeCost},p=${argon2Cost.parallelism}$`;

/** Slow hashes for secrets that people carry, at most so many at once as the operator allows. */
export interface Hasher {
  hash(secret: string): Promise<string>;
  /** Verifies in constant time, hashes of other makes too; without one it works against a decoy of ours and says no. */
  verify(hash: string | undefined, secret: string): Promise<boolean>;
  /** Whether a hash is of another make, or was made with other parameters than today's. */
  outdated(hash: string): boolean;
}

/** What whoever comes in holds until they are through with their hashes. */
export interface QueueSlot {
  leave(): void;
}

/** The hasher of a process. */
export interface SharedHasher extends Hasher {
  /**
   * A place among those who wait, for whoever may come from anywhere: taken before anything is looked up or counted, so
   * that turning somebody away costs next to nothing, charges them nothing and cannot tell of an account. Whoever would
   * wait longer than the operator allows is told after how many seconds it is worth coming again.
   */
  takePlace(): QueueSlot | { seconds: number };
  /** How many wait, how many hashes are being computed, and how many were turned away since the start. */
  load(): { waiting: number; running: number; turnedAway: number };
}

/**
 * More wait than can be served in time. It is nothing that the sender did: 503 (RFC 9110 §15.6.4), where 429 (RFC 6585
 * §4) is for budgets that a sender has spent.
 */
class OverloadedError extends Error {
  readonly status = 503;
  readonly expose = true;
  /** When it is worth coming again. */
  readonly seconds: number;
  constructor(seconds: number) {
    super('busy');
    this.seconds = seconds;
  }
}

/** The same hasher for the doors of operators and programs, which take no place before: each new hash takes its own, or throws. */
export const withLoadShedding = (hasher: SharedHasher): SharedHasher => ({
  ...hasher,
  async hash(secret) {
    const slot = hasher.takePlace();
    if ('seconds' in slot) throw new OverloadedError(slot.seconds);
    try {
      return await hasher.hash(secret);
    } finally {
      slot.leave();
    }
  },
});

interface HasherOptions {
  /** Seconds that anybody waits at most. */
  patience?: number;
  /** Hears of each turn how long it was waited for, in seconds. */
  observe?: (seconds: number) => void;
}

/** Lets at most `places` pieces of work run at once; the others wait in the order they came. */
export function createLimiter(concurrency: number) {
  let free = concurrency;
  const waiting: (() => void)[] = [];
  const run = async <T>(work: () => Promise<T>): Promise<T> => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
  return { run, running: () => concurrency - free, waiting: () => waiting.length };
}

/** No machine computes a hash in less: what bounds how many wait before one was measured. */
const minHashSeconds = 0.01;

/** The seconds that a hash takes: a running mean, the last ten or so counting most. */
function createRunningMean(first: number) {
  let mean = first;
  return {
    seconds: () => Math.max(mean, minHashSeconds),
    note: (seconds: number) => void (mean += (seconds - mean) / 10),
  };
}

/**
 * @param threads Hashes computed at once. Hashing shares its threads with token signing: cores - 1 keeps a
 * flood of sign-ins from starving the token endpoint.
 */
export async function createHasher(
  threads: number,
  { patience: maxWaitSeconds = Number.POSITIVE_INFINITY, observe: onWait }: HasherOptions = {},
): Promise<SharedHasher> {
  const limiter = createLimiter(threads);
  const decoyStartedAt = performance.now();
  const decoyHash = await argon2('nobody has this password', argon2Cost);
  const hashDuration = createRunningMean((performance.now() - decoyStartedAt) / 1000);
  let slotsInUse = 0;
  let rejected = 0;
  const runLimited = <T>(work: () => Promise<T>): Promise<T> => {
    const queuedAt = performance.now();
    return limiter.run(async () => {
      const startedAt = performance.now();
      onWait?.((startedAt - queuedAt) / 1000);
      const result = await work();
      hashDuration.note((performance.now() - startedAt) / 1000);
      return result;
    });
  };
  return {
    hash: (secret) => runLimited(() => argon2(secret, argon2Cost)),
    async verify(hash, secret) {
      const matches = await runLimited(() => verifySlowHash(hash ?? decoyHash, secret));
      return matches && hash !== undefined;
    },
    outdated: (hash) => !hash.startsWith(hashPrefix),
    takePlace() {
      // Not everybody who waits has a place: who proved something already is never turned away.
      const queueLength = Math.max(slotsInUse, limiter.waiting() + limiter.running());
      const seconds = (queueLength * hashDuration.seconds()) / threads;
      if (seconds > maxWaitSeconds) {
        rejected += 1;
        // Spread: whoever is turned away together would come again together.
        return { seconds: Math.max(1, Math.ceil(maxWaitSeconds * (1 + Math.random()))) };
      }
      slotsInUse += 1;
      return { leave: () => void (slotsInUse -= 1) };
    },
    load: () => ({ waiting: limiter.waiting(), running: limiter.running(), turnedAway: rejected }),
  };
}
