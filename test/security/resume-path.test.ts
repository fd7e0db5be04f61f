/** The last redirect of an interaction has one path; the other one of the library's resumes nothing, even for its own browser. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { back } from '../rig/clock.ts';
import { finishingDevice, finishingSignIn } from '../support/parallel-finish.ts';
import { type SecureProvider, startSecureProvider } from '../support/secure-provider.ts';
import { accountOpenedBy } from '../support/sign-in-cookies.ts';

let provider: SecureProvider;
beforeAll(async () => {
  provider = await startSecureProvider();
});
afterEach(back);
afterAll(() => provider.stop());

test.each([
  ['a device flow', finishingDevice, 'auth', 'device-allowed'],
  ['a sign-in', finishingSignIn, 'device', 'back'],
] as const)(
  'refuses to resume %s on the path of the other flow, and then resumes it on its own',
  async (_flow, finish, path, end) => {
    const { hemma, application } = provider;
    const { visitor, resume, user } = await finish(hemma, application);
    const wrong = await visitor.visit(resume.href.replace(/\/(auth|device)\//, `/${path}/`));
    expect([wrong.step, wrong.status]).toEqual(['problem', 400]);
    expect(await accountOpenedBy(hemma, visitor.cookies.all())).toBeUndefined();
    expect((await visitor.visit(resume)).step).toBe(end);
    expect(await accountOpenedBy(hemma, visitor.cookies.all())).toBe(user.email);
  },
);
