/** No proxy is trusted here: what a client writes about its own address is worth nothing. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { back, stopClock } from '../rig/clock.ts';
import { fillIn } from '../rig/forms.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor } from '../rig/visitor.ts';
import { auditOf } from './audit.ts';
import { asForm } from './hostile.ts';

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

afterEach(back);

const lies = (number: number) => ({
  'x-forwarded-for': `203.0.113.${number}, 127.0.0.1`,
  forwarded: `for=203.0.113.${number};proto=https`,
  'x-real-ip': `203.0.113.${number}`,
  'x-client-ip': `203.0.113.${number}`,
  'true-client-ip': `203.0.113.${number}`,
});

test('T5 another forged address each time makes no new budget, neither of the account nor of the address', async () => {
  // Neither budget recovers while the guesses are hashed.
  stopClock();
  const thief = newVisitor();
  await thief.visit((await party.begin()).url);
  const guess = async (email: string, number: number) => {
    const { action, body } = fillIn(thief.screen.page, thief.screen.url, { email, password: 'wrong' });
    const headers = { ...asForm, 'sec-fetch-site': 'same-origin', ...lies(number) };
    return (await thief.request(action, { method: 'POST', body: body.toString(), headers })).status;
  };
  const onOne: number[] = [];
  for (let number = 1; number <= 11; number++) onOne.push(await guess('astrid@example.com', number));
  expect(onOne).toEqual([...Array.from({ length: 10 }, () => 422), 429]);
  // One name is counted already; the network has two hundred of them, under every forged address.
  const onMany: number[] = [];
  for (let number = 1; number <= 201; number += 20)
    onMany.push(
      ...(await Promise.all(
        Array.from({ length: 20 }, (_none, at) => guess(`name${number + at}@example.com`, at + 1)),
      )),
    );
  expect(onMany.filter((status) => status === 422)).toHaveLength(199);
  expect(onMany.filter((status) => status === 429)).toHaveLength(21);
  const rows = await auditOf(hemma);
  expect(new Set(rows.flatMap(({ address }) => (address === null ? [] : [address])))).toEqual(
    new Set(['127.0.0.1']),
  );
}, 120_000);
