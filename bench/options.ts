/** What the benchmark is asked for on its command line. */
import { parseArgs } from 'node:util';

export interface BenchOptions {
  rounds: number;
  seconds: number;
  connections: number;
  quick: boolean;
  /** Names of scenarios; all where empty. */
  only: readonly string[];
  json: boolean;
  pglite: boolean;
  /** The tables besides the first; it is printed where none of them is asked for. */
  sizes: readonly number[];
  processes: boolean;
  storage: boolean;
  flood: boolean;
  /** Sign-ins between two looks at the memory. */
  memory: number | undefined;
  /** Seconds that PostgreSQL is away. */
  away: number | undefined;
}

export const usage = `npm run bench -- [options]
  --quick            a minute for all of it: short rounds, rough figures
  --rounds n         rounds of each scenario at each target, after one for warming up (5)
  --seconds s        seconds of each round (3)
  --connections n    operations under way at once, at most 64 (16)
  --only a,b         these scenarios alone
  --pglite           Hemma on PGlite as well
  --sizes [a,b,c]    instead: the core scenarios among so many accounts (1000,100000,1000000)
  --processes        instead: one process and two
  --storage          instead: the library over a Map and over Hemma's storage, and Hemma; no pages
  --flood            instead: signed tokens during a flood of sign-ins
  --memory [n]       instead: memory at rest and after so many sign-ins (100000)
  --away [s]         instead: PostgreSQL hangs and is gone for so many seconds each (20)
  --json             figures for programs`;

const parseCount = (text: string | undefined, otherwise: number): number => {
  const value = text === undefined ? otherwise : Number(text);
  if (!(value > 0)) throw new Error(`${text} is not a number of anything`);
  return value;
};

const parseList = (text: string | undefined): string[] => (text ?? '').split(',').filter(Boolean);

const optionTypes = {
  help: { type: 'boolean', default: false },
  quick: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  pglite: { type: 'boolean', default: false },
  processes: { type: 'boolean', default: false },
  storage: { type: 'boolean', default: false },
  flood: { type: 'boolean', default: false },
  sizes: { type: 'string' },
  memory: { type: 'string' },
  away: { type: 'string' },
  only: { type: 'string' },
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  connections: { type: 'string' },
} as const;

/** These may stand alone. */
const optionDefaults: Readonly<Record<string, string>> = {
  '--sizes': '--sizes=1000,100000,1000000',
  '--memory': '--memory=100000',
  '--away': '--away=20',
};

const expandDefaults = (args: readonly string[]): string[] =>
  args.flatMap((arg, at) => {
    const next = args[at + 1];
    return next === undefined || next.startsWith('-') ? (optionDefaults[arg] ?? arg) : arg;
  });

/** Undefined where help is asked for. Throws where something stands there that means nothing. */
export function parseOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({ args: expandDefaults(args), options: optionTypes });
  const { quick } = values;
  if (values.help) return undefined;
  return {
    quick,
    rounds: parseCount(values.rounds, 5),
    seconds: parseCount(values.seconds, quick ? 0.15 : 3),
    connections: Math.min(64, parseCount(values.connections, quick ? 8 : 16)),
    only: parseList(values.only),
    json: values.json,
    pglite: values.pglite,
    sizes: parseList(values.sizes).map((size) => parseCount(size, 0)),
    processes: values.processes,
    storage: values.storage,
    flood: values.flood,
    memory: values.memory === undefined ? undefined : parseCount(values.memory, 0),
    away: values.away === undefined ? undefined : parseCount(values.away, 0),
  };
}
