/** The last redirect of an interaction, ten times at once: one code, one session, and no error for the others. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { back } from '../rig/clock.ts';
import { newDataFolder } from '../rig/data-folder.ts';
import { startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor } from '../rig/visitor.ts';
import { expectNoErrors, expectOneSession } from '../support/race-outcome.ts';
import {
  finishingAction,
  finishingConsent,
  finishingDevice,
  type Finishing,
  finishingSignIn,
  finishingStepUp,
  openInTabs,
  race,
} from '../support/parallel-finish.ts';
import { accountOpenedBy, cookiesAfter } from '../support/sign-in-cookies.ts';

const slow = 180_000;

async function onPGlite() {
  const folder = await mkdtemp(join(tmpdir(), 'hemma-resume-'));
  await newDataFolder(join(folder, 'data'));
  const hemma = await startHemma({ env: { DATABASE_URL: '', HEMMA_DATA: join(folder, 'data') } });
  return {
    provider: hemma,
    async stop() {
      await hemma.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function onPostgreSQL() {
  const hemma = await startHemma();
  return { provider: hemma, stop: () => hemma.stop() };
}

describe.each([
  ['PGlite', onPGlite],
  ['PostgreSQL', onPostgreSQL],
])('ten requests at once for the last redirect on %s', (_name, start) => {
  let place: Awaited<ReturnType<typeof start>>;
  let client: RelyingParty;
  let thirdParty: RelyingParty;
  beforeAll(async () => {
    place = await start();
    client = await startRelyingParty({ hemma: place.provider, description: { deviceFlow: true } });
    const consent = { name: 'Bokslut', firstParty: false, consent: 'remembered' } as const;
    thirdParty = await startRelyingParty({ hemma: place.provider, description: consent });
  }, slow);
  afterEach(back);
  afterAll(async () => {
    await Promise.all([client.stop(), thirdParty.stop()]);
    await place.stop();
  });

  test.each<[string, () => Promise<Finishing>]>([
    ['a sign-in', () => finishingSignIn(place.provider, client)],
    ['a step-up', () => finishingStepUp(place.provider, client)],
    ['a consent', () => finishingConsent(place.provider, client, thirdParty)],
  ])(
    'of %s give one code and one session, and no error',
    async (_what, finish) => {
      const finishing = await finish();
      const raced = await race(place.provider, finishing);
      expect(raced.codes.length).toBe(1);
      await expectOneSession(place.provider, finishing, raced);
      await expectNoErrors(place.provider, finishing, raced);
    },
    slow,
  );

  test(
    'of an action of the account area give one session, and no error',
    async () => {
      const finishing = await finishingAction(place.provider, client);
      const raced = await race(place.provider, finishing);
      await expectOneSession(place.provider, finishing, raced);
      await expectNoErrors(place.provider, finishing, raced);
    },
    slow,
  );

  test(
    'of a device flow give one session and let the device in once',
    async () => {
      const finishing = await finishingDevice(place.provider, client);
      const raced = await race(place.provider, finishing);
      await expectOneSession(place.provider, finishing, raced);
      await expectNoErrors(place.provider, finishing, raced);
      expect((await finishing.device.ask()).status).toBe(200);
      expect((await finishing.device.ask()).json['error']).toBe('invalid_grant');
    },
    slow,
  );

  const expectNoErrorIn = (tabs: Awaited<ReturnType<typeof openInTabs>>) => {
    for (const { status, url } of tabs) {
      expect(status).toBeLessThan(400);
      expect(url.searchParams.get('error')).toBeNull();
    }
  };

  test.each<[string, () => Promise<Finishing>]>([
    ['a sign-in', () => finishingSignIn(place.provider, client)],
    ['a step-up', () => finishingStepUp(place.provider, client)],
  ])(
    'of %s from ten tabs of one browser leave it signed in, once, and lead no tab to an error',
    async (_what, finish) => {
      const { visitor, resume, user } = await finish();
      expectNoErrorIn(await openInTabs(visitor, resume));
      const account = await visitor.visit(place.provider.url('/account'));
      expect(account.step).toBe('account');
      const expected = user.visitor === visitor ? 1 : 2;
      expect(account.page.querySelectorAll('[data-session]')).toHaveLength(expected);
    },
    slow,
  );

  test(
    'of a device flow from ten tabs of one browser lead no tab to an error',
    async () => {
      const { visitor, resume } = await finishingDevice(place.provider, client);
      expectNoErrorIn(await openInTabs(visitor, resume));
    },
    slow,
  );

  test(
    'leave nothing signed in after one sign-out',
    async () => {
      const finishing = await finishingSignIn(place.provider, client);
      const { answers, before } = await race(place.provider, finishing);
      const { resume } = finishing;
      const all = answers.map((answer) => cookiesAfter(resume, before, answer));
      const opened = await Promise.all(all.map((cookies) => accountOpenedBy(place.provider, cookies)));
      const signedIn = all.find((_cookies, position) => opened[position] !== undefined);
      if (!signedIn) throw new Error('no answer opened a session that could be signed out of');
      const browser = newVisitor({ stolen: signedIn });
      await browser.visit(place.provider.url('/session/end'));
      await browser.submit({}, 'logout=yes');
      const left = await Promise.all(all.map((cookies) => accountOpenedBy(place.provider, cookies)));
      expect(left.filter((email) => email !== undefined)).toEqual([]);
    },
    slow,
  );
});
