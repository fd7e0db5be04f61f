/**
 * Time travel inside this process: only `Date` is moved, every timer stays real, and the clock goes on from where
 * it was put. The provider takes its time from `Date` and never from SQL, so one jump moves all of it.
 */
import { type Outside, OUTSIDE } from './worlds.ts';

const outside = () => Reflect.get(globalThis, OUTSIDE) as Outside;

/** Goes `milliseconds` forward (or back, when negative) from what the clock says now. */
export function travel(milliseconds: number): void {
  const { clock } = outside();
  if (clock.stoppedAt === undefined) clock.ahead += milliseconds;
  else clock.stoppedAt += milliseconds;
}

/** Goes to a moment; the clock runs on from it. */
export function travelTo(moment: Date): void {
  travel(moment.getTime() - Date.now());
}

/** Back to the real present; call it in `afterEach` of every file that travels. */
export function back(): void {
  outside().clock.ahead = 0;
  outside().clock.stoppedAt = undefined;
}

/** Stops the clock, so that no budget recovers while a busy machine works; `travel` moves it on, `runOn` starts it. */
export function stopClock(): void {
  outside().clock.stoppedAt = Date.now();
}

/** Starts a stopped clock from where it is. */
export function runOn(): void {
  const { clock } = outside();
  const { stoppedAt } = clock;
  if (stoppedAt === undefined) return;
  clock.stoppedAt = undefined;
  travelTo(new Date(stoppedAt));
}

export interface HeldTimers {
  /** Lets so many milliseconds pass for those who wait: whose turn has come is called. */
  pass(milliseconds: number): void;
  /** From now on timers are real again; what was held is never called. */
  release(): void;
}

/** Holds every `setTimeout` of the product from now on; `Date` and all other waiting go on as they are. */
export function holdTimers(): HeldTimers {
  const { world } = outside();
  const real = { setTimeout: world.setTimeout, clearTimeout: world.clearTimeout };
  const held = new Map<unknown, { due: number; call: () => void }>();
  let passed = 0;
  const set = (call: (...given: unknown[]) => void, after = 0, ...given: unknown[]) => {
    const timer = { ref: () => timer, unref: () => timer };
    held.set(timer, { due: passed + after, call: () => call(...given) });
    return timer;
  };
  const clear = (timer: NodeJS.Timeout) => void (held.delete(timer) || real.clearTimeout(timer));
  Object.assign(world, { setTimeout: set, clearTimeout: clear });
  return {
    pass(milliseconds) {
      passed += milliseconds;
      for (const [timer, { due, call }] of held) if (due <= passed && held.delete(timer)) call();
    },
    release: () => void Object.assign(world, real),
  };
}

export const seconds = (count: number): number => count * 1000;
export const minutes = (count: number): number => seconds(count * 60);
export const hours = (count: number): number => minutes(count * 60);
export const days = (count: number): number => hours(count * 24);
