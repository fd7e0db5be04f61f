/** The last redirect of an interaction in the worst order, and asked for again later. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { hold, releaseAll, untilWaiting } from '../races/interleave.ts';
import { back } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor } from '../rig/visitor.ts';
import {
  finishingAction,
  finishingConsent,
  finishingDevice,
  type Finishing,
  finishingSignIn,
  finishingStepUp,
  race,
} from '../support/parallel-finish.ts';
import { expectNoErrors, expectOneSession } from '../support/race-outcome.ts';
import { accountOpenedBy } from '../support/sign-in-cookies.ts';

const slow = 180_000;

describe('ten requests for the last redirect that all have read before any has written', () => {
  let provider: Hemma;
  let client: RelyingParty;
  let thirdParty: RelyingParty;
  beforeAll(async () => {
    provider = await startHemma();
    client = await startRelyingParty({ hemma: provider, description: { deviceFlow: true } });
    const consent = { name: 'Bokslut', firstParty: false, consent: 'remembered' } as const;
    thirdParty = await startRelyingParty({ hemma: provider, description: consent });
  }, slow);
  afterEach(async () => {
    await releaseAll();
    back();
  });
  afterAll(async () => {
    await Promise.all([client.stop(), thirdParty.stop()]);
    await provider.stop();
  });

  test.each<[string, number, () => Promise<Finishing>]>([
    ['a sign-in', 1, () => finishingSignIn(provider, client)],
    ['a step-up', 1, () => finishingStepUp(provider, client)],
    ['an action of the account area', 0, () => finishingAction(provider, client)],
    ['a consent', 1, () => finishingConsent(provider, client, thirdParty)],
    ['a device flow', 0, () => finishingDevice(provider, client)],
  ])(
    'of %s give %i code and one session, and no error',
    async (_what, codes, finish) => {
      const finishing = await finish();
      const url = provider.env['DATABASE_URL'] ?? '';
      // Reads go on; writes wait.
      const held = await hold(url, 'LOCK TABLE oidc_records IN SHARE MODE');
      const racing = race(provider, finishing);
      await untilWaiting(url, 5);
      await held.release();
      const raced = await racing;
      expect(raced.codes.length).toBe(codes);
      await expectOneSession(provider, finishing, raced);
      await expectNoErrors(provider, finishing, raced);
    },
    slow,
  );
});

describe('the last redirect, asked for again later', () => {
  let provider: Hemma;
  let client: RelyingParty;
  beforeAll(async () => {
    provider = await startHemma();
    client = await startRelyingParty({ hemma: provider });
  }, slow);
  afterEach(back);
  afterAll(async () => {
    await client.stop();
    await provider.stop();
  });

  test('gives no second code and does not end the session of the browser', async () => {
    const { visitor, resume, user } = await finishingSignIn(provider, client);
    const copies = visitor.cookies.all();
    expect((await visitor.visit(resume)).url.searchParams.has('code')).toBe(true);
    const again = await newVisitor({ stolen: copies }).request(resume);
    expect(new URL(again.headers.location ?? '', provider.issuer).searchParams.has('code')).toBe(false);
    expect(again.status).toBeLessThan(500);
    const screen = await visitor.visit(resume);
    expect(screen.status).toBeLessThan(500);
    expect(await accountOpenedBy(provider, visitor.cookies.all())).toBe(user.email);
  });

  test('leads two more tabs to the client at once, and the browser stays signed in', async () => {
    const { visitor, resume, user } = await finishingSignIn(provider, client);
    const copies = visitor.cookies.all();
    await visitor.visit(resume);
    const tabs = await Promise.all([1, 2].map(() => newVisitor({ stolen: copies }).request(resume)));
    for (const { headers } of tabs) visitor.cookies.take(resume, headers['set-cookie'] ?? []);
    // Both requests leave with the cookies of this moment; the answers come one after the other.
    const sent = visitor.cookies.all();
    for (const { headers } of tabs) {
      const url = new URL(headers.location ?? '', resume);
      const { headers: answered, status } = await newVisitor({ stolen: sent }).request(url);
      expect(status).toBeLessThan(400);
      visitor.cookies.take(url, answered['set-cookie'] ?? []);
    }
    expect(await accountOpenedBy(provider, visitor.cookies.all())).toBe(user.email);
  });
});
