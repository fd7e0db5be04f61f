/** An import that is asked to stop, or whose database goes away, leaves whole rows and says how far it came. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { shellWith } from '../command-line/shell.ts';
import type { Summary } from './files.ts';

let hemma: Hemma;
beforeAll(async () => {
  hemma = await startHemma();
});
afterAll(() => hemma.stop());

const program = resolve(import.meta.dirname, '../../dist/src/cli/main.js');
const line = (row: number) => `p${row}@example.com,P,Nord AB\n`;
const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, place) => line(from + place)).join('');

async function countAt(least: number): Promise<number> {
  for (let turn = 0; turn < 400; turn += 1) {
    const { rows } = await hemma.db.query<{ n: number }>('SELECT count(*)::int AS n FROM accounts');
    const n = rows[0]?.n ?? 0;
    if (n >= least) return n;
    await wait(50);
  }
  throw new Error(`never ${least} accounts`);
}

test('told to stop, it takes in what it has read, says so, ends with 1, and goes on from there the next time', async () => {
  const child = spawn(process.execPath, [program, 'accounts', 'import', '-', '--create-groups', '--json'], {
    env: { PATH: process.env['PATH'] ?? '', ...hemma.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.write(`email,name,groups\n${lines(0, 700)}`);
  // The first five hundred are in for good while the others wait for their batch.
  expect(await countAt(500)).toBe(500);
  child.kill('SIGTERM');
  // The signal and what is written travel apart: it is written until the program has heard.
  const closed = once(child, 'close') as Promise<[number | null]>;
  child.stdin.on('error', () => undefined);
  for (let row = 700; row < 1100 && child.exitCode === null; row += 1) {
    child.stdin.write(line(row));
    await wait(20);
  }
  child.stdin.end();
  const [code] = await closed;
  const summary = JSON.parse(stdout) as Summary;
  expect([code, stderr]).toEqual([1, '']);
  expect(summary).toMatchObject({ stopped: true, refused: 0, existing: 0 });
  expect(summary.created).toBe(summary.rows);
  expect(await countAt(summary.created)).toBe(summary.created);
  expect(summary.created).toBeGreaterThan(700);
  const { rows } = await hemma.db.query<{ detail: object }>(
    "SELECT detail FROM audit WHERE event = 'accounts.imported'",
  );
  expect(rows.map(({ detail }) => detail)).toEqual([
    { rows: summary.rows, created: summary.created, existing: 0, refused: 0, stopped: true },
  ]);
  const made = await hemma.db.query("SELECT 1 FROM audit WHERE event = 'account.created'");
  const joined = await hemma.db.query("SELECT 1 FROM audit WHERE event = 'group.member-added'");
  expect([made.count, joined.count]).toEqual([summary.created, summary.created]);

  const again = await shellWith(hemma.env)(
    ['accounts', 'import', '-', '--json'],
    `email,name,groups\n${lines(0, 1200)}`,
  );
  expect(JSON.parse(again.stdout)).toMatchObject({
    created: 1200 - summary.created,
    existing: summary.created,
  });
});

test('two imports of the same people at once make everybody once', async () => {
  const shell = shellWith(hemma.env);
  const people = Array.from({ length: 1500 }, (_, row) => `twin${row}@example.com,T\n`);
  const files = [people, people.toReversed()].map((one) => `email,name\n${one.join('')}`);
  const ends = await Promise.all(files.map((file) => shell(['accounts', 'import', '-', '--json'], file)));
  const summaries = ends.map(({ stdout }) => JSON.parse(stdout) as Summary);
  expect(ends.map(({ code }) => code)).toEqual([0, 0]);
  expect(summaries.reduce((sum, { created }) => sum + created, 0)).toBe(1500);
  expect(summaries.reduce((sum, { existing }) => sum + existing, 0)).toBe(1500);
});
