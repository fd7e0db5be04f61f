/** How long a signed token takes while people flood in whose passwords are to be verified. */
import { setTimeout as wait } from 'node:timers/promises';
import { floodTarget } from './aims.ts';
import type { RoundResult } from './driver.ts';
import type { BenchEnvironment } from './ground.ts';
import type { Driver } from './rounds.ts';
import { startDriver } from './rounds.ts';
import { clientCredentialsJwt, passwordJourney } from './scenarios.ts';
import { formatMaxTarget, formatNumber, formatTable } from './tables.ts';
import type { BenchTarget } from './targets.ts';
import { startBaseline, startBenchHemma } from './targets.ts';

interface FloodResult {
  target: string;
  quiet: RoundResult;
  flooded: RoundResult;
  /** Sign-ins a second that came through meanwhile, and those that were turned away. */
  signIns: number;
  turnedAway: number;
}

/** Tokens are asked for at this pace, whatever the answers take: it is the wait that counts, not the rate. */
const tokenRequestsPerSecond = 50;
const floodConnections = 32;

const medianByP99 = (all: readonly RoundResult[]): RoundResult => {
  const sorted = all.toSorted((a, b) => a.p99 - b.p99);
  const one = sorted[Math.floor(sorted.length / 2)];
  if (!one) throw new Error('there were no rounds');
  return one;
};

interface FloodRounds {
  quiet: RoundResult[];
  flooded: RoundResult[];
  people: RoundResult[];
}

const emptyRounds = (): FloodRounds => ({ quiet: [], flooded: [], people: [] });

/** One round without the flood, and one in the middle of it. */
async function measureRound(signInDriver: Driver, tokenDriver: Driver, target: string, seconds: number) {
  const tokens = { do: 'run', target, scenario: clientCredentialsJwt.name, seconds } as const;
  const requestTokens = () => tokenDriver.ask({ ...tokens, perSecond: tokenRequestsPerSecond });
  const quiet = await requestTokens();
  // It has begun before the first token and lasts until after the last.
  const floodCommand = { do: 'run', target, scenario: passwordJourney.name, seconds: seconds + 1 } as const;
  const pendingFlood = signInDriver.ask({ ...floodCommand, mayRefuse: true });
  await wait(500);
  const flooded = await requestTokens();
  return { quiet, flooded, people: await pendingFlood };
}

function summarizeRounds(target: string, { quiet, flooded, people }: FloodRounds): FloodResult {
  const sum = (what: (one: RoundResult) => number) => people.reduce((all, one) => all + what(one), 0);
  const time = sum((one) => one.seconds);
  return {
    target,
    quiet: medianByP99(quiet),
    flooded: medianByP99(flooded),
    signIns: sum(({ ops, refused }) => ops - refused) / time,
    turnedAway: sum(({ refused }) => refused) / time,
  };
}

/** Rounds with the flood and without, in turns and at each target; the round of the middle p99 stands for all. */
export async function measureFlood({
  options,
  postgres,
  say: log,
  keep,
}: BenchEnvironment): Promise<FloodResult[]> {
  const [signInDriver, tokenDriver] = [await keep(startDriver()), await keep(startDriver())];
  const targets: BenchTarget[] = [
    await keep(startBaseline()),
    await keep(startBenchHemma({ name: 'hemma', on: { postgres, database: 'postgres' } })),
  ];
  for (const { address: target } of targets) {
    await signInDriver.ask({ do: 'open', target, connections: floodConnections });
    await tokenDriver.ask({ do: 'open', target, connections: 8 });
  }
  const rounds = targets.map(({ address }) => ({ name: address.name, ...emptyRounds() }));
  for (let turn = 0; turn <= options.rounds; turn += 1)
    for (const all of rounds) {
      const { quiet, flooded, people } = await measureRound(
        signInDriver,
        tokenDriver,
        all.name,
        options.seconds,
      );
      if (turn === 0) continue;
      all.quiet.push(quiet);
      all.flooded.push(flooded);
      all.people.push(people);
      log(`${all.name}: p99 ${formatNumber(quiet.p99)} ms, in the flood ${formatNumber(flooded.p99)} ms`);
    }
  return rounds.map((one) => summarizeRounds(one.name, one));
}

const tableHead = [
  `JWT client credentials, ${tokenRequestsPerSecond}/s`,
  'quiet p50 ms',
  'quiet p99 ms',
  'flood p50 ms',
  'flood p99 ms',
  'aim',
  'sign-ins/s',
  'turned away/s',
];

export const formatFlood = (all: readonly FloodResult[]): string =>
  formatTable(
    tableHead,
    all.map(({ target, quiet, flooded, signIns, turnedAway }) => [
      target,
      formatNumber(quiet.p50),
      formatNumber(quiet.p99),
      formatNumber(flooded.p50),
      formatNumber(flooded.p99),
      target === 'hemma' ? formatMaxTarget(flooded.p99, floodTarget, 'ms') : '',
      formatNumber(signIns),
      formatNumber(turnedAway),
    ]),
  );
