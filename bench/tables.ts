/** Text tables: what is said of the machine at their head, and figures in columns. */
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { availableParallelism, cpus } from 'node:os';

/** Columns are as wide as their longest entry; the first is set left, the others right. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]) =>
    widths
      .map((width, column) => {
        const text = row[column] ?? '';
        return column === 0 ? text.padEnd(width) : text.padStart(width);
      })
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}

/** Three figures that count, and no more digits than they have. */
export function formatNumber(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '-';
  const size = Math.abs(value);
  if (size >= 100) return String(Math.round(value));
  return value.toFixed(size >= 10 ? 1 : 2);
}

export const formatRatio = (value: number | undefined): string =>
  value === undefined || !Number.isFinite(value) ? '-' : value.toFixed(2);

/** Whether a figure is what it was aimed to be; `least` is the aim. */
export function formatTarget(value: number | undefined, minValue: number | undefined): string {
  if (minValue === undefined) return '';
  return `≥ ${minValue.toFixed(2)} ${value !== undefined && value >= minValue ? 'met' : 'NOT MET'}`;
}

/** The same for what must not be more than the aim. */
export const formatMaxTarget = (value: number, maxValue: number, unit: string): string =>
  `≤ ${maxValue} ${unit} ${value <= maxValue ? 'met' : 'NOT MET'}`;

function currentCommit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${changed ? ' with changes' : ''}`;
  } catch {
    return 'unknown';
  }
}

const packageVersion = (name: string): string => {
  const { version } = createRequire(import.meta.url)(`${name}/package.json`) as { version: string };
  return version;
};

/** What the figures hold for. */
export function describeEnvironment(postgres: string): Record<string, string> {
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    commit: currentCommit(),
    node: process.versions.node,
    postgres,
    'oidc-provider': packageVersion('oidc-provider'),
    argon2: packageVersion('@node-rs/argon2'),
    cores: `${availableParallelism()} (${cpus()[0]?.model.trim() ?? 'unknown'})`,
  };
}
