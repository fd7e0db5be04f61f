/** What processes have cost so far, from the operating system's own accounting (proc(5)). */
import { readdirSync, readFileSync } from 'node:fs';

/** Linux tells in hundredths of a second, on every machine that this runs on (sysconf(_SC_CLK_TCK)). */
const clockTickUs = 10_000;

interface CpuTimes {
  parent: number;
  /** Microseconds, without and with its children that have ended. */
  own: number;
  all: number;
}

function readProcStat(pid: number): CpuTimes | undefined {
  let line: string;
  try {
    line = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The name of the program stands in brackets and may hold anything.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const [, parent] = fields;
  const [user, system, childUser, childSystem] = fields.slice(11, 15).map(Number);
  const own = ((user ?? 0) + (system ?? 0)) * clockTickUs;
  return { parent: Number(parent), own, all: own + ((childUser ?? 0) + (childSystem ?? 0)) * clockTickUs };
}

/** Microseconds of processor time of a process with all its threads. */
export const processCpuTime = (pid: number): number => readProcStat(pid)?.own ?? 0;

/** The same of PostgreSQL: the postmaster, its processes, and those of them that have ended. */
export function postgresCpuTime(postmaster: number): number {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcStat(Number(name)) ?? [])
    .filter(({ parent }) => parent === postmaster);
  return children.reduce((sum, { own }) => sum + own, readProcStat(postmaster)?.all ?? 0);
}

/** MiB of a process that are in memory. */
export function residentMemory(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1] ?? 0) / 1024;
}
