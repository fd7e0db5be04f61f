/**
 * Imports accounts into a PostgreSQL of its own and prints seconds and memory; then exports them, fills the audit with
 * ten events for each, and times what the console asks at that size. Run by hand: `node bench/import.ts [rows]`
 * (100,000 where nothing is said).
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { readSettings } from '../config/settings.ts';
import { migrate } from '../migrations/index.ts';
import { listAccounts, searchPeople, seenBy } from '../src/users/users.ts';
import { exportAccounts } from '../src/users/export.ts';
import { listGroups } from '../src/users/groups.ts';
import { importAccounts } from '../src/users/import/import.ts';
import { auditRows } from '../src/audit/audit-log.ts';
import type { Db } from '../src/db/database.ts';
import { openDatabase } from '../src/db/database.ts';
import { hasherOf } from '../src/crypto/argon2.ts';
import { startPostgres } from '../test/rig/postgres.ts';

const rows = Number(process.argv[2] ?? 100_000);
const first = ['Åsa', 'Bo', 'Cecilia', 'David', 'Eva', 'Filip', 'Greta', 'Hans', 'Ida', 'Johan'];
const last = ['Ek', 'Lind', 'Öst', 'Berg', 'Holm', 'Nyström', 'Sjö', 'Dahl', 'Åberg', 'Wik', 'Ros'];
const hash = '$2b$10$abcdefghijklmnopqrstuuwPNdRqY8e6.2MWaEx4H26.2qi1bo4f6';

const day = 24 * 3_600_000;

const say = (line: string) => process.stdout.write(`${line}\n`);
const peak = () => `${Math.round(process.resourceUsage().maxRSS / 1024)} MiB at most`;

function* lines() {
  yield 'email,name,locale,email_verified,groups,password_hash\n';
  for (let row = 0; row < rows; row += 1) {
    const name = `${first[row % first.length]} ${last[row % last.length]}`;
    // One in ten is to be invited, one in a thousand is broken.
    const key = row % 10 === 0 ? '' : hash;
    const email = row % 1000 === 999 ? 'no address' : `person-${row}@kund${row % 97}.example`;
    yield `${email},${name},sv,yes,Kund ${row % 97},${key}\n`;
  }
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  const result = await work();
  const taken = performance.now() - begun;
  say(`${what}: ${taken > 5000 ? `${(taken / 1000).toFixed(1)} s` : `${taken.toFixed(1)} ms`}`);
  return result;
}

/** Ten events for every person, spread over a year. */
async function aYear(db: Db): Promise<void> {
  for (let turn = 10; turn > 0; turn -= 1)
    await db.query(
      `INSERT INTO audit (at, event, account_id, address, request, detail)
       SELECT $1::timestamptz + row_number() OVER () * interval '30 seconds', 'sign-in.finished', id, '127.0.0.1',
         'bench', '{}'
       FROM accounts`,
      [new Date(Date.now() - (turn + 1) * 36 * day)],
    );
  await db.query('ANALYZE audit');
}

async function ask(db: Db): Promise<void> {
  const everybody = { id: '', role: 'administrator', group: undefined } as const;
  const limited = { ...everybody, group: (await listGroups(db))[5]?.id ?? '' };
  const [person] = await searchPeople(db, everybody, { text: 'person-50001', limit: 1 });
  const questions: [string, () => Promise<unknown[]>][] = [
    [
      'search by the beginning of an address',
      () => searchPeople(db, everybody, { text: 'person-77', limit: 50 }),
    ],
    ['search by a name', () => searchPeople(db, everybody, { text: 'åsa ek', limit: 50 })],
    ['search within a group', () => searchPeople(db, limited, { text: 'david', limit: 50 })],
    ['search for what nobody is called', () => searchPeople(db, everybody, { text: 'zzz', limit: 50 })],
    ['a page of all', () => listAccounts(db, 'person-5', 50)],
    ['audit, newest', () => auditRows(db, { limit: 100 })],
    ['audit of an event', () => auditRows(db, { event: 'accounts.imported', limit: 100 })],
    ['audit of an event that never was', () => auditRows(db, { event: 'keys.made', limit: 100 })],
    [
      'audit until half a year ago',
      () => auditRows(db, { until: new Date(Date.now() - 180 * day), limit: 100 }),
    ],
    [
      'audit of an event on one day of half a year ago',
      () =>
        auditRows(db, {
          event: 'sign-in.finished',
          since: new Date(Date.now() - 181 * day),
          until: new Date(Date.now() - 180 * day),
          limit: 100,
        }),
    ],
    ['audit of a group of a thousand', () => auditRows(db, { about: seenBy(limited), limit: 100 })],
    ['audit of a person', () => auditRows(db, { accountId: person?.id ?? '', limit: 100 })],
  ];
  for (const [what, question] of questions) {
    const taken: number[] = [];
    for (let turn = 0; turn < 9; turn += 1) {
      const begun = performance.now();
      await question();
      taken.push(performance.now() - begun);
    }
    const [least = 0, , , , middle = 0, , , , most = 0] = taken.toSorted((one, other) => one - other);
    say(`  ${what}: ${middle.toFixed(1)} ms (${least.toFixed(1)} to ${most.toFixed(1)})`);
  }
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'hemma-bench-'));
  const postgres = await startPostgres({ durable: true });
  const read = readSettings({ DATABASE_URL: postgres.url('postgres') });
  if ('faults' in read) throw new Error(read.faults.join('\n'));
  const db = await openDatabase(read.settings);
  try {
    await migrate(db);
    const file = join(folder, 'accounts.csv');
    await pipeline(Readable.from(lines()), createWriteStream(file));
    say(`${rows} rows, ${Math.round((await stat(file)).size / 1024)} KiB; before: ${peak()}`);
    const hasher = await hasherOf(1);
    const options = { createGroups: true };
    for (const what of ['import', 'the same file once more'])
      say(
        JSON.stringify(await timed(what, () => importAccounts(db, hasher, createReadStream(file), options))),
      );
    say(`after: ${peak()}`);
    const leave = async () =>
      pipeline(
        Readable.from(await exportAccounts(db, { format: 'csv', withHashes: true })),
        createWriteStream(join(folder, 'export.csv')),
      );
    await timed('export', leave);
    say(`after: ${peak()}`);
    await timed('a year of audit', () => aYear(db));
    await ask(db);
  } finally {
    await db.close();
    await postgres.stop();
    await rm(folder, { recursive: true });
  }
}

await main();
