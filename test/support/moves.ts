/** What an honest user does on each page of an interaction. A new page is added here and to a journey in journeys.ts. */
import { keyOnPage, recoveryCodeOnPage } from '../rig/ceremony.ts';
import { PASSWORD } from '../rig/password.ts';
import { scan, sixDigits } from '../rig/totp.ts';
import { newVisitor, type Screen, type Visitor } from '../rig/visitor.ts';
import { deskAt } from '../help-desk/desk.ts';
import { type EnrolledUser, nextCode, type SecureProvider } from './secure-provider.ts';
import { pageUrl } from './sign-in-cookies.ts';

/** One honest user on the way through a journey. */
export interface Run {
  provider: SecureProvider;
  visitor: Visitor;
  email: string;
  /** Absent where the journey is the first sign-in. */
  user?: EnrolledUser;
  /** A second user, where the journey needs one. */
  other?: EnrolledUser;
}

/** What the user does on one page. */
export interface Move {
  page: string;
  /** The interaction's first verified factor is verified by this move. */
  firstFactor?: true;
  act(run: Run): Promise<Screen>;
}

/** The user of this run, who has enrolled. */
export const enrolled = ({ user }: Run): EnrolledUser => {
  if (!user) throw new Error('this journey needs a user who has enrolled');
  return user;
};

export const password: Move = {
  page: 'password',
  firstFactor: true,
  act: ({ visitor, email }) => visitor.submit({ email, password: PASSWORD }),
};
export const otherPassword: Move = {
  ...password,
  act: ({ visitor, other }) => visitor.submit({ email: other?.email ?? '', password: PASSWORD }),
};
export const totp: Move = {
  page: 'totp',
  act: (run) => run.visitor.submit({ code: nextCode(enrolled(run).key) }),
};
export const otherTotp: Move = {
  page: 'totp',
  act: ({ visitor, other }) => visitor.submit({ code: nextCode(other?.key ?? '') }),
};
export const open = (page: string, next: string): Move => ({
  page,
  act: ({ visitor }) => visitor.visit(pageUrl(visitor, next)),
});
export const press = (page: string, button: string): Move => ({
  page,
  act: ({ visitor }) => visitor.submit({}, button),
});
export const enroll = (page: 'enrollment' | 're-enrollment'): Move => ({
  page,
  act({ visitor }) {
    const { screen } = visitor;
    const link = screen.page.querySelector('a[href^="otpauth:"]')?.getAttribute('href') ?? '';
    const key = page === 'enrollment' ? keyOnPage(screen) : scan(link).key;
    return visitor.submit({ code: sixDigits(key) });
  },
});
export const confirmCode: Move = {
  page: 'new-recovery-code',
  act: ({ visitor }) => visitor.submit({ lastGroup: recoveryCodeOnPage(visitor.screen).slice(-4) }),
};
export const recoveryCode = (button: string): Move => ({
  page: 'recovery-code',
  act: (run) => run.visitor.submit({ code: enrolled(run).recoveryCode }, button),
});

const mailed = /\d{4} \d{4}/;
/** The typed code of the next unread email to an address. */
export async function emailedCode({ hemma }: SecureProvider, address: string): Promise<string> {
  return mailed.exec((await hemma.mail.mailTo(address, mailed)).text)?.[0] ?? '';
}
export const typeEmailedCode = (to: (run: Run) => string, firstFactor?: true): Move => ({
  page: 'mailed-code',
  ...(firstFactor ? { firstFactor } : {}),
  act: async (run) => run.visitor.submit({ code: await emailedCode(run.provider, to(run)) }),
});

/** Another browser spends what is left of the user's password budget. */
async function spendPasswordBudget({ provider, email }: Run): Promise<void> {
  const stranger = newVisitor();
  await stranger.visit((await provider.application.begin()).url);
  for (let guess = 1; guess <= 20; guess++)
    if ((await stranger.submit({ email, password: `wrong ${guess}` })).refusal === 'throttled') return;
  throw new Error('the password budget does not end');
}

/** The right password is refused while the budget pauses, and a code is asked for. */
export const throttledPassword: Move = {
  page: 'password',
  async act(run) {
    await spendPasswordBudget(run);
    const { visitor } = run;
    const { status } = await password.act(run);
    if (status !== 429) throw new Error(`the password was not throttled: ${status}`);
    return visitor.submit({}, 'Mejla mig en kod');
  },
};
export const passwordAndCode: Move = {
  page: 'password-and-code',
  firstFactor: true,
  act: async ({ provider, visitor, email }) =>
    visitor.submit({ email, password: PASSWORD, code: await emailedCode(provider, email) }),
};

export const newAddress = ({ email }: Run) => `new-${email}`;

/** Types the help-desk code on the page of the recovery code. */
export const helpDeskCode: Move = {
  page: 'recovery-code',
  async act(run) {
    const desk = await deskAt(run.provider.hemma);
    const operator = await desk.operator(`operator-${run.email.split('@')[0]}`);
    const code = await desk.codeFor(operator, enrolled(run));
    return run.visitor.submit({ code }, 'phoneGone=yes');
  },
};
