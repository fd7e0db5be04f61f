/** Passwords of an installation that another library, or other costs, have hashed. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { back } from '../rig/clock.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor } from '../rig/visitor.ts';
import { nextStep, provePassword, refusalOn } from './sign-in.ts';

let hemma: Hemma;
let party: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma });
});
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});
beforeEach(() => nextStep());
afterEach(back);

/** `PASSWORD`, hashed by the npm package argon2 0.45.1; it writes the parameters in an order of its own. */
const vectors = {
  'our cost':
    '$argon2id$v=19$m=19456,p=1,t=2$FCINI2shjAkoDiCE2A7pnA$nCieMogcD+vqeoazfW/MI8RM10n/2PIVZKRptbvcUcY',
  'its own default cost':
    '$argon2id$v=19$m=65536,p=4,t=3$5J28Ht7AY75c/n8jHA+42g$9c3WCCMovnc1Ygsv5XlLF5srX2E450gH79C5O5bA6TY',
  argon2i: '$argon2i$v=19$m=16384,p=1,t=3$i5Bpd15JPjdKAlWPN4Rapg$4doUlzBrfpA2Hf0fOgMoXQPQ0bK/gSrhH1vBpfx403c',
};

async function hashOf(id: string): Promise<string> {
  const { rows } = await hemma.db.query<{ hash: string }>(
    'SELECT password_hash AS hash FROM accounts WHERE id = $1',
    [id],
  );
  return rows[0]?.hash ?? '';
}

test.each(Object.entries(vectors))(
  'R5 a hash of the package argon2 with %s verifies, and stands in our form after the next sign-in',
  async (name, vector) => {
    const email = `${name.replaceAll(' ', '-')}@example.com`;
    const { id } = await hemma.account({ email });
    await hemma.db.query('UPDATE accounts SET password_hash = $2 WHERE id = $1', [id, vector]);
    const thief = newVisitor();
    await thief.visit((await party.begin()).url);
    await thief.submit({ email, password: `${PASSWORD}.` });
    expect(refusalOn(thief)).toBe('wrong-password');
    expect(await hashOf(id)).toBe(vector);
    const owner = newVisitor();
    await provePassword(owner, party, email);
    expect(owner.screen.step).toBe('enrollment');
    const renewed = await hashOf(id);
    expect(renewed).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    await provePassword(newVisitor(), party, email);
    expect(await hashOf(id)).toBe(renewed);
  },
);

test('R2 a long password counts to its last letter, and composed and decomposed letters are the same', async () => {
  const long = `${'å'.repeat(120)} slut`;
  const email = 'long@example.com';
  await hemma.account({ email, password: long });
  const tried = async (password: string) => {
    const browser = newVisitor();
    await browser.visit((await party.begin()).url);
    await browser.submit({ email, password });
    return browser.screen.step;
  };
  expect(await tried(`${long.slice(0, -1)}T`)).toBe('password');
  expect(await tried(long.slice(0, 100))).toBe('password');
  expect(await tried(`${long} `)).toBe('password');
  expect(await tried(long.normalize('NFD'))).toBe('enrollment');
  expect(await tried(long)).toBe('enrollment');
});
