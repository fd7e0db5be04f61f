/** People who sign out of applications of every manner, and what the page afterwards tells them. */
import { expect } from '@jest/globals';
import type { ClientDescription } from '../../src/clients/schema.ts';
import { newPerson, type Person } from '../protocol/people.ts';
import type { Hemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import type { Screen } from '../rig/visitor.ts';

export interface Street {
  application(name: string, description?: Partial<ClientDescription>): Promise<RelyingParty>;
  /** A new person who is signed in to these. */
  signedInTo(...parties: RelyingParty[]): Promise<Person>;
  stop(): Promise<void>;
}

/** The applications around one provider. */
export function streetOf(hemma: Hemma): Street {
  const apps: RelyingParty[] = [];
  return {
    async application(name, description = {}) {
      const app = await startRelyingParty({ hemma, description: { name, ...description } });
      apps.push(app);
      return app;
    },
    async signedInTo(...parties) {
      const person = await newPerson(hemma, { twoStep: false });
      for (const party of parties) await person.signInTo(party);
      return person;
    },
    stop: async () => void (await Promise.all(apps.map((app) => app.stop()))),
  };
}

export async function signOut(hemma: Hemma, { visitor }: Person): Promise<Screen> {
  await visitor.visit(hemma.url('/session/end'));
  return visitor.submit({}, 'logout=yes');
}

/** What the page says of each application. */
export const results = ({ page }: Screen): Record<string, string> =>
  Object.fromEntries(
    page.querySelectorAll('[data-outcome]').map((line) => {
      const [name = '', words = ''] = line.textContent.split(': ');
      return [name, words];
    }),
  );

/** Looks again, as the person does who follows the link, until it stands so: ten seconds at the most. */
export async function until(person: Person, wanted: Record<string, string>): Promise<Screen> {
  for (let turn = 0; turn < 200; turn++) {
    const screen = await person.visitor.visit(person.visitor.screen.url);
    if (Object.entries(wanted).every(([name, words]) => results(screen)[name] === words)) break;
    await new Promise((done) => setTimeout(done, 50));
  }
  expect(results(person.visitor.screen)).toEqual(wanted);
  return person.visitor.screen;
}
