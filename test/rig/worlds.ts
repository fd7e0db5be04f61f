/** Where the two worlds of a test run meet: the tests' own, and the one outside that Node itself fills. */
import { isDate } from 'node:util/types';

/** The name under which either world finds `Outside` on its `globalThis`. */
export const OUTSIDE = 'rigOutside';

export interface Outside {
  /** Both worlds' time: milliseconds that `Date` is ahead of the real one, or the moment at which it is stopped. */
  clock: { ahead: number; stoppedAt?: number | undefined };
  /** Its `globalThis`. */
  world: typeof globalThis;
  /** Real time and real timers again. */
  putBack(): void;
  /** What a module exports, loaded by Node once per process. */
  load(path: string): Record<string, unknown>;
}

/** A world's own `Date`, made to tell the time by `clock`. */
export function travellingDate(RealDate: DateConstructor, clock: Outside['clock']): DateConstructor {
  const now = () => clock.stoppedAt ?? RealDate.now() + clock.ahead;
  class Travelling extends RealDate {
    constructor(...given: [] | [number]) {
      super(...(given.length === 0 ? ([now()] as const) : given));
    }
    static override now(): number {
      return now();
    }
    /** A date of the other world is a date. */
    static override [Symbol.hasInstance](value: unknown): boolean {
      return isDate(value);
    }
  }
  return Object.defineProperty(Travelling, 'name', { value: 'Date' }) as unknown as DateConstructor;
}
