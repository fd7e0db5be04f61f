/** Starting the provider as a process and reading what it says when it will not. */
import { randomBytes } from 'node:crypto';
import { expect } from '@jest/globals';
import { type End, runToEnd } from '../rig/process.ts';

export const aKey = (): string => randomBytes(32).toString('base64url');

export const boot = (env: Record<string, string>): Promise<End> => runToEnd('src/main.js', env);

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
