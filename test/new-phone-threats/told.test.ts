/** Whoever's sessions end because a factor or the password changed: their applications hear of it (SECURITY T34). */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { back } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { deedUrl, keyOn, newPerson, type Person, proveBoth } from './people.ts';

let hemma: Hemma;
let party: RelyingParty;

beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma });
});
afterEach(back);
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});

/** Each deed, from the page that its intent leads to; the session that `newPerson` opened is elsewhere. */
const deeds: Record<string, (browser: Visitor) => Promise<unknown>> = {
  replace_authenticator: (browser) =>
    browser.submit({ code: sixDigits(keyOn(browser.screen)), endOtherSessions: 'yes' }),
  deactivate_two_step: (browser) => browser.submit({ endOtherSessions: 'yes' }, 'choice=do'),
  change_password: (browser) => browser.submit({ password: 'en helt annan sjö' }),
};

/** The subject of the logout token that came since, and of more if they came with it. */
async function told(since: number): Promise<(string | undefined)[]> {
  const tokens = await Promise.all((await party.told(1, since)).map((token) => party.verify(token)));
  return tokens.map(({ payload }) => payload.sub);
}

async function carryOut(intent: string, owner: Person): Promise<Visitor> {
  const browser = newVisitor();
  await proveBoth(browser, deedUrl(hemma, intent), owner);
  await deeds[intent]?.(browser);
  return browser;
}

test.each(Object.keys(deeds))(
  'SECURITY 55, T34 %s ends the other sessions and tells their applications',
  async (intent) => {
    const owner = await newPerson(hemma, party, `${intent.replaceAll('_', '-')}@example.com`);
    const bystander = await newPerson(hemma, party, `bredvid-${intent.replaceAll('_', '-')}@example.com`);
    const since = party.logoutTokens.length;
    await carryOut(intent, owner);
    expect(await told(since)).toEqual([owner.id]);
    await owner.browser.visit((await party.begin({ prompt: 'none' })).url);
    expect(owner.browser.screen.url.searchParams.get('error')).toBe('login_required');
    await bystander.browser.visit((await party.begin({ prompt: 'none' })).url);
    expect(bystander.browser.screen.url.searchParams.get('error')).toBeNull();
  },
);

test('T34 where the person keeps the other sessions, nobody is told of an end that did not come', async () => {
  const owner = await newPerson(hemma, party, 'astrid@example.com');
  const browser = newVisitor();
  await proveBoth(browser, deedUrl(hemma, 'replace_authenticator'), owner);
  await browser.post(browser.screen.url, {
    token: browser.screen.page.querySelector('input[name=token]')?.getAttribute('value') ?? '',
    code: sixDigits(keyOn(browser.screen)),
  });
  expect(browser.screen.step).toBe('new-recovery-code');
  const waiting = 'SELECT 1 FROM logout_messages WHERE account_id = $1';
  expect((await hemma.db.query(waiting, [owner.id])).rows).toEqual([]);
  await owner.browser.visit((await party.begin({ prompt: 'none' })).url);
  expect(owner.browser.screen.url.searchParams.get('error')).toBeNull();
});
