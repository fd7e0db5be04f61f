/** SECURITY 92: a fault that nothing caught neither goes on unseen nor is lost, and hangs nowhere. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { settingsOfOne } from '../rig/hemma.ts';
import { type MailServer, startMailServer } from '../rig/mail.ts';
import { faultOnSignal, startProcess } from '../rig/process.ts';
import { type DatabaseCopy, newDatabase } from '../rig/template.ts';

/** What the log said at a level. */
const linesOf = (text: string, level: string) =>
  text
    .split('\n')
    .filter((line) => line.includes(`"level":"${level}"`))
    .map((line) => JSON.parse(line) as unknown);

let database: DatabaseCopy;
let mail: MailServer;
beforeAll(async () => {
  database = await newDatabase();
  mail = await startMailServer();
});
afterAll(async () => {
  await mail.stop();
  await database.drop();
});

test('something thrown that nothing caught is told in one line, and the process ends within seconds', async () => {
  const own = await settingsOfOne(database.url, mail.url);
  // Neither a balancer's pause nor a request that never ends keeps it.
  const settings = { ...own, HEMMA_DRAIN_SECONDS: '60', HEMMA_LOG_LEVEL: 'error' };
  const running = await startProcess({ ...settings, ...faultOnSignal('throw') });
  const half = connect(Number(own['HEMMA_PORT']), '127.0.0.1').on('error', () => undefined);
  await once(half, 'connect');
  half.write('POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\ngrant');
  running.kill('SIGUSR2');
  const began = performance.now();
  const end = await running.ended;
  half.destroy();
  expect(performance.now() - began).toBeLessThan(10_000);
  expect([end.code, end.signal]).toEqual([1, null]);
  expect(linesOf(end.stdout, 'fatal')).toEqual([
    expect.objectContaining({ fault: 'TypeError', at: expect.any(Array) }),
  ]);
  expect(end.stdout + end.stderr).not.toContain('a secret of somebody');
});

test('a rejection that nobody heard is told in one line, and the process goes on', async () => {
  const own = await settingsOfOne(database.url, mail.url);
  const running = await startProcess({ ...own, HEMMA_LOG_LEVEL: 'error', ...faultOnSignal('reject') });
  running.kill('SIGUSR2');
  const asked = await fetch(`http://127.0.0.1:${own['HEMMA_PORT']}/health/ready`);
  expect(asked.status).toBe(200);
  running.kill('SIGTERM');
  const end = await running.ended;
  expect([end.code, end.signal]).toEqual([0, null]);
  expect(linesOf(end.stdout, 'error')).toEqual([
    expect.objectContaining({ fault: 'TypeError', at: expect.any(Array) }),
  ]);
  expect(end.stdout + end.stderr).not.toContain('a secret of somebody');
});

test('a fault while it stops is told as well, and it goes on stopping', async () => {
  const own = await settingsOfOne(database.url, mail.url);
  const running = await startProcess({ ...own, HEMMA_DRAIN_SECONDS: '2', ...faultOnSignal('throw') });
  running.kill('SIGTERM');
  running.kill('SIGUSR2');
  const end = await running.ended;
  expect([end.code, end.stdout.includes('Hemma is down')]).toEqual([1, true]);
  expect(end.stdout).toContain('"level":"fatal"');
  expect(end.stderr).toBe('');
});
