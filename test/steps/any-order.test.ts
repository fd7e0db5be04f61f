/** Through the front door, in any order: no sign-in ends whose factors were not proved in it, by its account. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { signInFirst } from '../rig/ceremony.ts';
import { back, hours, travel } from '../rig/clock.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor } from '../rig/visitor.ts';
import { seedOf } from './seed.ts';
import { type Deed, type Enrolled, newWanderer, type Who } from './wanderer.ts';

let hemma: Hemma;
let autopay: RelyingParty;

beforeAll(async () => {
  hemma = await startHemma();
  autopay = await startRelyingParty({ hemma });
});
afterAll(async () => {
  await autopay.stop();
  await hemma.stop();
});
afterEach(back);

const seed = seedOf();
const walks = 60;

const steps = fc.constantFrom(
  'password',
  'other-account',
  'totp',
  'another-way',
  'recovery-code',
  'new-recovery-code',
  'enrollment',
  're-enrollment',
  'mailed-code',
  'help-desk',
  'forgotten-password',
  'password-and-code',
  'new-password',
  'consent',
  'confirm',
);
const who = fc.constantFrom<Who>(0, 0, 1);
const begin = fc.constantFrom('plain' as const, 'login' as const, 'level-2' as const);
/** The right page most of the time, any other now and then. */
const mostly = (step: string) =>
  fc.oneof({ arbitrary: fc.constant(step), weight: 4 }, { arbitrary: steps, weight: 1 });

const deeds: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('as-asked' as const), who }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('new-tab' as const), begin }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('tab' as const), number: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reload' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('back' as const), pages: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      seconds: fc.constantFrom(1, 31, 65, 1_750, 1_900, 3_700, 37_000, 2_600_000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('password' as const),
      who,
      right: fc.boolean(),
      at: mostly('password'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('digits' as const),
      who,
      kind: fc.constantFrom('right' as const, 'wrong' as const, 'replayed' as const, 'stale' as const),
      remember: fc.boolean(),
      at: mostly('totp'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('post' as const), at: steps }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('open' as const), at: steps }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('choose' as const),
      choice: fc.constantFrom('switch' as const, 'stay' as const),
    }),
  },
);

const fewest = 12;

let number = 0;
async function enrolled(): Promise<Enrolled> {
  const email = `person-${++number}@example.com`;
  const { id } = await hemma.account({ email });
  const { key } = await signInFirst(newVisitor(), (await autopay.begin()).url, email);
  return {
    id,
    email,
    password: PASSWORD,
    key,
    lastStep: Math.floor(Date.now() / 30_000),
    lastDigits: undefined,
  };
}

test(`in any order no sign-in ends that was not earned, over up to ${walks} walks (seed ${seed})`, async () => {
  let [walked, finished] = [0, 0];
  let people: [Enrolled, Enrolled] | undefined;
  // A slow machine walks less often, but often enough to prove something. Real time: the walks travel in the other.
  const until = performance.now() + 12_000;
  const walk = fc.asyncProperty(fc.array(deeds, { minLength: 6, maxLength: 18 }), async (path) => {
    if (walked >= fewest && performance.now() > until) return;
    // Two people go five walks, in a new browser each time; two hours let every pause between them pass.
    if (!people || walked % 5 === 0) people = [await enrolled(), await enrolled()];
    walked += 1;
    travel(hours(2));
    const wanderer = newWanderer(autopay, people);
    await wanderer.go({ do: 'new-tab', begin: 'plain' });
    for (const deed of path) await wanderer.go(deed);
    finished += wanderer.finished();
  });
  await fc.assert(walk, { seed, numRuns: walks });
  // Walks that lead nowhere would prove nothing.
  expect(finished).toBeGreaterThan(walked / 4);
});
