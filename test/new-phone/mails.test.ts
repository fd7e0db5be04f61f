/** Each change of phone, code or two-step verification sends its one mail, to its person, without a secret. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { at, recoveryCodeOnPage, typePassword } from '../rig/ceremony.ts';
import { back } from '../rig/clock.ts';
import { PASSWORD, startHemma } from '../rig/hemma.ts';
import type { Mail } from '../rig/mail.ts';
import { startRelyingParty } from '../rig/relying-party.ts';
import { wrongDigits } from '../rig/totp.ts';
import {
  ceremonyUrl,
  connectNewPhone,
  newPerson,
  nextDigits,
  type Person,
  recover,
  sendAndLose,
  toSixDigits,
  type Town,
} from './people.ts';

let town: Town;
beforeAll(async () => {
  const hemma = await startHemma();
  town = { hemma, autopay: await startRelyingParty({ hemma }) };
});
afterAll(async () => {
  await town.autopay.stop();
  await town.hemma.stop();
});
afterEach(back);

/** Every mail to this person so far, once none waits in the outbox any more. */
async function mailsTo({ id, email }: Person): Promise<Mail[]> {
  for (let wait = 0; wait < 200; wait++) {
    const { rows } = await town.hemma.db.query(
      'SELECT 1 FROM mails WHERE account_id = $1 AND delivered_at IS NULL',
      [id],
    );
    if (rows.length === 0) return town.hemma.mails().filter(({ to }) => to === email);
    await new Promise((later) => setTimeout(later, 50));
  }
  throw new Error(`mails to ${email} still wait after ten seconds`);
}

const words = {
  sv: {
    connected: 'En telefon är kopplad till ditt konto',
    replaced: 'En ny telefon är kopplad till ditt konto',
    issued: 'Du har en ny engångskod',
    used: 'Din engångskod har använts',
    off: 'Tvåstegsverifieringen är avstängd',
    guessed: 'Någon har ditt lösenord men inte din telefon?',
    notYou: /Var det inte du\? Kontakta 08-123 45 67/,
  },
  en: {
    connected: 'A phone was connected to your account',
    replaced: 'A new phone was connected to your account',
    issued: 'You have a new recovery code',
    used: 'Your recovery code was used',
    off: 'Two-step verification is off',
    guessed: 'Somebody has your password but not your phone?',
    notYou: /Was it not you\? Contact 08-123 45 67/,
  },
};
/** A code of any kind, a part of one, or a link that could do anything. */
const codeOrLink = /[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}|\b\d{6}\b|interaction|https?:/;

type Told = Exclude<keyof typeof words.sv, 'notYou'>;

/** A deed in the browser that is known already; answers the secrets that it has shown. */
type Deed = (person: Person) => Promise<string[]>;

const byDigits = async ({ visitor, email, key }: Person, intent: string): Promise<void> => {
  await toSixDigits(visitor, ceremonyUrl(town.hemma, intent), email);
  await visitor.submit({ code: nextDigits(key) });
};

const anew = async () => (await town.autopay.begin({ prompt: 'login' })).url;

const deeds: Record<string, { deed: Deed; tells: Told[] }> = {
  'recovering with a new phone': {
    async deed(person) {
      const kept = await recover(person.visitor, await anew(), person);
      at('back', person.visitor.screen);
      return Object.values(kept);
    },
    tells: ['used', 'replaced', 'issued'],
  },
  'the code instead of the phone': {
    async deed({ visitor, email, recoveryCode }) {
      await toSixDigits(visitor, await anew(), email);
      await visitor.submit({ code: recoveryCode });
      const code = recoveryCodeOnPage(await visitor.submit({}, 'phoneGone=no'));
      at('back', await visitor.submit({ lastGroup: code.slice(-4) }));
      return [code];
    },
    tells: ['used', 'issued'],
  },
  'moving to a new phone': {
    async deed(person) {
      await byDigits(person, 'replace_authenticator');
      const kept = await connectNewPhone(person.visitor);
      at('account', person.visitor.screen);
      return Object.values(kept);
    },
    tells: ['replaced', 'issued'],
  },
  'a new recovery code': {
    async deed(person) {
      await byDigits(person, 'new_recovery_code');
      const code = recoveryCodeOnPage(person.visitor.screen);
      at('account', await person.visitor.submit({ lastGroup: code.slice(-4) }));
      return [code];
    },
    tells: ['issued'],
  },
  'checking the recovery code': {
    async deed(person) {
      await byDigits(person, 'check_recovery_code');
      at('account', await person.visitor.submit({ code: person.recoveryCode }));
      return [];
    },
    tells: [],
  },
  'deactivating, and activating again': {
    async deed(person) {
      await byDigits(person, 'deactivate_two_step');
      at('account', await person.visitor.submit({}, 'choice=do'));
      await person.visitor.visit(ceremonyUrl(town.hemma, 'activate_two_step'));
      at('enrollment', await typePassword(person.visitor, person.email));
      return Object.values(await connectNewPhone(person.visitor));
    },
    tells: ['off', 'connected', 'issued'],
  },
  'declining to deactivate': {
    async deed(person) {
      await byDigits(person, 'deactivate_two_step');
      at('account', await person.visitor.submit({}, 'choice=decline'));
      return [];
    },
    tells: [],
  },
  'three wrong codes after the password': {
    async deed({ visitor, email, key }) {
      await toSixDigits(visitor, await anew(), email);
      for (let tries = 0; tries < 4; tries++) await visitor.submit({ code: wrongDigits(key) });
      return [];
    },
    tells: ['guessed'],
  },
};

const languages = ['sv', 'en'] as const;

describe.each(Object.entries(deeds))('%s', (_name, { deed, tells }) => {
  test('is told once each, to its person, in the language of the person, without a secret', async () => {
    const everybody = town.hemma.mails().length;
    // The first sign-in has told of two things.
    const told: Told[] = ['connected', 'issued', ...tells];
    const both = await Promise.all(
      languages.map(async (locale) => {
        const person = await newPerson(town, { locale });
        return { locale, person, secrets: [...(await deed(person)), person.key, person.recoveryCode] };
      }),
    );
    for (const { locale, person, secrets } of both) {
      const mails = await mailsTo(person);
      const subjects = mails.map(({ subject }) => subject).toSorted();
      expect(subjects).toEqual(told.map((one) => words[locale][one]).toSorted());
      for (const { text, html } of mails) {
        expect(text).toMatch(words[locale].notYou);
        const whole = `${text}${html}`;
        for (const secret of [...secrets, PASSWORD]) expect(whole).not.toContain(secret);
        expect(whole).not.toMatch(codeOrLink);
      }
    }
    expect(town.hemma.mails()).toHaveLength(everybody + 2 * told.length);
  });
});

describe('a form that is sent twice', () => {
  test('is told once', async () => {
    const person = await newPerson(town);
    await byDigits(person, 'deactivate_two_step');
    const { visitor } = person;
    await sendAndLose(visitor, {}, 'choice=do');
    at('account', await visitor.submit({}, 'choice=do'));
    const told = (await mailsTo(person)).map(({ subject }) => subject);
    expect(told.filter((subject) => subject === words.sv.off)).toHaveLength(1);
    expect(told).toHaveLength(3);
  });
});
