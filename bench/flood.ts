/** How long a signed token takes while people flood in whose passwords are to be verified. */
import { setTimeout as wait } from 'node:timers/promises';
import { floodAim } from './aims.ts';
import type { Driven } from './driver.ts';
import type { Ground } from './ground.ts';
import type { Driver } from './rounds.ts';
import { startDriver } from './rounds.ts';
import { clientCredentialsJwt, passwordJourney } from './scenarios.ts';
import { below, number, table } from './tables.ts';
import type { Target } from './targets.ts';
import { startBaseline, startHemma } from './targets.ts';

interface Flooded {
  target: string;
  quiet: Driven;
  flooded: Driven;
  /** Sign-ins a second that came through meanwhile, and those that were turned away. */
  signIns: number;
  turnedAway: number;
}

/** Tokens are asked for at this pace, whatever the answers take: it is the wait that counts, not the rate. */
const tokensPerSecond = 50;
const flooding = 32;

const middle = (all: readonly Driven[]): Driven => {
  const sorted = all.toSorted((a, b) => a.p99 - b.p99);
  const one = sorted[Math.floor(sorted.length / 2)];
  if (!one) throw new Error('there were no rounds');
  return one;
};

interface Rounds {
  quiet: Driven[];
  flooded: Driven[];
  people: Driven[];
}

const noRounds = (): Rounds => ({ quiet: [], flooded: [], people: [] });

/** One round without the flood, and one in the middle of it. */
async function both(crowd: Driver, asker: Driver, target: string, seconds: number) {
  const tokens = { do: 'run', target, scenario: clientCredentialsJwt.name, seconds } as const;
  const ask = () => asker.ask({ ...tokens, perSecond: tokensPerSecond });
  const quiet = await ask();
  // It has begun before the first token and lasts until after the last.
  const rush = { do: 'run', target, scenario: passwordJourney.name, seconds: seconds + 1 } as const;
  const coming = crowd.ask({ ...rush, mayRefuse: true });
  await wait(500);
  const flooded = await ask();
  return { quiet, flooded, people: await coming };
}

function judged(target: string, { quiet, flooded, people }: Rounds): Flooded {
  const sum = (what: (one: Driven) => number) => people.reduce((all, one) => all + what(one), 0);
  const time = sum((one) => one.seconds);
  return {
    target,
    quiet: middle(quiet),
    flooded: middle(flooded),
    signIns: sum(({ ops, refused }) => ops - refused) / time,
    turnedAway: sum(({ refused }) => refused) / time,
  };
}

/** Rounds with the flood and without, in turns and at each target; the round of the middle p99 stands for all. */
export async function flood({ options, postgres, say, keep }: Ground): Promise<Flooded[]> {
  const [crowd, asker] = [await keep(startDriver()), await keep(startDriver())];
  const targets: Target[] = [
    await keep(startBaseline()),
    await keep(startHemma({ name: 'hemma', on: { postgres, database: 'postgres' } })),
  ];
  for (const { address: target } of targets) {
    await crowd.ask({ do: 'open', target, connections: flooding });
    await asker.ask({ do: 'open', target, connections: 8 });
  }
  const rounds = targets.map(({ address }) => ({ name: address.name, ...noRounds() }));
  for (let turn = 0; turn <= options.rounds; turn += 1)
    for (const all of rounds) {
      const { quiet, flooded, people } = await both(crowd, asker, all.name, options.seconds);
      if (turn === 0) continue;
      all.quiet.push(quiet);
      all.flooded.push(flooded);
      all.people.push(people);
      say(`${all.name}: p99 ${number(quiet.p99)} ms, in the flood ${number(flooded.p99)} ms`);
    }
  return rounds.map((one) => judged(one.name, one));
}

const head = [
  `JWT client credentials, ${tokensPerSecond}/s`,
  'quiet p50 ms',
  'quiet p99 ms',
  'flood p50 ms',
  'flood p99 ms',
  'aim',
  'sign-ins/s',
  'turned away/s',
];

export const floodText = (all: readonly Flooded[]): string =>
  table(
    head,
    all.map(({ target, quiet, flooded, signIns, turnedAway }) => [
      target,
      number(quiet.p50),
      number(quiet.p99),
      number(flooded.p50),
      number(flooded.p99),
      target === 'hemma' ? below(flooded.p99, floodAim, 'ms') : '',
      number(signIns),
      number(turnedAway),
    ]),
  );
