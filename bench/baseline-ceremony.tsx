/**
 * A sign-in at the measure of the rest: Hemma's own pages one after the other, hashes with as many threads, and no more
 * kept than what the next page must know. Nothing is counted, written down or told to anybody.
 */
import { hash as argon2, verify as verifyArgon2 } from '@node-rs/argon2';
import { generateSecret, generateURI, verify as verifyTotp } from 'otplib';
import type { VNode } from 'preact';
import { toString as qrCode } from 'qrcode';
import type { Frame } from '../interactions/ui/layout.tsx';
import { EnrollmentPage } from '../interactions/sign-in/enrollment.tsx';
import { NewRecoveryCodePage } from '../interactions/sign-in/new-recovery-code.tsx';
import { PasswordPage } from '../interactions/sign-in/password.tsx';
import { RecoveryCodePage } from '../interactions/sign-in/recovery-code.tsx';
import { TotpPage } from '../interactions/sign-in/totp.tsx';
import { generateCode } from '../src/mfa/recovery-code-format.ts';
import { stepSeconds } from '../src/mfa/totp.ts';
import { createLimiter } from '../src/crypto/argon2.ts';
import { baselineCredentials, argon2Cost, password } from './town.ts';

/** Where one sign-in stands. */
export interface UserState {
  email: string;
  /** The key of the phone that is being connected, and the recovery code that was shown. */
  key: string;
  code: string;
}

interface PageRequest {
  frame: Frame;
  action: string;
  token: string;
  clientName: string | undefined;
  stand: UserState;
}

type FormFields = Readonly<Record<string, string>>;

interface BaselinePage {
  show(asked: PageRequest): VNode | Promise<VNode>;
  /** The page that follows, or that the sign-in is finished; undefined where the answer is wrong. */
  take(form: FormFields, stand: UserState): Promise<string | undefined>;
}

const helpDesk = 'helpdesk@example.com';

const passwordPage = ({ frame, action, token, clientName }: PageRequest) => {
  const ways = {
    forgottenPasswordUrl: `${action}/forgotten-password`,
    newPhoneUrl: `${action}?new-phone=yes`,
  };
  return <PasswordPage {...{ frame, action, token, clientName, ...ways }} />;
};

const totpPage = ({ frame, action, token, stand: { email } }: PageRequest) => {
  const ways = { anotherWayUrl: `${action}/another-way`, lostPhoneUrl: `${action}/recovery-code` };
  return <TotpPage {...{ frame, action, token, email, mayRemember: true, ...ways }} />;
};

const recoveryPage = ({ frame, action, token }: PageRequest) => {
  const ways = { helpDeskUrl: `${action}/help-desk`, anotherWayUrl: `${action}/another-way` };
  return (
    <RecoveryCodePage
      {...{ frame, action, token, helpDesk, ...ways }}
      right={false}
      next="ask"
      awaited={false}
    />
  );
};

async function enrollmentPage({ frame, action, token, stand }: PageRequest) {
  stand.key ||= generateSecret({ length: 20 });
  const otpauthUri = generateURI({ issuer: 'Hemma', label: stand.email, secret: stand.key });
  const qrSvg = await qrCode(otpauthUri, { type: 'svg', margin: 2, errorCorrectionLevel: 'M' });
  const shown = { frame, action, token, accountName: stand.email, qrSvg, secret: stand.key, otpauthUri };
  return <EnrollmentPage {...shown} step="re-enrollment" endOthers found />;
}

const isCorrectTotp = async (key: string, digits = ''): Promise<boolean> =>
  (await verifyTotp({ secret: key, token: digits, epochTolerance: stepSeconds })).valid;

/** The pages by name. People named `plain` have a password that costs nothing to check. */
export async function createBaselineSteps(threads: number): Promise<Readonly<Record<string, BaselinePage>>> {
  const { run } = createLimiter(threads);
  const hash = (secret: string) => run(() => argon2(secret, argon2Cost));
  const verify = (stored: string, secret: string) => run(() => verifyArgon2(stored, secret));
  const stored = await hash(password);
  const firstCode = await hash(baselineCredentials.recoveryCode);
  const codes = new Map<string, string>();
  return {
    password: {
      show: passwordPage,
      async take({ email = '', password: typed = '' }, userState) {
        userState.email = email;
        const isCorrect = /^(plain|crowd)-/.test(email) ? typed === password : await verify(stored, typed);
        if (!isCorrect) return undefined;
        return /^(phone|recovery)-/.test(email) ? 'totp' : 'finished';
      },
    },
    totp: {
      show: totpPage,
      take: async ({ code }) =>
        (await isCorrectTotp(baselineCredentials.key, code)) ? 'finished' : undefined,
    },
    'recovery-code': {
      show: recoveryPage,
      take: async ({ code = '' }, { email }) =>
        (await verify(codes.get(email) ?? firstCode, code)) ? 're-enrollment' : undefined,
    },
    're-enrollment': {
      show: enrollmentPage,
      take: async ({ code }, { key }) => ((await isCorrectTotp(key, code)) ? 'new-recovery-code' : undefined),
    },
    'new-recovery-code': {
      async show({ frame, action, token, stand: userState }) {
        userState.code = generateCode();
        codes.set(userState.email, await hash(userState.code));
        const { email, code: recoveryCode } = userState;
        return <NewRecoveryCodePage {...{ frame, action, token, recoveryCode, email, issued: new Date() }} />;
      },
      take: ({ lastGroup }, { code }) =>
        Promise.resolve(lastGroup === code.slice(-4) ? 'finished' : undefined),
    },
  };
}
