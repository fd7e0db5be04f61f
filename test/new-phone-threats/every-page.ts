/** A thief who tries every deed, every page and every form. */
import { expect } from '@jest/globals';
import { sixDigits } from '../rig/totp.ts';
import type { Visitor } from '../rig/visitor.ts';
import { codeOn, gotIn, keyOn, pageOf, type Person, standsAt, tokenOn } from './people.ts';

type Own = Pick<Person, 'email' | 'key' | 'recoveryCode'>;

export const deeds = `deactivate_two_step activate_two_step replace_authenticator new_recovery_code
  check_recovery_code change_password change_email change_notice_email download_data delete_account step_up`.split(
  /\s+/,
);

const deedPages =
  `new-password new-email re-enrollment mailed-code enrollment new-recovery-code confirm`.split(' ');

/** What a thief would send to any page: the victim's password, the thief's own phone and mailbox. */
const everything = (browser: Visitor, own: Own) => ({
  token: tokenOn(browser),
  email: own.email,
  password: 'tjuvens nya lösenord',
  code: sixDigits(own.key),
  lastGroup: own.recoveryCode.slice(-4),
  phoneGone: 'yes',
  choice: 'do',
  endOtherSessions: 'yes',
});

/** Asks for every page of the sign-in in front of the thief and posts everything to it. */
export async function tryEveryPage(thief: Visitor, own: Own, allowed: readonly string[]): Promise<void> {
  const start = thief.screen;
  for (const step of deedPages) {
    const page = pageOf(thief, step);
    for (const send of [() => thief.visit(page), () => thief.post(page, everything(thief, own))]) {
      thief.backTo(start);
      const screen = await send();
      expect([step, screen.step, allowed.includes(screen.step ?? '')]).toEqual([step, screen.step, true]);
      expect(keyOn(screen) + codeOn(screen)).toBe('');
      expect(screen.status).toBeLessThan(500);
    }
  }
  thief.backTo(start);
}

const steps =
  `password password-and-code forgotten-password new-password new-email other-account totp another-way recovery-code
  re-enrollment mailed-code enrollment new-recovery-code confirm consent`.split(/\s+/);

/** What each page's form sends, filled in with what a thief has: a phone, a code and a mailbox of the thief's own. */
const forms = (victim: string, own: Own): Record<string, Record<string, string>> => ({
  empty: {},
  'six digits': { code: sixDigits(own.key), rememberDevice: 'yes' },
  'a recovery code': { code: own.recoveryCode, phoneGone: 'yes' },
  'another code': { code: '0000 0000', lastGroup: own.recoveryCode.slice(-4), phoneGone: 'no' },
  'a new password': { password: 'tjuvens nya lösenord' },
  'the last button': { choice: 'do', email: victim, endOtherSessions: 'yes' },
  'flags of its own': { choice: 'switch', proved: 'totp', step: 'finished', result: '{"login":{}}' },
});

/** Posts every form to every page, each from the page that the thief stands at, and asks where that has led. */
export async function tryAll(
  browser: Visitor,
  victim: string,
  own: Own,
  stays: readonly string[],
): Promise<void> {
  const start = browser.screen;
  const token = tokenOn(browser);
  for (const step of steps) {
    browser.backTo(start);
    const shown = await browser.visit(pageOf(browser, step));
    expect([step, keyOn(shown) + codeOn(shown), shown.status < 500]).toEqual([step, '', true]);
    const deedPage = deedPages.find((page) => page === shown.step && !stays.includes(page));
    expect([step, deedPage]).toEqual([step, undefined]);
    for (const [form, fields] of Object.entries(forms(victim, own))) {
      browser.backTo(start);
      const answer = await browser.post(pageOf(browser, step), { token, ...fields });
      expect([step, form, keyOn(answer) + codeOn(answer)]).toEqual([step, form, '']);
      expect([step, form, answer.status < 500, gotIn(browser)]).toEqual([step, form, true, false]);
    }
    browser.backTo(start);
    const led = (await standsAt(browser)) ?? 'nowhere';
    expect([step, led, stays.includes(led)]).toEqual([step, led, true]);
  }
  await browser.visit(`${start.url.origin}/auth/${start.url.pathname.split('/')[2]}`);
  expect(gotIn(browser)).toBe(false);
  await browser.visit(`${start.url.origin}/account`);
  expect(browser.screen.url.pathname).not.toBe('/account');
}
