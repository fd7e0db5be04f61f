/** The command line as an operator types it: `node dist/src/cli.js …`, with a standard input. */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import type { End } from '../rig/process.ts';

const root = resolve(import.meta.dirname, '../..');

export interface Shell {
  /** Runs a command to its end, at most 30 seconds; `input` is what stands on standard input. */
  (words: readonly string[], input?: string): Promise<End>;
}

/** A shell whose environment holds these settings and nothing of the machine's. */
export const shellWith =
  (env: Record<string, string>): Shell =>
  (words, input = '') =>
    new Promise((done) => {
      const child = spawn(process.execPath, [resolve(root, 'dist/src/cli.js'), ...words], {
        cwd: root,
        env: { PATH: process.env['PATH'] ?? '', ...env },
        stdio: ['pipe', 'pipe', 'pipe'],
        timeout: 30_000,
        killSignal: 'SIGKILL',
      });
      let [stdout, stderr] = ['', ''];
      child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
      // A command that reads nothing may have ended before its input was written.
      child.stdin.on('error', () => undefined);
      child.stdin.end(input);
      child.once('close', (code, signal) => done({ code, signal, stdout, stderr }));
    });

/** What a command answered with `--json`; fails with its words where it was refused. */
export function answered(end: End): unknown {
  if (end.code !== 0) throw new Error(`the command ended with ${end.code}: ${end.stderr}`);
  return JSON.parse(end.stdout);
}
