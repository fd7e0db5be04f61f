/** jest's Node environment, which also tells the rig when a test fails, before anything is cleaned up. */
import type { Circus } from '@jest/types';
import { TestEnvironment } from 'jest-environment-node';
import { LISTENERS, type Listener } from './on-failure.ts';

export default class RigEnvironment extends TestEnvironment {
  async handleTestEvent(event: Circus.AsyncEvent): Promise<void> {
    if (event.name !== 'test_fn_failure') return;
    const listeners = Reflect.get(this.global, LISTENERS) as Set<Listener> | undefined;
    const names = [event.test.name];
    for (let above = event.test.parent; above.parent; above = above.parent) names.unshift(above.name);
    await Promise.all([...(listeners ?? [])].map((listener) => listener(names.join(' '))));
  }
}
