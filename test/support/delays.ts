/** The product's own waits, without the waiting: what it asked for is recorded. */
import { type Outside, OUTSIDE } from '../rig/worlds.ts';

export interface RecordedDelays {
  /** Milliseconds, in the order in which they were asked for. */
  asked: readonly number[];
  /** Real waits from now on. */
  release(): void;
}

type Delay = (ms?: number, value?: unknown) => Promise<unknown>;

/** Records each `setTimeout` of `node:timers/promises` in the product, and resolves it at once. */
export function recordDelays(): RecordedDelays {
  const outside = Reflect.get(globalThis, OUTSIDE) as Outside;
  const timers = outside.load('node:timers/promises') as { setTimeout: Delay };
  // Modules that imported the function by name read the new one only after this.
  const { syncBuiltinESMExports: sync } = outside.load('node:module') as {
    syncBuiltinESMExports: () => void;
  };
  const real = timers.setTimeout;
  const asked: number[] = [];
  timers.setTimeout = (ms = 0, value) => {
    asked.push(ms);
    return Promise.resolve(value);
  };
  sync();
  return {
    asked,
    release() {
      timers.setTimeout = real;
      sync();
    },
  };
}
