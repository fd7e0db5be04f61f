/** One recovery code, many sign-ins, two processes: it opens one of them (T7). */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import {
  codeOn,
  deedUrl,
  gotIn,
  newPerson,
  pageOf,
  type Person,
  proveByCode,
  provePassword,
} from './people.ts';
import { startTwo, type TwoProcesses } from '../races/two-processes.ts';
import { recorded } from './recorded.ts';

let two: TwoProcesses;
let party: RelyingParty;

beforeAll(async () => {
  two = await startTwo();
  party = await startRelyingParty({ hemma: two });
});
afterAll(async () => {
  await party.stop();
  await two.stop();
});

const person = (name: string) => newPerson(two, party, `${name}@example.com`);
const signInUrl = async () => (await party.begin()).url;

/** People with the right password, at the page for the second factor. */
async function atSecondFactor({ email }: Person, urls: readonly string[]): Promise<Visitor[]> {
  const visitors: Visitor[] = [];
  for (const url of urls) {
    const visitor = newVisitor();
    // One after the other: parallel right passwords would spend the password's own budget.
    await provePassword(visitor, url, email);
    expect(visitor.screen.step).toBe('totp');
    visitors.push(visitor);
  }
  return visitors;
}

/** Everybody presses on as far as the pages let them, all at once in every round. */
async function pressOn(visitors: readonly Visitor[]): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await Promise.all(
      visitors.map(async (visitor) => {
        const { step } = visitor.screen;
        if (step === 'recovery-code') return visitor.submit({}, 'phoneGone=no');
        if (step === 'new-recovery-code')
          return visitor.submit({ lastGroup: codeOn(visitor.screen).slice(-4) });
        return step === 'confirm' ? visitor.submit({}, 'choice=do') : undefined;
      }),
    );
  }
  for (const { screen } of visitors) expect(screen.status).toBeLessThan(500);
}

/** The old code is dead, wherever it is typed now. */
async function isDead(owner: Person): Promise<void> {
  const late = newVisitor();
  await proveByCode(late, await signInUrl(), owner);
  expect([late.screen.step, late.screen.refusal]).toEqual(['totp', 'wrong-recovery-code']);
}

test('SECURITY 32, T7 one recovery code in twenty parallel sign-ins opens one', async () => {
  const owner = await person('astrid');
  const urls: string[] = [];
  for (let place = 0; place < 20; place++) urls.push(await signInUrl());
  const visitors = await atSecondFactor(owner, urls);
  await Promise.all(visitors.map((visitor) => visitor.submit({ code: owner.recoveryCode })));
  await pressOn(visitors);
  expect(visitors.filter(gotIn)).toHaveLength(1);
  expect(await recorded(two, 'recovery-code.spent', owner.id)).toBe(1);
  expect(await recorded(two, 'recovery-code.issued', owner.id)).toBe(2);
});

test('T7 a sign-in that enters the code while another types its new one back takes it over, or comes too late', async () => {
  for (const name of ['bertil', 'bodil', 'bosse', 'britta']) {
    const owner = await person(name);
    const [first, second] = await atSecondFactor(owner, [await signInUrl(), await signInUrl()]);
    if (!first || !second) throw new Error('two people were to stand there');
    await first.submit({ code: owner.recoveryCode });
    await first.submit({}, 'phoneGone=no');
    await Promise.all([
      first.submit({ lastGroup: codeOn(first.screen).slice(-4) }),
      second.submit({ code: owner.recoveryCode }),
    ]);
    await pressOn([first, second]);
    expect([first, second].filter(gotIn)).toHaveLength(1);
    expect(await recorded(two, 'recovery-code.spent', owner.id)).toBe(1);
    await isDead(owner);
  }
});

test('SECURITY 35, T7 the code that opened a sign-in deactivates nothing, and the other way about', async () => {
  for (const name of ['cecilia', 'cesar', 'carin', 'calle']) {
    const owner = await person(name);
    const deed = deedUrl(two, 'deactivate_two_step');
    const [signingIn, deactivating] = await atSecondFactor(owner, [await signInUrl(), deed]);
    if (!signingIn || !deactivating) throw new Error('two people were to stand there');
    await Promise.all([signingIn, deactivating].map((one) => one.submit({ code: owner.recoveryCode })));
    await pressOn([signingIn, deactivating]);
    const off = await recorded(two, 'two-step.deactivated', owner.id);
    expect(Number(gotIn(signingIn)) + off).toBe(1);
    expect(await recorded(two, 'recovery-code.spent', owner.id)).toBe(1);
  }
});

test('T7 the code taken over by a later sign-in no longer deactivates, replaces or opens for the earlier one', async () => {
  const owner = await person('david');
  const urls = [
    deedUrl(two, 'deactivate_two_step'),
    deedUrl(two, 'replace_authenticator'),
    await signInUrl(),
    await signInUrl(),
  ];
  const visitors = await atSecondFactor(owner, urls);
  for (const visitor of visitors) await visitor.submit({ code: owner.recoveryCode });
  const [deactivating, replacing, early, last] = visitors;
  for (const [visitor, form] of [
    [deactivating, { choice: 'do' }],
    [replacing, { code: '000000' }],
    [early, { phoneGone: 'no' }],
  ] as const) {
    const token = visitor?.screen.page.querySelector('input[name=token]')?.getAttribute('value') ?? '';
    await visitor?.post(visitor.screen.url, { token, ...form });
    // The page for the recovery code stands open beside the six digits, and asks for the code again.
    expect(['totp', 'recovery-code']).toContain(visitor?.screen.step);
    for (const step of ['new-recovery-code', 're-enrollment', 'confirm', '']) {
      await visitor?.visit(pageOf(visitor, step));
      expect([step, visitor?.screen.step]).toEqual([step, 'totp']);
    }
  }
  if (last) await pressOn([last]);
  expect(last && gotIn(last)).toBe(true);
  await isDead(owner);
});
