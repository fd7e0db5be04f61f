/** What has expired is removed, in batches that are bounded, and nothing that still counts goes with it. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { pruneChoices } from '../../interactions/sign-in/state.ts';
import { createPruneJob } from '../../src/app/jobs.ts';
import { pruneMailedCodes } from '../../src/mfa/mailed-code.ts';
import { prunePendingCodes } from '../../src/mfa/recovery-code.ts';
import { prunePendingEnrollments } from '../../src/mfa/enrollment.ts';
import { deleteOldMails } from '../../src/mail/outbox.ts';
import { pruneRecords } from '../../src/sessions/records.ts';
import { deleteOldAuditEvents } from '../../src/audit/audit-log.ts';
import { deleteOldCompletedActions, deleteOldVerifiedFactors } from '../../src/security/verified-factors.ts';
import { sweepNetworkNames } from '../../src/security/sign-in-budget.ts';
import { countSliding, sweepSlidingBudgets } from '../../src/security/sliding-budget.ts';
import { deleteOldAttempts } from '../../src/security/throttle.ts';
import { at, keyOnPage, signIn, signInFirst, typePassword } from '../rig/ceremony.ts';
import type { Db } from '../../src/db/database.ts';
import { newPerson } from '../protocol/people.ts';
import { back, days, holdTimers, hours, minutes, seconds, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits, wrongDigits } from '../rig/totp.ts';
import { newVisitor } from '../rig/visitor.ts';

let hemma: Hemma;
let autopay: RelyingParty;

beforeAll(async () => {
  // This provider's own chores wait for ever, so that nobody but the test sweeps; and mails wait for their age.
  const timers = holdTimers();
  hemma = await startHemma({ env: { HEMMA_SMTP_URL: '' } });
  timers.release();
  autopay = await startRelyingParty({ hemma });
});
afterAll(async () => {
  await autopay.stop();
  await hemma.stop();
});
afterEach(back);

const countOf = async (table: string): Promise<number> => {
  const { rows } = await hemma.db.query<{ number: number }>(`SELECT count(*) AS number FROM ${table}`);
  return rows[0]?.number ?? 0;
};

const ago = (time: number) => new Date(Date.now() - time);

/** Every sweeper with the table that it sweeps, at the age at which the chores call it or a later one. */
const sweepers: readonly [string, (limit: number) => Promise<number>][] = [
  ['oidc_records', (limit) => pruneRecords(hemma.db, limit)],
  ['proofs', (limit) => deleteOldVerifiedFactors(hemma.db, ago(hours(1)), limit)],
  ['deeds', (limit) => deleteOldCompletedActions(hemma.db, ago(hours(1)), limit)],
  ['sign_in_choices', (limit) => pruneChoices(hemma.db, ago(hours(1)), limit)],
  ['pending_authenticators', (limit) => prunePendingEnrollments(hemma.db, limit)],
  ['recovery_codes', (limit) => prunePendingCodes(hemma.db, ago(hours(1)), limit)],
  ['mailed_codes', (limit) => pruneMailedCodes(hemma.db, ago(days(2)), limit)],
  ['mails', (limit) => deleteOldMails(hemma.db, ago(days(7)), limit)],
  ['attempts', (limit) => deleteOldAttempts(hemma.db, ago(days(90)), limit)],
  ['sliding_budgets', (limit) => sweepSlidingBudgets(hemma.db, ago(days(7)), limit)],
  ['network_names', (limit) => sweepNetworkNames(hemma.db, ago(hours(2)), limit)],
  ['audit', (limit) => deleteOldAuditEvents(hemma.db, ago(days(396)), limit)],
];

describe('sweeping', () => {
  /** A day that leaves something behind in every table. */
  async function aDay(): Promise<void> {
    const email = 'astrid@example.com';
    await hemma.account({ email });
    const visitor = newVisitor();
    const { key } = await signInFirst(visitor, (await autopay.begin()).url, email);
    // Begun and left: a wrong password, a choice, a phone half connected, a code never kept, a mailed code.
    for (const place of [1, 2, 3, 4, 5, 6]) {
      const left = newVisitor();
      await left.visit((await autopay.begin()).url);
      await left.submit({ email: `nobody-${place}-${email}`, password: 'ett fel lösenord' });
      await hemma.account({ email: `${place}-${email}` });
      at('enrollment', await typePassword(left, `${place}-${email}`));
      if (place > 3) await left.submit({ code: sixDigits(keyOnPage(left.screen)) });
      await left.visit((await autopay.begin()).url);
      await typePassword(left, email);
      await left.submit({ code: wrongDigits(key) });
      await hemma.account({ email: `later-${place}-${email}` });
    }
    for (const place of [1, 2, 3]) {
      await countSliding(hemma.db, `network:192.0.2.${place}`, 'admin-api');
      await visitor.visit((await autopay.begin({ prompt: 'login' })).url);
      at('other-account', await typePassword(visitor, `${place}-${email}`));
      await visitor.submit({}, 'choice=switch');
    }
    travel(days(8));
    for (const place of [4, 5, 6]) {
      const late = newVisitor();
      await late.visit((await autopay.begin()).url);
      at('mailed-code', await typePassword(late, `later-${place}-${email}`));
    }
    back();
  }

  test('takes nothing of today, at most so many at a time, and in the end all that has expired', async () => {
    await aDay();
    // The mailed codes of next week are the only rows that are not of today.
    for (const [table, sweep] of sweepers) expect([table, await sweep(1000)]).toEqual([table, 0]);
    const before = new Map<string, number>();
    for (const [table] of sweepers) before.set(table, await countOf(table));
    for (const [table, number] of before) expect([table, number > 2]).toEqual([table, true]);

    travel(days(420));
    for (const [table, sweep] of sweepers) {
      expect([table, await sweep(2)]).toEqual([table, 2]);
      expect(await countOf(table)).toBe((before.get(table) ?? 0) - 2);
      let turns = 0;
      while ((await sweep(2)) > 0) turns++;
      expect(turns).toBeGreaterThan(0);
    }
    // A recovery code that somebody keeps on paper does not expire; everything else here has.
    for (const [table] of sweepers) {
      const left =
        table === 'recovery_codes'
          ? await countOf('recovery_codes WHERE live_at IS NULL')
          : await countOf(table);
      expect([table, left]).toEqual([table, 0]);
    }
  });

  test('leaves a session that is in use, the phone and the code on paper', async () => {
    const email = 'used@example.com';
    await hemma.account({ email });
    const visitor = newVisitor();
    const kept = await signInFirst(visitor, (await autopay.begin()).url, email);
    for (let hour = 0; hour < 3; hour++) {
      travel(minutes(50));
      for (const [, sweep] of sweepers) await sweep(1000);
      const screen = at('back', await visitor.visit((await autopay.begin({ prompt: 'none' })).url));
      expect(screen.url.searchParams.get('error')).toBeNull();
    }
    travel(days(400));
    for (const [, sweep] of sweepers) await sweep(1000);
    await signIn(newVisitor(), (await autopay.begin()).url, email, kept.key);
  });

  test('audit rows leave by age alone: nobody deletes or changes one', async () => {
    await expect(hemma.db.query('DELETE FROM audit')).rejects.toThrow('never changed');
    await expect(hemma.db.query("UPDATE audit SET event = 'account.created'")).rejects.toThrow(
      'never changed',
    );
  });
});

describe('what has expired', () => {
  const models = [
    'AccessToken',
    'AuthorizationCode',
    'ClientCredentials',
    'DeviceCode',
    'Grant',
    'Interaction',
    'PushedAuthorizationRequest',
    'RefreshToken',
    'ReplayDetection',
    'Session',
  ];

  test('goes a minute later, whatever it was; a device is told for an hour yet that it was too late', async () => {
    await hemma.db.query('DELETE FROM oidc_records');
    const ages = { 'lives yet': -1, 'just over': seconds(40), over: minutes(2), 'long over': minutes(70) };
    for (const [age, time] of Object.entries(ages))
      await hemma.db.query(
        `INSERT INTO oidc_records (model, key, payload, consumed_at, expires_at)
         SELECT model, convert_to($2, 'UTF8'), '{}', $3, $4 FROM unnest($1::text[]) AS model`,
        [models, age, ago(days(1)), new Date(Date.now() + (time < 0 ? minutes(1) : -time))],
      );
    expect(await pruneRecords(hemma.db, 1000)).toBe(2 * models.length - 1);
    const { rows } = await hemma.db.query<{ model: string; age: string }>(
      "SELECT model, convert_from(key, 'UTF8') AS age FROM oidc_records ORDER BY 1, 2",
    );
    const left = models.flatMap((model) =>
      ['just over', 'lives yet', ...(model === 'DeviceCode' ? ['over'] : [])].map((age) => ({ model, age })),
    );
    expect(rows).toEqual(left);
  });

  test('does not take the rows by which a spent refresh token is known, for as long as its family lives', async () => {
    const scopes = ['profile', 'email', 'offline_access'] as const;
    const web = await startRelyingParty({ hemma, description: { scopes: [...scopes] } });
    const person = await newPerson(hemma, { twoStep: false });
    const asked = { scope: 'openid offline_access', prompt: 'consent' };
    const { tokens } = await person.signInTo(web, asked);
    const spent = tokens.refresh_token ?? '';
    const { refresh_token: next = '' } = await web.refresh(spent);
    travel(days(29));
    while ((await pruneRecords(hemma.db, 1000)) > 0);
    const refused = { error: 'invalid_grant' };
    await expect(web.refresh(spent)).rejects.toMatchObject(refused);
    await expect(web.refresh(next)).rejects.toMatchObject(refused);
    await web.stop();
  });
});

describe('the chores', () => {
  test('keep up with a hundred sign-ins a second: they go on, with pauses, until nothing is left', async () => {
    // Six records a sign-in (interaction, two sessions, grant, code, access token), twenty seconds of them.
    const expired = 100 * 20 * 6;
    await hemma.db.query(
      `INSERT INTO oidc_records (model, key, payload, expires_at)
       SELECT 'AccessToken', sha256(number::text::bytea), '{}', $1 FROM generate_series(1, $2::int) AS number`,
      [ago(minutes(2)), expired],
    );
    const settings = { HEMMA_OUTBOX_DAYS: 7, HEMMA_ATTEMPT_DAYS: 90, HEMMA_AUDIT_DAYS: 396 };
    const sweep = createPruneJob({ db: hemma.db, settings } as never);
    const rests: number[] = [];
    for (let rest = await sweep(); rest !== undefined; rest = await sweep()) rests.push(rest);
    expect(await countOf('oidc_records WHERE expires_at < now()')).toBe(0);
    // Each of the full batches was followed by a rest; a turn of the chores asks nothing where nothing is left.
    expect(rests.length).toBeGreaterThanOrEqual(expired / 500);
    expect(rests.every((rest) => rest > 0 && rest <= seconds(2))).toBe(true);
    expect(await sweep()).toBeUndefined();
  });

  test('a kind that fails stops no other', async () => {
    const broken = new Error('no mails today');
    const failing: Db = {
      ...hemma.db,
      transaction: (work) =>
        hemma.db.transaction((open) =>
          work({
            ...open,
            query: (text, params) =>
              text.includes('proofs') ? Promise.reject(broken) : open.query(text, params),
          }),
        ),
    };
    await hemma.db.query('INSERT INTO sign_in_choices (interaction, choice, at) VALUES ($1, $2, $3)', [
      'left',
      'other',
      ago(hours(2)),
    ]);
    const settings = { HEMMA_OUTBOX_DAYS: 7, HEMMA_ATTEMPT_DAYS: 90, HEMMA_AUDIT_DAYS: 396 };
    const sweep = createPruneJob({ db: failing, settings } as never);
    await expect(sweep()).rejects.toBe(broken);
    await sweep();
    expect(await countOf("sign_in_choices WHERE interaction = 'left'")).toBe(0);
  });
});
