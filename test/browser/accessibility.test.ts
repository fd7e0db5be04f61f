/** Every page of Hemma, Autopay and Lön, for everybody: WCAG 2.2 AA by axe, on a phone and a desk, by day and night. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { back } from '../rig/clock.ts';
import { faults } from './faults.ts';
import { newPhoneTour } from './new-phone-tour.ts';
import { tour } from './tour.ts';
import { startTown, type Town } from './town.ts';

/** Some pages are there without a mail server only, others need one. */
const tours = { 'every day': { tour, smtp: false }, 'with a new phone': { tour: newPhoneTour, smtp: true } };

describe.each(Object.entries(tours))('%s', (_name, { tour: walk, smtp }) => {
  let town: Town;
  beforeAll(async () => {
    town = await startTown(smtp ? {} : { env: { HEMMA_SMTP_URL: '' } });
  });
  afterAll(() => town.stop());
  afterEach(back);

  test.each(['sv', 'en'] as const)(
    'every page serves everybody, on any screen, in any light, in its own language: %s',
    async (language) => {
      const found: string[] = [];
      const seen: string[] = [];
      await walk(town, language, async (page, name) => {
        seen.push(name);
        found.push(...(await faults(page, language)).map((fault) => `${name} ${fault}`));
      });
      expect(found).toEqual([]);
      expect(seen.length).toBeGreaterThan(25);
      expect(town.complaints()).toEqual([]);
    },
    120_000,
  );
});
