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
import { listUsers, searchUsers, selectVisibleUsers } from '../src/users/users.ts';
import { exportUsers } from '../src/users/export.ts';
import { listGroups } from '../src/users/groups.ts';
import { importUsers } from '../src/users/import/import.ts';
import { findAuditEvents } from '../src/audit/audit-log.ts';
import type { Db } from '../src/db/database.ts';
import { openDatabase } from '../src/db/database.ts';
import { createHasher } from '../src/crypto/argon2.ts';
import { startPostgres } from '../test/rig/postgres.ts';

const rowCount = Number(process.argv[2] ?? 100_000);
const firstNames = ['Åsa', 'Bo', 'Cecilia', 'David', 'Eva', 'Filip', 'Greta', 'Hans', 'Ida', 'Johan'];
const lastNames = ['Ek', 'Lind', 'Öst', 'Berg', 'Holm', 'Nyström', 'Sjö', 'Dahl', 'Åberg', 'Wik', 'Ros'];
const samplePasswordHash = '$2b$10$abcdefghijklmnopqrstuuwPNdRqY8e6.2MWaEx4H26.2qi1bo4f6';

const day = 24 * 3_600_000;

const log = (line: string) => process.stdout.write(`${line}\n`);
const peakMemory = () => `${Math.round(process.resourceUsage().maxRSS / 1024)} MiB at most`;

function* generateLines() {
  yield 'email,name,locale,email_verified,groups,password_hash\n';
  for (let row = 0; row < rowCount; row += 1) {
    const name = `${firstNames[row % firstNames.length]} ${lastNames[row % lastNames.length]}`;
    // One in ten is to be invited, one in a thousand is broken.
    const key = row % 10 === 0 ? '' : samplePasswordHash;
    const email = row % 1000 === 999 ? 'no address' : `person-${row}@kund${row % 97}.example`;
    yield `${email},${name},sv,yes,Kund ${row % 97},${key}\n`;
  }
}

async function measure<T>(what: string, work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  const result = await work();
  const taken = performance.now() - begun;
  log(`${what}: ${taken > 5000 ? `${(taken / 1000).toFixed(1)} s` : `${taken.toFixed(1)} ms`}`);
  return result;
}

/** Ten events for every person, spread over a year. */
async function insertYearOfEvents(db: Db): Promise<void> {
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

async function measureQueries(db: Db): Promise<void> {
  const allUsers = { id: '', role: 'administrator', group: undefined } as const;
  const limited = { ...allUsers, group: (await listGroups(db))[5]?.id ?? '' };
  const [person] = await searchUsers(db, allUsers, { text: 'person-50001', limit: 1 });
  const questions: [string, () => Promise<unknown[]>][] = [
    [
      'search by the beginning of an address',
      () => searchUsers(db, allUsers, { text: 'person-77', limit: 50 }),
    ],
    ['search by a name', () => searchUsers(db, allUsers, { text: 'åsa ek', limit: 50 })],
    ['search within a group', () => searchUsers(db, limited, { text: 'david', limit: 50 })],
    ['search for what nobody is called', () => searchUsers(db, allUsers, { text: 'zzz', limit: 50 })],
    ['a page of all', () => listUsers(db, 'person-5', 50)],
    ['audit, newest', () => findAuditEvents(db, { limit: 100 })],
    ['audit of an event', () => findAuditEvents(db, { event: 'accounts.imported', limit: 100 })],
    ['audit of an event that never was', () => findAuditEvents(db, { event: 'keys.made', limit: 100 })],
    [
      'audit until half a year ago',
      () => findAuditEvents(db, { until: new Date(Date.now() - 180 * day), limit: 100 }),
    ],
    [
      'audit of an event on one day of half a year ago',
      () =>
        findAuditEvents(db, {
          event: 'sign-in.finished',
          since: new Date(Date.now() - 181 * day),
          until: new Date(Date.now() - 180 * day),
          limit: 100,
        }),
    ],
    [
      'audit of a group of a thousand',
      () => findAuditEvents(db, { about: selectVisibleUsers(limited), limit: 100 }),
    ],
    ['audit of a person', () => findAuditEvents(db, { accountId: person?.id ?? '', limit: 100 })],
  ];
  for (const [what, question] of questions) {
    const taken: number[] = [];
    for (let turn = 0; turn < 9; turn += 1) {
      const begun = performance.now();
      await question();
      taken.push(performance.now() - begun);
    }
    const [minMs = 0, , , , medianMs = 0, , , , maxMs = 0] = taken.toSorted((one, other) => one - other);
    log(`  ${what}: ${medianMs.toFixed(1)} ms (${minMs.toFixed(1)} to ${maxMs.toFixed(1)})`);
  }
}

async function measureImport(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'hemma-bench-'));
  const postgres = await startPostgres({ durable: true });
  const read = readSettings({ DATABASE_URL: postgres.url('postgres') });
  if ('faults' in read) throw new Error(read.faults.join('\n'));
  const db = await openDatabase(read.settings);
  try {
    await migrate(db);
    const file = join(folder, 'accounts.csv');
    await pipeline(Readable.from(generateLines()), createWriteStream(file));
    log(`${rowCount} rows, ${Math.round((await stat(file)).size / 1024)} KiB; before: ${peakMemory()}`);
    const hasher = await createHasher(1);
    const options = { createGroups: true };
    for (const what of ['import', 'the same file once more'])
      log(
        JSON.stringify(await measure(what, () => importUsers(db, hasher, createReadStream(file), options))),
      );
    log(`after: ${peakMemory()}`);
    const stop = async () =>
      pipeline(
        Readable.from(await exportUsers(db, { format: 'csv', withHashes: true })),
        createWriteStream(join(folder, 'export.csv')),
      );
    await measure('export', stop);
    log(`after: ${peakMemory()}`);
    await measure('a year of audit', () => insertYearOfEvents(db));
    await measureQueries(db);
  } finally {
    await db.close();
    await postgres.stop();
    await rm(folder, { recursive: true });
  }
}

await measureImport();
