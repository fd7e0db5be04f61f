/** jest's Node environment, told what the rig needs to know: the world outside, and when a test fails. */
import type { Circus } from '@jest/types';
import { TestEnvironment } from 'jest-environment-node';
import { LISTENERS, type Listener } from './on-failure.ts';
import { type Outside, OUTSIDE, travellingDate } from './worlds.ts';

export default class RigEnvironment extends TestEnvironment {
  private readonly outside = Reflect.get(globalThis, OUTSIDE) as Outside;

  override async setup(): Promise<void> {
    await super.setup();
    Reflect.set(this.global, OUTSIDE, this.outside);
    this.global.Date = travellingDate(this.global.Date, this.outside.clock);
  }

  async handleTestEvent(event: Circus.AsyncEvent): Promise<void> {
    // Whatever a file did to the time ends with it.
    if (event.name === 'run_finish') this.outside.putBack();
    if (event.name !== 'test_fn_failure') return;
    // Before anything is cleaned up.
    const listeners = Reflect.get(this.global, LISTENERS) as Set<Listener> | undefined;
    const names = [event.test.name];
    for (let above = event.test.parent; above.parent; above = above.parent) names.unshift(above.name);
    await Promise.all([...(listeners ?? [])].map((listener) => listener(names.join(' '))));
  }
}
