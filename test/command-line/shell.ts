/** The command line as an operator types it, with a standard input: in this process, or as the program that it is. */
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { runCommand } from '../../src/cli/cli.ts';
import { type End, runToEnd } from '../rig/process.ts';

export interface Shell {
  /** Runs a command to its end; `input` is what stands on standard input. */
  (words: readonly string[], input?: string): Promise<End>;
}

/**
 * A shell whose environment holds these settings and nothing of the machine's. What is typed runs here, in the very
 * function that the program calls: starting a program costs half a second of processor each time.
 */
export const shellWith =
  (env: Record<string, string>): Shell =>
  async (words, input = '') => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const said = Promise.all([buffer(stdout), buffer(stderr)]);
    const terminal = { env, stdin: Readable.from([Buffer.from(input)]), stdout, stderr, exitCode: 0 };
    await runCommand(words, terminal);
    stdout.end();
    stderr.end();
    // A mark of the byte order that a file begins with is part of what was said.
    const [out, errors] = (await said).map((bytes) => bytes.toString('utf8'));
    return { code: terminal.exitCode, signal: null, stdout: out ?? '', stderr: errors ?? '' };
  };

/** The same as a program of its own: `node dist/src/cli/main.js …`, at most 30 seconds. */
export const programWith =
  (env: Record<string, string>): Shell =>
  (words, input = '') =>
    runToEnd('src/cli/main.js', env, words, input);

/** What a command answered with `--json`; fails with its words where it was refused. */
export function answered(end: End): unknown {
  if (end.code !== 0) throw new Error(`the command ended with ${end.code}: ${end.stderr}`);
  return JSON.parse(end.stdout);
}
