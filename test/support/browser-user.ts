/** Users of the tests in Chromium: enrolled over HTTP, so that a browser begins where a test is about something. */
import { at, type Kept, keyOnPage, recoveryCodeOnPage, typePassword } from '../rig/ceremony.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor } from '../rig/visitor.ts';
import type { Origins } from './origins.ts';
import { submitWithoutFollowing } from './parallel-finish.ts';
import { newUser } from './secure-provider.ts';

/** A user who has enrolled an authenticator. The client is on a host that only Chromium finds, so it is not visited. */
export async function enrollBy({
  hemma,
  begin,
}: Pick<Origins, 'hemma' | 'begin'>): Promise<Kept & { email: string }> {
  const { email } = await newUser(hemma);
  const visitor = newVisitor();
  await visitor.visit(begin().url);
  await typePassword(visitor, email);
  const key = keyOnPage(visitor.screen);
  const recoveryCode = recoveryCodeOnPage(await visitor.submit({ code: sixDigits(key) }));
  at('new-recovery-code', visitor.screen);
  await submitWithoutFollowing(visitor, { lastGroup: recoveryCode.slice(-4) });
  return { email, key, recoveryCode };
}
