/** The journeys as tables of moves, so that an attack can be tried on every page. */
import { at } from '../rig/ceremony.ts';
import { days, travel } from '../rig/clock.ts';
import { newVisitor, type Screen } from '../rig/visitor.ts';
import { newDevice } from '../protocol/devices.ts';
import * as move from './moves.ts';
import type { Run } from './moves.ts';
import { enrolledUser, intentUrl, newUser, type SecureProvider } from './secure-provider.ts';

export interface Journey {
  name: string;
  /** Creates the user and opens the first page. */
  begin(provider: SecureProvider): Promise<Run>;
  moves: readonly move.Move[];
  /** The page that the journey ends at. */
  end: 'back' | 'account' | 'device-allowed' | 'no-access';
  /** It begins in a browser that is signed in, whose address the password page may show. */
  signedIn?: true;
}

const notEnrolled = async (provider: SecureProvider): Promise<Run> => {
  const { email } = await newUser(provider.hemma);
  const visitor = newVisitor();
  await visitor.visit((await provider.application.begin()).url);
  return { provider, visitor, email };
};

/** A user who has enrolled, in a new browser or in the one that is signed in, at `url`. */
const withUser =
  (url: (provider: SecureProvider) => Promise<string> | string, signedIn = false) =>
  async (provider: SecureProvider): Promise<Run> => {
    const user = await enrolledUser(provider.hemma, provider.application);
    const visitor = signedIn ? user.visitor : newVisitor();
    await visitor.visit(await url(provider));
    return { provider, visitor, email: user.email, user };
  };

const inNewBrowser = withUser(async ({ application }) => (await application.begin()).url);
const forIntent = (intent: string) => withUser(({ hemma }) => intentUrl(hemma, intent), true);

const device: Journey['begin'] = async (provider) => {
  const user = await enrolledUser(provider.hemma, provider.application);
  const visitor = newVisitor();
  const { code } = await newDevice(provider.hemma, provider.application);
  await visitor.visit(provider.hemma.url('/device'));
  await visitor.submit({ user_code: code });
  at('device-confirm', visitor.screen);
  await visitor.submit({}, 'confirm=yes');
  return { provider, visitor, email: user.email, user };
};

/** A user who has deactivated MFA in the browser that is signed in. */
const withoutMfa: Journey['begin'] = async (provider) => {
  const run = await forIntent('deactivate_two_step')(provider);
  await move.password.act(run);
  await move.totp.act(run);
  at('account', await move.press('confirm', 'choice=do').act(run));
  await run.visitor.visit(intentUrl(provider.hemma, 'activate_two_step'));
  return run;
};

const switchUser: Journey['begin'] = async (provider) => {
  const run = await withUser(
    async ({ application }) => (await application.begin({ prompt: 'login' })).url,
    true,
  )(provider);
  return { ...run, other: await enrolledUser(provider.hemma, provider.application) };
};

const afterSevenDays: Journey['begin'] = async (provider) => {
  const { email } = await newUser(provider.hemma);
  travel(days(8));
  const visitor = newVisitor();
  await visitor.visit((await provider.application.begin()).url);
  return { provider, visitor, email };
};

const stepUp = withUser(
  async ({ application }) => (await application.begin({ prompt: 'login', acr_values: 'urn:hemma:2' })).url,
  true,
);

export const journeys: readonly Journey[] = [
  {
    name: 'J1 first sign-in',
    begin: notEnrolled,
    moves: [move.password, move.enroll('enrollment'), move.confirmCode],
    end: 'back',
  },
  {
    name: 'J1 first sign-in after seven days',
    begin: afterSevenDays,
    moves: [
      move.password,
      move.typeEmailedCode(({ email }) => email),
      move.enroll('enrollment'),
      move.confirmCode,
    ],
    end: 'back',
  },
  { name: 'J2 ordinary sign-in', begin: inNewBrowser, moves: [move.password, move.totp], end: 'back' },
  {
    name: 'J3 new phone',
    begin: inNewBrowser,
    moves: [
      move.password,
      move.open('totp', 'another-way'),
      move.open('another-way', 'recovery-code'),
      move.recoveryCode('phoneGone=yes'),
      move.enroll('re-enrollment'),
      move.confirmCode,
    ],
    end: 'back',
  },
  {
    name: 'J4 recovery code instead of the phone',
    begin: inNewBrowser,
    moves: [
      move.password,
      { page: 'totp', act: (run) => run.visitor.submit({ code: move.enrolled(run).recoveryCode }) },
      move.press('recovery-code', 'phoneGone=no'),
      move.confirmCode,
    ],
    end: 'back',
  },
  {
    name: 'J5 help-desk code',
    begin: inNewBrowser,
    moves: [
      move.password,
      move.open('totp', 'help-desk'),
      move.open('help-desk', 'recovery-code'),
      move.helpDeskCode,
      move.enroll('re-enrollment'),
      move.confirmCode,
    ],
    end: 'back',
  },
  {
    name: 'forgotten password',
    begin: inNewBrowser,
    moves: [
      move.open('password', 'forgotten-password'),
      { page: 'forgotten-password', act: ({ visitor, email }) => visitor.submit({ email }) },
      move.typeEmailedCode(({ email }) => email, true),
      move.totp,
      {
        page: 'new-password',
        act: ({ visitor }) => visitor.submit({ password: 'ett annat långt lösenord' }),
      },
    ],
    end: 'back',
  },
  {
    name: 'throttled password with an emailed code',
    begin: inNewBrowser,
    moves: [move.throttledPassword, move.passwordAndCode, move.totp],
    end: 'back',
  },
  {
    name: 'J6 another phone while the old one works',
    begin: forIntent('replace_authenticator'),
    moves: [move.password, move.totp, move.enroll('re-enrollment'), move.confirmCode],
    end: 'account',
    signedIn: true,
  },
  { name: 'J8 step-up', begin: stepUp, moves: [move.password, move.totp], end: 'back', signedIn: true },
  { name: 'device flow', begin: device, moves: [move.password, move.totp], end: 'device-allowed' },
  {
    name: 'consent',
    begin: withUser(async ({ thirdParty }) => (await thirdParty.begin()).url),
    moves: [move.password, move.totp, move.press('consent', 'choice=allow')],
    end: 'back',
  },
  {
    name: 'no access',
    begin: withUser(async ({ restricted }) => (await restricted.begin()).url),
    moves: [move.password, move.totp],
    end: 'no-access',
  },
  {
    name: 'activate MFA',
    begin: withoutMfa,
    moves: [move.password, move.enroll('enrollment'), move.confirmCode],
    end: 'account',
    signedIn: true,
  },
  {
    name: 'new recovery code',
    begin: forIntent('new_recovery_code'),
    moves: [move.password, move.totp, move.confirmCode],
    end: 'account',
    signedIn: true,
  },
  {
    name: 'deactivate MFA',
    begin: forIntent('deactivate_two_step'),
    moves: [move.password, move.totp, move.press('confirm', 'choice=do')],
    end: 'account',
    signedIn: true,
  },
  {
    name: 'change the password',
    begin: forIntent('change_password'),
    moves: [
      move.password,
      move.totp,
      {
        page: 'new-password',
        act: ({ visitor }) => visitor.submit({ password: 'ett annat långt lösenord' }),
      },
    ],
    end: 'account',
    signedIn: true,
  },
  {
    name: 'change the address',
    begin: forIntent('change_email'),
    moves: [
      move.password,
      move.totp,
      { page: 'new-email', act: (run) => run.visitor.submit({ email: move.newAddress(run) }) },
      move.typeEmailedCode(move.newAddress),
    ],
    end: 'account',
    signedIn: true,
  },
  {
    name: 'switch user',
    begin: switchUser,
    moves: [move.otherPassword, move.press('other-account', 'choice=switch'), move.otherTotp],
    end: 'back',
    signedIn: true,
  },
];

/** Makes the moves from `from` up to and without `until`. */
export async function walk(run: Run, { moves }: Journey, from = 0, until = moves.length): Promise<Screen> {
  for (const next of moves.slice(from, until)) {
    at(next.page, run.visitor.screen);
    await next.act(run);
  }
  return run.visitor.screen;
}

/** The position of the move that verifies the first factor. */
export const firstFactorOf = ({ moves }: Journey): number =>
  moves.findIndex(({ firstFactor }) => firstFactor);
