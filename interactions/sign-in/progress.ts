import type { Account } from '../../src/accounts/accounts.ts';
import { accountById } from '../../src/accounts/accounts.ts';
import { liveCodeSince } from '../../src/factors/recovery-code.ts';
import { authenticatorOf } from '../../src/factors/totp.ts';
import type { Authenticator } from '../../src/factors/totp.ts';
import { demandedLevel } from '../../src/oidc/assurance.ts';
import type { Db } from '../../src/platform/database.ts';
import type { Proof } from '../../src/platform/proofs.ts';
import { proofsOf } from '../../src/platform/proofs.ts';
import type { Situation } from './steps.ts';

/** What a person decided in a sign-in besides proving things. Kept by interaction, like the proofs. */
export type Choice = 'remember-device' | `switch-to:${string}`;

/** Where a sign-in stands, read from the database at every request. */
export interface Progress {
  /** The account that proved its password; undefined before, and once it is disabled. */
  account: Account | undefined;
  proofs: Proof[];
  authenticator: Authenticator | undefined;
  choices: ReadonlySet<string>;
  situation: Situation;
}

/** What the library keeps of the request that this interaction answers. */
export interface InteractionRecord {
  uid: string;
  params: Record<string, unknown>;
  prompt: { name: string; reasons: string[]; details: Record<string, unknown> };
  session?: { accountId?: string } | undefined;
}

/** Remembers a decision of this interaction; deciding it again changes nothing. */
export async function noteChoice(db: Db, interaction: string, choice: Choice): Promise<void> {
  await db.query(
    'INSERT INTO sign_in_choices (interaction, choice, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
    [interaction, choice, new Date()],
  );
}

async function choicesOf(db: Db, interaction: string): Promise<ReadonlySet<string>> {
  const { rows } = await db.query<{ choice: string }>(
    'SELECT choice FROM sign_in_choices WHERE interaction = $1',
    [interaction],
  );
  return new Set(rows.map(({ choice }) => choice));
}

/** Removes decisions of interactions that ended before `before`, at most `limit`; answers how many. */
export async function sweepChoices(db: Db, before: Date, limit: number): Promise<number> {
  const { count } = await db.query(
    'DELETE FROM sign_in_choices WHERE ctid = ANY(ARRAY(SELECT ctid FROM sign_in_choices WHERE at < $1 LIMIT $2))',
    [before, limit],
  );
  return count;
}

// Reasons for which what was proved earlier, or what a browser remembers, does not count.
const anew = new Set(['login_prompt', 'max_age', 'acr']);

/** What the application's request demands, from the parameters that the library keeps. */
export function demandOf({ params, prompt }: InteractionRecord): Situation['demand'] {
  const level = demandedLevel(params);
  return { level: level === 2 ? 2 : 1, deviceCounts: !prompt.reasons.some((reason) => anew.has(reason)) };
}

/** Reads where a sign-in stands. */
export async function progressOf(db: Db, record: InteractionRecord): Promise<Progress> {
  const [all, choices] = await Promise.all([proofsOf(db, record.uid), choicesOf(db, record.uid)]);
  const whose = all.find(({ factor }) => factor === 'password')?.accountId;
  const found = whose ? await accountById(db, whose) : undefined;
  const account = found?.disabledAt ? undefined : found;
  const proofs = account ? all.filter(({ accountId }) => accountId === account.id) : [];
  const [authenticator, codeSince] = account
    ? await Promise.all([authenticatorOf(db, account.id), liveCodeSince(db, account.id)])
    : [];
  const current = record.session?.accountId;
  const confirmed = account && choices.has(`switch-to:${account.id}`);
  return {
    account,
    proofs,
    authenticator,
    choices,
    situation: {
      proved: new Set(proofs.map(({ factor }) => factor)),
      account: account && {
        twoStepRequired: account.twoStepRequired,
        hasAuthenticator: authenticator !== undefined,
        hasRecoveryCode: codeSince !== undefined,
        enrolmentOpen: account.enrolmentOpenUntil !== undefined && account.enrolmentOpenUntil > new Date(),
      },
      demand: demandOf(record),
      otherAccount:
        !account || !current || current === account.id ? 'no' : confirmed ? 'confirmed' : 'to-be-asked',
    },
  };
}
