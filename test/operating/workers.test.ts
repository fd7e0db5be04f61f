/** Several processes on one port: they start once, replace one another, stop together, and are restarted one by one. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readSettings } from '../../config/settings.ts';
import { clientSchema } from '../../src/clients/schema.ts';
import { addSecret } from '../../src/clients/secrets.ts';
import { applyClient } from '../../src/clients/clients.ts';
import { basic, post } from '../protocol/requests.ts';
import { startTwo, type TwoProcesses } from '../races/two-processes.ts';
import { at, signInFirst, typePassword } from '../rig/ceremony.ts';
import { exchange } from '../rig/exchange.ts';
import { freePort } from '../rig/free-port.ts';
import { settingsOfOne } from '../rig/hemma.ts';
import { type MailServer, startMailServer } from '../rig/mail.ts';
import { faultOnSignal, runToEnd, startProcess } from '../rig/process.ts';
import { startRelyingParty } from '../rig/relying-party.ts';
import { type DatabaseCopy, newDatabase } from '../rig/template.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor } from '../rig/visitor.ts';

const childrenOf = (pid: number): number[] =>
  execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
    .split('\n')
    .map(Number)
    .filter((one) => one > 0);

async function until(so: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let turn = 0; turn < 400; turn += 1) {
    if (await so()) return;
    await wait(50);
  }
  throw new Error(`not so within twenty seconds: ${what}`);
}

describe('two workers', () => {
  let database: DatabaseCopy;
  let mail: MailServer;
  beforeAll(async () => {
    database = await newDatabase({ migrated: false });
    mail = await startMailServer();
  });
  afterAll(async () => {
    await mail.stop();
    await database.drop();
  });

  test('come up on an empty database, greet once, replace one that dies, and stop when they are told', async () => {
    const data = await mkdtemp(join(tmpdir(), 'hemma-data-'));
    const own = await settingsOfOne(database.url, mail.url);
    const env = { ...own, HEMMA_WORKERS: '2', HEMMA_DEMO: 'yes', HEMMA_DATA: data };
    const running = await startProcess(env);
    const workers = () => childrenOf(running.pid).filter((pid) => isAlive(pid));
    const up = () => running.output().split('Hemma is up').length - 1;
    await until(() => up() === 2, 'two workers that serve');
    // Whichever of them is asked tells of both.
    const { body } = await exchange(new URL('/metrics', running.issuer));
    expect(body).toMatch(/^hemma_build_info\{[^}]*\} 2$/m);
    await until(() => running.output().includes('anna@example.com'), 'a greeting');
    const [first = 0] = workers();
    process.kill(first, 'SIGKILL');
    await until(() => !childrenOf(running.pid).includes(first), 'the end of the first');
    const health = new URL('/health/ready', running.issuer);
    const healthy = async () => (await exchange(health)).status === 200;
    // The other one serves meanwhile.
    expect(await healthy()).toBe(true);
    await until(() => up() === 3, 'a new worker in its place');
    expect(running.output().match(/anna@example\.com/g)).toHaveLength(1);
    const pids = workers();
    const end = await running.stop();
    expect([end.code, end.signal, pids.filter((pid) => isAlive(pid))]).toEqual([0, null, []]);
    await rm(data, { recursive: true });
  });

  test('replace one that ends after a fault that nothing caught, and serve meanwhile', async () => {
    const own = await settingsOfOne(database.url, mail.url);
    const running = await startProcess({ ...own, HEMMA_WORKERS: '2', ...faultOnSignal('throw') });
    const up = () => running.output().split('Hemma is up').length - 1;
    await until(() => up() === 2, 'two workers that serve');
    const [first = 0] = childrenOf(running.pid);
    process.kill(first, 'SIGUSR2');
    await until(() => !childrenOf(running.pid).includes(first), 'the end of the first');
    expect((await exchange(new URL('/health/ready', running.issuer))).status).toBe(200);
    await until(() => up() === 3, 'a new worker in its place');
    const end = await running.stop();
    expect([end.code, end.stdout.match(/"level":"fatal"/g)?.length]).toEqual([0, 1]);
  });

  test('that cannot start say why once, and end', async () => {
    const env = { ...(await settingsOfOne(database.url, mail.url)), HEMMA_WORKERS: '2' };
    const nowhere = { ...env, DATABASE_URL: `postgres://nobody@127.0.0.1:${await freePort()}/none` };
    const end = await runToEnd('src/main.js', nowhere);
    expect([end.code, end.stderr.match(/DATABASE_URL does not answer/g)?.length]).toEqual([1, 1]);
  });

  test('need a database that several processes can share', () => {
    const read = readSettings({ HEMMA_WORKERS: '2' });
    expect('faults' in read && read.faults.join()).toContain('HEMMA_WORKERS');
    expect(readSettings({ HEMMA_WORKERS: 'auto', DATABASE_URL: 'postgres://localhost/x' })).toHaveProperty(
      'settings',
    );
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a rolling restart under load', () => {
  let two: TwoProcesses;
  beforeAll(async () => {
    two = await startTwo({ env: { HEMMA_DRAIN_SECONDS: '1' } });
  });
  afterAll(() => two.stop());

  test('T40 fails nobody: sign-ins and tokens go on while one process after the other is replaced', async () => {
    const autopay = await startRelyingParty({ hemma: two });
    await applyClient(two.db, clientSchema.parse({ id: 'service', name: 'Service', type: 'service' }));
    const secret = (await addSecret(two.db, 'service', 'first')) ?? '';
    await two.account({ email: 'astrid@example.com' });
    await two.account({ email: 'bertil@example.com', twoStepRequired: false });
    const { key } = await signInFirst(newVisitor(), (await autopay.begin()).url, 'astrid@example.com');

    const over = new AbortController();
    const failures: string[] = [];
    const done = { tokens: 0, signIns: 0 };
    const tokens = async () => {
      while (!over.signal.aborted) {
        const body = { grant_type: 'client_credentials' };
        const { status } = await post(new URL('/token', two.issuer).href, body, basic('service', secret));
        if (status === 200) done.tokens += 1;
        else failures.push(`token ${status}`);
      }
    };
    const signIns = async () => {
      // From the first page to the tokens, each in a fresh browser. Digits would open one sign-in in half a minute.
      while (!over.signal.aborted) {
        const visitor = newVisitor();
        const begun = await autopay.begin();
        await visitor.visit(begun.url);
        const back = at('back', await typePassword(visitor, 'bertil@example.com'));
        await autopay.redeem(begun, back.url);
        done.signIns += 1;
      }
    };
    const noted = (work: Promise<void>) => work.catch((fault: unknown) => void failures.push(String(fault)));
    const load = [noted(tokens()), noted(tokens()), noted(signIns()), noted(signIns())];
    // The balancer is told nothing: it asks, and hears in the second of the drain that one is about to stop.
    const callOff = two.balancer.watch();
    for (const place of [0, 1] as const) {
      const end = await two.processes[place].stop();
      expect([end.code, end.signal]).toEqual([0, null]);
      two.processes[place] = await startProcess(two.settings[place]);
      await until(() => two.balancer.sendsTo(place), 'the balancer has heard that it is back');
    }
    over.abort();
    await Promise.all(load);
    callOff();
    expect(failures).toEqual([]);
    expect(Math.min(done.tokens, done.signIns)).toBeGreaterThan(5);
    // And the one who was in the middle of it all along gets there.
    const visitor = newVisitor();
    await visitor.visit((await autopay.begin()).url);
    at('totp', await typePassword(visitor, 'astrid@example.com'));
    at('back', await visitor.submit({ code: sixDigits(key, { step: 1 }) }));
    await autopay.stop();
  });
});
