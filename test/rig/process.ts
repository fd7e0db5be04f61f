/** The provider as a real process (`node dist/src/main.js`): for two at once, signals, crashes, refusals to start. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { exchange } from './exchange.ts';

const root = resolve(import.meta.dirname, '../..');

/** How a program ended: its exit code, or the signal that ended it. */
export interface End {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  issuer: string;
  pid: number;
  /** Standard output and error so far. */
  output(): string;
  /** Resolves when the process has ended, whoever ended it. */
  ended: Promise<End>;
  kill(signal: NodeJS.Signals): void;
  /** Asks it to stop as an orchestrator does (SIGTERM), and by force after 20 seconds. */
  stop(): Promise<End>;
}

/** A run starts a hundred processes on the same modules: what one has compiled, the others read. */
const compiled = () => {
  const run = process.env['RIG_FOLDER'];
  return run ? { NODE_COMPILE_CACHE: join(run, 'compiled') } : {};
};

/** The embedded database is compiled anew in each process, and lives too short there to be compiled twice. */
const once = '--liftoff-only';

/** Nothing of the machine's own settings reaches the program. */
function launch(
  program: string,
  env: Record<string, string>,
  args: readonly string[],
  input = '',
): [ChildProcess, () => string, Promise<End>] {
  const file = resolve(root, 'dist', program);
  if (!existsSync(file))
    throw new Error(`dist/${program} is not there: \`npm test\` builds it, or \`npm run build\``);
  const { PATH = '', TMPDIR = '/tmp' } = process.env;
  const clean = { PATH, TMPDIR, ...compiled(), ...env };
  const child = spawn(process.execPath, [once, file, ...args], {
    cwd: root,
    env: clean,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // A command that reads nothing may have ended before its input was written.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<End>((done) =>
    child.once('close', (code, signal) => done({ code, signal, stdout, stderr })),
  );
  return [child, () => stdout + stderr, ended];
}

/**
 * Environment of a process in which something goes wrong on SIGUSR2, in nobody's hands: something is thrown, or a promise
 * refused. Its words are `a secret of somebody`.
 */
export function faultOnSignal(how: 'throw' | 'reject'): Record<string, string> {
  const faults = {
    throw: "setImmediate(() => { throw new TypeError('a secret of somebody'); })",
    reject: "void Promise.reject(new TypeError('a secret of somebody'))",
  };
  const program = encodeURIComponent(`process.on('SIGUSR2', () => ${faults[how]})`).replaceAll("'", '%27');
  return { NODE_OPTIONS: `--import=data:text/javascript,${program}` };
}

/** Runs a program of `dist/` (`src/cli/main.js`, `src/main.js`) to its end, at most 30 seconds; `input` is its standard input. */
export async function runToEnd(
  program: string,
  env: Record<string, string>,
  args: readonly string[] = [],
  input = '',
): Promise<End> {
  const [child, , ended] = launch(program, env, args, input);
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
  try {
    return await ended;
  } finally {
    clearTimeout(timer);
  }
}

/** Whether the process at this address says that it serves. */
export const isReady = (issuer: string): Promise<boolean> =>
  exchange(new URL('/health/ready', issuer)).then(
    ({ status }) => status === 200,
    () => false,
  );

/** Starts `dist/src/main.js` and waits until /health/ready answers 200; throws with its output if it ends first. */
export async function startProcess(env: Record<string, string>): Promise<Running> {
  const port = env['HEMMA_PORT'] ?? '3000';
  const [child, output, ended] = launch('src/main.js', env, []);
  const health = `http://127.0.0.1:${port}`;
  for (let attempt = 0; !(await isReady(health)); attempt++) {
    if (child.exitCode !== null || child.signalCode !== null || attempt > 600) {
      child.kill('SIGKILL');
      throw new Error(`the provider did not become ready on port ${port}:\n${output()}`);
    }
    await wait(100);
  }
  return {
    issuer: env['HEMMA_ISSUER'] ?? `http://localhost:${port}`,
    pid: child.pid ?? 0,
    output,
    ended,
    kill: (signal) => void child.kill(signal),
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
      const end = await ended;
      clearTimeout(timer);
      return end;
    },
  };
}
