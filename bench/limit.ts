/** What no sign-in with a password can be faster than: the hash alone. */
import { hash, verify as argon2 } from '@node-rs/argon2';
import { cost } from './town.ts';

interface Turnstile {
  inTurn: <T>(work: () => Promise<T>) => Promise<T>;
  verify: (stored: string, secret: string) => Promise<boolean>;
}

/** Lets as much work run at once as there are threads; the rest waits in the order that it came. */
export function turnstile(threads: number): Turnstile {
  let free = threads;
  const waiting: (() => void)[] = [];
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
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
  return { inTurn, verify: (stored, secret) => inTurn(() => argon2(stored, secret)) };
}

/** Verifies for so many seconds without a pause. */
export async function verifyFor(seconds: number, threads: number): Promise<{ ops: number; seconds: number }> {
  const stored = await hash('a password', cost);
  const begun = performance.now();
  let ops = 0;
  const one = async () => {
    while (performance.now() - begun < seconds * 1000) {
      if (!(await argon2(stored, 'a password'))) throw new Error('a right password was refused');
      ops += 1;
    }
  };
  await Promise.all(Array.from({ length: threads }, one));
  return { ops, seconds: (performance.now() - begun) / 1000 };
}
