import type { Origin } from '../http/request-info.ts';
import { recordAuditEvent, recordAuditEventsEffect } from '../audit/audit-log.ts';
import { auditOncePerMinute } from '../audit/audit-once.ts';
import type { Db } from '../db/database.ts';
import type { Effect, Placeholder } from '../db/effects.ts';
import { checkPrecondition, applyEffects } from '../db/effects.ts';
import type { Hasher } from '../crypto/argon2.ts';
import type { CountedCode, Rebind } from '../security/verified-factors.ts';
import { recordVerifiedFactorsEffect } from '../security/verified-factors.ts';
import { sha256 } from '../crypto/encryption.ts';
import { countPassword, lastOfSuccess, passwordSucceeded } from '../security/sign-in-budget.ts';
import { networkSubject } from '../security/sliding-budget.ts';
import type { AttemptKey } from '../security/throttle.ts';
import { clearAttemptsEffect, clearedMoreThanSql } from '../security/throttle.ts';
import { successAfterFailuresMail } from '../mail/templates/sign-in.ts';
import type { EnqueueMail } from '../mail/outbox.ts';
import type { User } from './users.ts';
import { normalizeEmail, replaceHashEffect, findPasswordCredentials, passwordUnchanged } from './users.ts';
import { emailThrottleSubject } from './profile.ts';
import type { Device } from './devices.ts';
import { isTrusted } from './devices.ts';

/** Wrong tries before a right one that are worth a mail. */
const notifyAfterFailures = 5;

export type PasswordRefusal = { code: 'wrong-password' } | { code: 'throttled'; seconds: number };

/** What a person sends to prove who is there; `account` where the sign-in is bound to one already. */
export interface PasswordAttempt {
  interaction: string;
  rebind: Rebind;
  email: string;
  password: string;
  /** The token of the browser's device cookie. */
  device: string | undefined;
  origin: Origin;
}

/** The name that a network's budget counts, and what the audit log says of the email address that was typed. */
const nameOf = (email: string) => sha256(normalizeEmail(email));
const detailOf = (email: string) => ({ email: nameOf(email).toString('base64url').slice(0, 16) });

/**
 * Verifies e-mail and password, and writes the proof. Unknown, disabled and known accounts take the same steps
 * and the same time (a decoy hash: see `findPasswordCredentials`), share the form of their budgets, and are refused in the same words.
 * @param slowDown Called with the milliseconds for which the answer, right or wrong, is to be held back.
 */
export async function verifyPassword(
  db: Db,
  hasher: Hasher,
  enqueueMail: EnqueueMail,
  attempt: PasswordAttempt,
  slowDown: (ms: number) => void = () => undefined,
): Promise<PasswordRefusal | undefined> {
  const { email, password, device, origin: requestInfo } = attempt;
  const { account, hash, device: known } = await findPasswordCredentials(db, email, device);
  // A browser that signed in before has a budget of its own, so that strangers cannot spend the owner's, neither by
  // the account's address nor from the same network.
  const subject = known ? `device:${known.id}` : emailThrottleSubject(email);
  const attempted = { accountId: account?.id, origin: requestInfo };
  const network = known ? undefined : networkSubject(requestInfo);
  const counted = await countPassword(db, { subject, network, name: nameOf(email) });
  if (!counted.allowed) {
    const detail = { ...detailOf(email), budget: counted.budget };
    // A network that is throttled may name any number of addresses.
    const spent = counted.budget === 'network' ? (network ?? subject) : subject;
    await auditOncePerMinute(db, spent, { event: 'password.throttled', ...attempted, detail });
    return { code: 'throttled', seconds: counted.seconds };
  }
  slowDown(counted.slowDownMs);
  const normal = password.normalize('NFC');
  const right = await hasher.verify(hash, normal);
  if (!right || !hash || !account || account.disabledAt) {
    await recordAuditEvent(db, { event: 'password.wrong', ...attempted, detail: detailOf(email) });
    return { code: 'wrong-password' };
  }
  const rehashed = hasher.outdated(hash) ? await hasher.hash(normal) : undefined;
  const proof = { ...attempt, account, known, counted: [subject, 'password'] } as const;
  if (await recordVerifiedPassword(db, enqueueMail, { ...proof, hash, renewed: rehashed })) return undefined;
  // Another sign-in with the same password may have renewed the hash in between: the one of now decides.
  const { hash: now } = await findPasswordCredentials(db, email, undefined);
  const still = now !== undefined && now !== hash && (await hasher.verify(now, normal));
  const accepted =
    still && (await recordVerifiedPassword(db, enqueueMail, { ...proof, hash: now, renewed: undefined }));
  return accepted ? undefined : { code: 'wrong-password' };
}

/**
 * Verifies a password together with an emailed code, also while the password's budget pauses. Both are always verified,
 * and the refusal is the same whichever was wrong. It proves the password and nothing else. The password's count stays
 * as it is: its failures may be a stranger's, who would get new guesses.
 */
export async function verifyPasswordWithCode(
  db: Db,
  hasher: Hasher,
  post: EnqueueMail,
  { code, digits, ...attempt }: PasswordAttempt & { code: CountedCode; digits: string },
): Promise<{ code: 'wrong-password-or-code' } | undefined> {
  const { email, origin } = attempt;
  const { account, hash, device: known } = await findPasswordCredentials(db, email, attempt.device);
  const passwordRight = await hasher.verify(hash, attempt.password.normalize('NFC'));
  const codeRight = await hasher.verify(code.hash, digits);
  const right = passwordRight && codeRight && account && !account.disabledAt && code.accountId === account.id;
  const proof = { ...attempt, known, renewed: undefined, withEmailedCode: true };
  const done =
    right &&
    hash !== undefined &&
    // The user's lock first, then the code: in the order of every other change of this user.
    (await db.transaction(
      async (open) =>
        (await checkPrecondition(open, passwordUnchanged(account.id, hash))) &&
        (await code.consume(open)) &&
        (await recordVerifiedPassword(open, post, { ...proof, account, hash })),
    ));
  if (done) return undefined;
  const detail = { ...detailOf(email), emailedCode: true };
  await recordAuditEvent(db, { event: 'password.wrong', accountId: account?.id, origin, detail });
  return { code: 'wrong-password-or-code' };
}

interface VerifiedPassword extends PasswordAttempt {
  account: User;
  known: Device | undefined;
  /** The budget that it was counted by; none where an emailed code came with it. */
  counted?: AttemptKey | undefined;
  withEmailedCode?: boolean;
  /** The hash that it was verified against. */
  hash: string;
  /** The same password hashed with today's parameters, where the old one was not. */
  renewed: string | undefined;
}

/**
 * Writes what a right password proves, if the hash that it was verified against is the account's to this moment: it was
 * read, then hashed for a while, and a password that was changed since proves nothing any more.
 */
function recordVerifiedPassword(
  db: Db,
  enqueueMail: EnqueueMail,
  {
    interaction,
    rebind,
    email,
    account,
    known,
    counted,
    withEmailedCode,
    origin: requestInfo,
    hash,
    renewed: rehashed,
  }: VerifiedPassword,
): Promise<boolean> {
  const accountId = account.id;
  const trustedDevices = known && isTrusted(known) ? [known] : [];
  const network = networkSubject(requestInfo);
  // How many failures there were is known when they are forgotten: guessing may have gone on until this moment.
  const mailEffect = enqueueMail.effect(account, 'success-after-failures', successAfterFailuresMail);
  const effects: Effect[] = [
    ...(network ? [passwordSucceeded({ network, name: nameOf(email) })] : []),
    ...(counted
      ? [
          clearAttemptsEffect(counted, network && lastOfSuccess),
          {
            ...mailEffect,
            sql: ($: Placeholder) => mailEffect.sql($, clearedMoreThanSql(notifyAfterFailures)),
          },
        ]
      : []),
    recordVerifiedFactorsEffect({
      interaction,
      accountId,
      factors: [
        { factor: 'password' },
        ...trustedDevices.map(({ id }) => ({ factor: 'device', ref: id }) as const),
      ],
      first: true,
    }),
    ...(rehashed ? [replaceHashEffect(accountId, hash, rehashed)] : []),
    recordAuditEventsEffect([
      {
        event: 'password.right',
        accountId,
        origin: requestInfo,
        ...(withEmailedCode ? { detail: { emailedCode: true } } : {}),
      },
      ...trustedDevices.map(({ id }) => ({
        event: 'device.recognised' as const,
        accountId,
        origin: requestInfo,
        detail: { device: id },
      })),
    ]),
  ];
  return applyEffects(db, effects, rebind(passwordUnchanged(accountId, hash)));
}
