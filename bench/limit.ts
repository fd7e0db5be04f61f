/** What no sign-in with a password can be faster than: the hash alone. */
import { hash, verify as argon2 } from '@node-rs/argon2';
import { argon2Cost } from './town.ts';

/** Verifies for so many seconds without a pause. */
export async function verifyHashesFor(
  seconds: number,
  threads: number,
): Promise<{ ops: number; seconds: number }> {
  const stored = await hash('a password', argon2Cost);
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
