/** Lets a part of the rig do something while a failed test's pages are still open; `environment.ts` calls it. */

export type Listener = (test: string) => Promise<void>;

/** Where the environment, which lives outside the tests' modules, finds the listeners of the file. */
export const LISTENERS = 'rigFailureListeners';

/** Registers a listener for this test file and answers how to take it away. */
export function onFailure(listener: Listener): () => void {
  const listeners = (Reflect.get(globalThis, LISTENERS) as Set<Listener> | undefined) ?? new Set<Listener>();
  Reflect.set(globalThis, LISTENERS, listeners);
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
