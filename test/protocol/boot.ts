/** Starting the provider, and reading what it says when it will not. */
import { randomBytes } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect } from '@jest/globals';
import { boot as start } from '../../src/app/boot.ts';
import { type End, runToEnd } from '../rig/process.ts';

export const aKey = (): string => randomBytes(32).toString('base64url');

/** In this process, by the function that the program calls; one that starts after all is stopped again. */
export async function boot(env: Record<string, string>): Promise<End> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const said = Promise.all([text(stdout), text(stderr)]);
  const terminal = { env, stdin: Readable.from([]), stdout, stderr, exitCode: 0 };
  const hemma = await start(terminal, { logTo: { write: (line) => void stdout.write(line) } });
  await hemma?.stop();
  stdout.end();
  stderr.end();
  const [out, errors] = await said;
  return { code: terminal.exitCode, signal: null, stdout: out, stderr: errors };
}

/** The same as a program of its own. */
export const bootProgram = (env: Record<string, string>): Promise<End> => runToEnd('src/main.js', env);

/** Ended by itself with 1, and what it said is for people: no stack, nothing on standard output. */
export function refusal({ code, stderr, stdout }: End): string {
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).not.toMatch(/^\s+at |node_modules|\.[jt]s:\d+/m);
  return stderr;
}

/** One line, which ends like a sentence. */
export function sentence(end: End): string {
  const said = refusal(end).trim();
  expect(said).toMatch(/^[^\n]+\.$/);
  return said;
}
