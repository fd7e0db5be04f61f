/** T32: no deed is done by the code from the help desk, whatever the sign-in is for: first comes the new phone. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Operator } from '../../src/users/operators.ts';
import { back } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor } from '../rig/visitor.ts';
import { deedUrl, keyOn, newPerson, pageOf, provePassword, tokenOn } from '../new-phone-threats/people.ts';
import { recorded } from '../new-phone-threats/recorded.ts';
import { type Desk, deskAt } from './desk.ts';

let hemma: Hemma;
let party: RelyingParty;
let desk: Desk;
let agent: Operator;

beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma });
  desk = await deskAt(hemma);
  agent = await desk.operator('agent');
});
afterEach(back);
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});

const person = (name: string) => newPerson(hemma, party, `${name}@example.com`);

describe('T32 whatever the sign-in is for, the code leads to the new phone before anything else', () => {
  test.each([
    'deactivate_two_step',
    'replace_authenticator',
    'new_recovery_code',
    'check_recovery_code',
    'change_password',
    'change_email',
    'delete_account',
    'step_up',
  ])('%s', async (intent) => {
    const owner = await person(intent.replaceAll('_', '-'));
    const code = await desk.codeFor(agent, owner);
    const visitor = newVisitor();
    await provePassword(visitor, deedUrl(hemma, intent), owner.email);
    await visitor.submit({ code });
    expect(visitor.screen.step).toBe('re-enrollment');
    const token = tokenOn(visitor);
    for (const step of [
      'confirm',
      'new-email',
      'new-password',
      'new-recovery-code',
      'totp',
      'recovery-code',
    ]) {
      await visitor.visit(pageOf(visitor, step));
      expect([step, visitor.screen.step]).toEqual([step, 're-enrollment']);
      await visitor.post(pageOf(visitor, step), {
        token,
        choice: 'do',
        email: 'thief@example.com',
        password: 'en helt annan sjö i maj',
        lastGroup: 'AAAA',
      });
      expect([step, visitor.screen.step]).toEqual([step, 're-enrollment']);
    }
    for (const event of [
      'two-step.deactivated',
      'password.changed',
      'email.changed',
      'account.deleted',
    ] as const)
      expect([event, await recorded(hemma, event, owner.id)]).toEqual([event, 0]);
    await visitor.submit({ code: sixDigits(keyOn(visitor.screen)) });
    expect(visitor.screen.step).not.toBe('re-enrollment');
    expect(await recorded(hemma, 'authenticator.replaced', owner.id)).toBe(1);
  });
});
