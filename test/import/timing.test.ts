/** Hashes of other makes take times of their own; no address is told by them. */
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor } from '../rig/visitor.ts';
import { importerWith } from './files.ts';

let hemma: Hemma;
let autopay: RelyingParty;

beforeAll(async () => {
  hemma = await startHemma();
  autopay = await startRelyingParty({ hemma });
});
afterAll(async () => {
  await autopay.stop();
  await hemma.stop();
});

const median = (numbers: number[]) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

async function refusedAfter(email: string): Promise<number> {
  const visitor = newVisitor();
  await visitor.visit((await autopay.begin()).url);
  const { refusal, took } = await visitor.submit({ email, password: 'not the password' });
  expect(refusal).toBe('wrong-password');
  return took;
}

test('where people came with dear hashes, an address that nobody has takes as long to refuse as theirs', async () => {
  // Some twenty times as long as ours.
  const salt = randomBytes(16);
  const [short, hash] = [salt, pbkdf2Sync('x', salt, 1, 64, 'sha512')].map((bytes) =>
    bytes.toString('base64').replaceAll('=', ''),
  );
  const people = Array.from({ length: 60 }, (_, place) => {
    const person = {
      email: `p${place}@example.com`,
      name: 'P',
      password_hash: `$pbkdf2-sha512$i=300000$${short}$${hash}`,
    };
    return `${JSON.stringify(person)}\n`;
  });
  const importer = await importerWith(hemma.env);
  expect((await importer.take(people.join(''))).summary).toMatchObject({ created: 60 });
  await importer.stop();
  const times: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] };
  for (let turn = 0; turn < 5; turn += 1) {
    times.known.push(await refusedAfter(`p${turn}@example.com`));
    times.unknown.push(await refusedAfter(`nobody-${turn}@example.com`));
  }
  const ratio = median(times.known) / median(times.unknown);
  expect(ratio).toBeGreaterThan(1 / 3);
  expect(ratio).toBeLessThan(3);
});
