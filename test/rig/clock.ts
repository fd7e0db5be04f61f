/**
 * Time travel inside this process: only `Date` is replaced, every timer stays real, and the clock goes on from
 * where it was put. The provider takes its time from `Date` and never from SQL, so one jump moves all of it.
 */
import { jest } from '@jest/globals';

/** Everything that jest could fake besides `Date`; sockets, pools and time-outs must go on as they are. */
const stayReal = [
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'requestAnimationFrame',
  'cancelAnimationFrame',
  'requestIdleCallback',
  'cancelIdleCallback',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
] as const;

/** Goes `milliseconds` forward (or back, when negative) from what the clock says now. */
export function travel(milliseconds: number): void {
  travelTo(new Date(Date.now() + milliseconds));
}

/** Goes to a moment; the clock runs on from it. */
export function travelTo(moment: Date): void {
  jest.useFakeTimers({ now: moment, doNotFake: [...stayReal], advanceTimers: true });
}

/** Back to the real present; call it in `afterEach` of every file that travels. */
export function back(): void {
  jest.useRealTimers();
}

export const seconds = (count: number): number => count * 1000;
export const minutes = (count: number): number => seconds(count * 60);
export const hours = (count: number): number => minutes(count * 60);
export const days = (count: number): number => hours(count * 24);
