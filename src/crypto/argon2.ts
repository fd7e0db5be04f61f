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

/** What whoever comes in holds until they are through with their hashes. */
export interface Place {
  leave(): void;
}

/** The hasher of a process. */
export interface SharedHasher extends Hasher {
  /**
   * A place among those who wait, for whoever may come from anywhere: taken before anything is looked up or counted, so
   * that turning somebody away costs next to nothing, charges them nothing and cannot tell of an account. Whoever would
   * wait longer than the operator allows is told after how many seconds it is worth coming again.
   */
  takePlace(): Place | { seconds: number };
  /** How many wait, how many hashes are being computed, and how many were turned away since the start. */
  load(): { waiting: number; running: number; turnedAway: number };
}

/**
 * More wait than can be served in time. It is nothing that the sender did: 503 (RFC 9110 §15.6.4), where 429 (RFC 6585
 * §4) is for budgets that a sender has spent.
 */
class Overloaded extends Error {
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
export const turningAway = (hasher: SharedHasher): SharedHasher => ({
  ...hasher,
  async hash(secret) {
    const place = hasher.takePlace();
    if ('seconds' in place) throw new Overloaded(place.seconds);
    try {
      return await hasher.hash(secret);
    } finally {
      place.leave();
    }
  },
});

interface Options {
  /** Seconds that anybody waits at most. */
  patience?: number;
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

/** No machine computes a hash in less: what bounds how many wait before one was measured. */
const shortest = 0.01;

/** The seconds that a hash takes: a running mean, the last ten or so counting most. */
function paceFrom(first: number) {
  let mean = first;
  return {
    seconds: () => Math.max(mean, shortest),
    note: (seconds: number) => void (mean += (seconds - mean) / 10),
  };
}

/**
 * @param threads Hashes computed at once. Hashing shares its threads with token signing: cores - 1 keeps a
 * flood of sign-ins from starving the token endpoint.
 */
export async function hasherOf(
  threads: number,
  { patience = Number.POSITIVE_INFINITY, observe }: Options = {},
): Promise<SharedHasher> {
  const benches = turnstile(threads);
  const begun = performance.now();
  const decoy = await argon2('nobody has this password', cost);
  const pace = paceFrom((performance.now() - begun) / 1000);
  let held = 0;
  let turnedAway = 0;
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const since = performance.now();
    return benches.run(async () => {
      const started = performance.now();
      observe?.((started - since) / 1000);
      const done = await work();
      pace.note((performance.now() - started) / 1000);
      return done;
    });
  };
  return {
    hash: (secret) => inTurn(() => argon2(secret, cost)),
    async verify(hash, secret) {
      const right = await inTurn(() => verifySlowHash(hash ?? decoy, secret));
      return right && hash !== undefined;
    },
    outdated: (hash) => !hash.startsWith(marks),
    takePlace() {
      // Not everybody who waits has a place: who proved something already is never turned away.
      const before = Math.max(held, benches.waiting() + benches.running());
      const seconds = (before * pace.seconds()) / threads;
      if (seconds > patience) {
        turnedAway += 1;
        // Spread: whoever is turned away together would come again together.
        return { seconds: Math.max(1, Math.ceil(patience * (1 + Math.random()))) };
      }
      held += 1;
      return { leave: () => void (held -= 1) };
    },
    load: () => ({ waiting: benches.waiting(), running: benches.running(), turnedAway }),
  };
}
