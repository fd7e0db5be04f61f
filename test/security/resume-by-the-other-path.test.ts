/** An interaction is resumed at its own path alone: that of a device not at `/auth/<uid>`, that of a client not at `/device/<uid>`. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { back } from '../rig/clock.ts';
import { newVisitor } from '../rig/visitor.ts';
import { finishingDevice, finishingSignIn } from '../support/parallel-finish.ts';
import { type SecureProvider, startSecureProvider } from '../support/secure-provider.ts';
import { accountOpenedBy, cookiesAfter } from '../support/sign-in-cookies.ts';

const slow = 180_000;
let provider: SecureProvider;
beforeAll(async () => {
  provider = await startSecureProvider();
}, slow);
afterEach(back);
afterAll(() => provider.stop());

test.each([
  ['a device', finishingDevice, 'auth'],
  ['a client', finishingSignIn, 'device'],
] as const)(
  'the sign-in of %s opens no session at the other path, and is not used up there',
  async (_what, finishing, folder) => {
    const { visitor, resume } = await finishing(provider.hemma, provider.application);
    const before = visitor.cookies.all();
    const elsewhere = new URL(resume.pathname.replace(/^\/\w+/, `/${folder}`), resume);
    const answer = await newVisitor({ stolen: before }).request(elsewhere);
    expect(answer.status).toBeLessThan(500);
    expect(await accountOpenedBy(provider.hemma, cookiesAfter(elsewhere, before, answer))).toBeUndefined();
    const genuine = await visitor.visit(resume);
    expect(['back', 'device-allowed']).toContain(genuine.step);
  },
  slow,
);
