/**
 * Someone who knew the password once has signed in from many browsers. Each is a "known browser" with separate budgets,
 * which no network and no mailbox limits. After the owner has changed the password those browsers must be strangers again.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { at, typePassword } from '../rig/ceremony.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { intentUrl } from '../support/secure-provider.ts';
import { uidOf } from '../support/sign-in-cookies.ts';

const slow = 240_000;
const browsersOfAttacker = 8;
let hemma: Hemma;
let client: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma();
  client = await startRelyingParty({ hemma });
}, slow);
afterAll(async () => {
  await client.stop();
  await hemma.stop();
});

async function signedIn(email: string): Promise<Visitor> {
  const visitor = newVisitor();
  await visitor.visit((await client.begin()).url);
  await typePassword(visitor, email);
  at('back', visitor.screen);
  return visitor;
}

/** The attacker's browsers of an owner who has changed the password since. */
async function afterChange(name: string) {
  const { email } = await hemma.account({ email: `${name}@users.example.com`, twoStepRequired: false });
  const browsers: Visitor[] = [];
  while (browsers.length < browsersOfAttacker) browsers.push(await signedIn(email));
  const owner = await signedIn(email);
  await owner.visit(intentUrl(hemma, 'change_password'));
  await typePassword(owner, email);
  at('new-password', owner.screen);
  at('account', await owner.submit({ password: 'ett helt annat lösenord 77' }));
  return { email, browsers };
}

test(
  'judges no more guesses at a changed password from them than from one stranger (ADR 0001: 17 in the first hour)',
  async () => {
    const { email, browsers } = await afterChange('guessed');
    let judged = 0;
    for (const browser of browsers)
      for (let guess = 0; guess < 5; guess += 1) {
        at('password', await browser.visit((await client.begin()).url));
        const { refusal } = await browser.submit({ email, password: `a wrong guess ${guess}` });
        if (refusal !== 'throttled') judged += 1;
      }
    expect(judged).toBeLessThanOrEqual(17);
  },
  slow,
);

test(
  'sends no more codes to the mailbox for them than the limit of a mailbox (ADR 0001: 20 at once)',
  async () => {
    const { email, browsers } = await afterChange('flooded');
    let sent = 0;
    for (const browser of browsers)
      for (let request = 0; request < 3; request += 1) {
        at('password', await browser.visit((await client.begin()).url));
        await browser.visit(hemma.url(`/interaction/${uidOf(browser)}/forgotten-password`));
        if ((await browser.submit({ email })).step === 'mailed-code') sent += 1;
      }
    expect(sent).toBeLessThanOrEqual(20);
  },
  slow,
);
