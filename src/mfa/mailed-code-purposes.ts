import type { MailContext, Message } from '../mail/letter.ts';
import {
  emailCodeMail,
  enrollmentCodeMail,
  noticeEmailCodeMail,
  passwordCodeMail,
  throttledPasswordCode,
} from '../mail/typed-codes.ts';
import type { FactorType } from '../security/verified-factors.ts';

/**
 * Codes that a person reads in a mail and types on the page that waits, in the browser that asked. Each is good for
 * one purpose in one interaction, once, for ten minutes; none is ever a second factor of a sign-in (NIST SP
 * 800-63B-4 §3.1.3):
 * - `enrollment`: before a first phone is connected outside the enrolment window, to the verified address;
 * - `forgotten-password`: stands in for the password, the second factor is still asked, to the sign-in address;
 * - `throttled-password`: lets a right password through while its budget pauses, and proves nothing alone;
 * - `new-email`: proves the new address before it becomes the account's;
 * - `notice-email`: proves the second address before it hears anything.
 */
export type MailedCodePurpose =
  'enrollment' | 'forgotten-password' | 'throttled-password' | 'new-email' | 'notice-email';

/** Purposes of codes that are typed on a page which asks for nothing else. */
export type PagePurpose = Exclude<MailedCodePurpose, 'throttled-password'>;

export const mailTemplates: Record<MailedCodePurpose, (facts: MailContext, code: string) => Message> = {
  enrollment: enrollmentCodeMail,
  'forgotten-password': passwordCodeMail,
  'throttled-password': throttledPasswordCode,
  'new-email': emailCodeMail,
  'notice-email': noticeEmailCodeMail,
};

/** The factor that a correct code verifies; a new address is verified by the change itself. */
export const factorByPurpose: Record<PagePurpose, FactorType | undefined> = {
  enrollment: 'mailed-code',
  'forgotten-password': 'mailbox',
  'new-email': undefined,
  'notice-email': undefined,
};
