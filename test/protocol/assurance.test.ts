/**
 * acr, amr and auth_time say what happened and never more, whatever an application asks for: every row of the table in
 * DESIGN §5, by every way to ask. Each row is one person, who proves it anew only where an earlier question changed it.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { type Desk, deskAt } from '../help-desk/desk.ts';
import { back, minutes, seconds, travel } from '../rig/clock.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newPerson, type Person, type SignedIn } from './people.ts';
import { broughtBack } from './requests.ts';

let hemma: Hemma;
let autopay: RelyingParty;
let lon: RelyingParty;
let strict: RelyingParty;
let desk: Desk;
beforeAll(async () => {
  hemma = await startHemma();
  autopay = await startRelyingParty({ hemma });
  lon = await startRelyingParty({ hemma, description: { name: 'Lön' } });
  strict = await startRelyingParty({ hemma, description: { name: 'Bank', requiredAcr: 'urn:hemma:2' } });
  desk = await deskAt(hemma);
});
afterAll(async () => {
  await Promise.all([autopay.stop(), lon.stop(), strict.stop()]);
  await hemma.stop();
});

const one = { acr: 'urn:hemma:1', amr: ['pwd'] };
const two = { acr: 'urn:hemma:2', amr: ['pwd', 'otp', 'mfa'] };
const byCode = { acr: 'urn:hemma:2', amr: ['pwd', 'rc', 'mfa'] };
const sessionEnds = ({ visitor }: Person) =>
  ['hemma-session', 'hemma-session.sig'].forEach((name) => visitor.cookies.forget(name));

/** Comes back to Autopay from a sign-in in which a code stood in for the six digits. */
async function signInByCode(person: Person, code: string, phoneGone: 'yes' | 'no'): Promise<SignedIn> {
  sessionEnds(person);
  const begun = await autopay.begin();
  const { visitor, account } = person;
  await visitor.visit(begun.url);
  await visitor.submit({ email: account.email, password: PASSWORD });
  await visitor.follow('Ny eller förlorad telefon?');
  const screen = await person.answer(await visitor.submit({ code }, `phoneGone=${phoneGone}`));
  const tokens = await autopay.redeem(begun, screen.url);
  return { begun, screen, tokens, claims: decodeJwt(tokens.id_token ?? '') };
}

interface Row {
  /** Signs in this way, in a session of its own; whoever did already can do so again. */
  prove: (known: Person | undefined) => Promise<[Person, SignedIn]>;
  said: { acr: string; amr: string[] };
  /** What a sign-in that is asked for anew goes through, and what it amounts to. */
  anew: string[];
  after: { acr: string; amr: string[] };
}

const enrolled = async (known: Person | undefined) => {
  const person = known ?? (await newPerson(hemma));
  if (!known) await person.signInTo(autopay);
  sessionEnds(person);
  return person;
};

const table: Record<string, Row> = {
  'a password, where two-step may be left out': {
    async prove() {
      const person = await newPerson(hemma, { twoStep: false });
      return [person, await person.signInTo(autopay)];
    },
    said: one,
    anew: ['password'],
    after: one,
  },
  'a password at a remembered device': {
    async prove(known) {
      const person = await enrolled(known);
      await person.signIn((await autopay.begin()).url, { remember: true });
      sessionEnds(person);
      const signedIn = await person.signInTo(autopay);
      expect(person.steps).toEqual(['password']);
      return [person, signedIn];
    },
    said: one,
    anew: ['password', 'totp'],
    after: two,
  },
  'a password and six digits': {
    async prove(known) {
      const person = await enrolled(known);
      const signedIn = await person.signInTo(autopay);
      expect(person.steps).toEqual(['password', 'totp']);
      return [person, signedIn];
    },
    said: two,
    anew: ['password', 'totp'],
    after: two,
  },
  'a password and a saved recovery code': {
    async prove(known) {
      const person = await enrolled(known);
      return [person, await signInByCode(person, person.phone.recoveryCode ?? '', 'no')];
    },
    said: byCode,
    anew: ['password', 'totp'],
    after: two,
  },
  "a password, the help desk's code and a new authenticator": {
    async prove(known) {
      const person = await enrolled(known);
      const agent = await desk.operator('agent');
      const signedIn = await signInByCode(person, await desk.codeFor(agent, person.account), 'yes');
      expect(person.steps).toEqual(['re-enrollment', 'new-recovery-code']);
      return [person, signedIn];
    },
    said: two,
    anew: ['password', 'totp'],
    after: two,
  },
};

const essential = (acr: object) => JSON.stringify({ id_token: { acr: { essential: true, ...acr } } });
type Asked = Record<string, string>;

/** What the session is too old for: every factor is asked for anew. */
const tooOld: Record<string, Asked> = {
  'prompt=login': { prompt: 'login' },
  'an exceeded max_age': { max_age: '60' },
  'max_age=0': { max_age: '0' },
};
/** What asks for two factors; `strict` asks by its registration. */
const levelTwo: Record<string, Asked & { strict?: 'yes' }> = {
  acr_values: { acr_values: 'urn:hemma:2' },
  'acr_values with a higher one': { acr_values: 'urn:hemma:3 urn:hemma:2' },
  'an essential acr': { claims: essential({ value: 'urn:hemma:2' }) },
  'essential acr values': { claims: essential({ values: ['urn:hemma:3', 'urn:hemma:2'] }) },
  "the application's own rule": { strict: 'yes' },
};
/** What every session meets, however weak. */
const content: Record<string, Asked> = {
  'no wish': {},
  'a max_age that is not exceeded': { max_age: '3600' },
  'a wish for level 1': { acr_values: 'urn:hemma:1' },
  'an essential level 1': { claims: essential({ value: 'urn:hemma:1' }) },
  'a wish for a level that nobody reaches': { acr_values: 'urn:hemma:3' },
  'a wish for what nobody knows': { acr_values: 'urn:mace:gold phr' },
  'a wish for any level': { claims: '{"id_token":{"acr":null}}' },
};
const unreachable = [{ value: 'urn:hemma:3' }, { values: ['phr', 'urn:mace:gold'] }];

/** The code that the application hears instead of somebody. */
const refusal = async ({ visitor }: Person, party: RelyingParty, asked: Asked) => {
  const { url } = await visitor.visit((await party.begin(asked)).url);
  expect(url.searchParams.get('code')).toBeNull();
  return broughtBack(url)['error'];
};

describe.each(Object.entries(table))('%s', (_name, { prove, said, anew, after }) => {
  let person: Person;
  let first: SignedIn;
  /** The session as this row has it: proved anew where it says something else by now. */
  const proved = async () => {
    [person, first] = await prove(person);
  };
  beforeAll(proved);
  afterAll(back);
  const strong = said.acr === two.acr;
  const ask = ({ strict: strictly, ...asked }: Asked) => [strictly ? strict : autopay, asked] as const;

  test('is told in the first ID token, with the time of the proof and the session', () => {
    expect(first.claims).toMatchObject({ ...said, sid: expect.stringMatching(/./) });
    expect(Math.abs(Date.now() / 1000 - (first.claims.auth_time ?? 0))).toBeLessThan(5);
  });

  test('stays as it was in every silent sign-in that asks for no more, here and elsewhere', async () => {
    travel(minutes(5));
    for (const [how, asked] of Object.entries({ ...content, ...(strong ? levelTwo : {}) })) {
      const [party, parameters] = ask(asked);
      for (const [to, prompt] of [
        [party, null],
        [party === autopay ? lon : party, 'none'],
      ] as const) {
        const silent = await person.signInTo(to, { ...parameters, prompt });
        expect([how, person.steps]).toEqual([how, []]);
        expect(silent.claims).toMatchObject({ ...said, auth_time: first.claims.auth_time });
      }
    }
  });

  test('is refused by the standard’s code where it is not enough and nobody is to be asked', async () => {
    for (const acr of unreachable)
      for (const prompt of ['none', 'login', 'consent']) {
        const error = await refusal(person, autopay, { claims: essential(acr), prompt });
        expect([prompt, error]).toEqual([prompt, 'unmet_authentication_requirements']);
      }
    const tooMuch = { 'an exceeded max_age': { max_age: '60' }, ...(strong ? {} : levelTwo) };
    for (const [how, asked] of Object.entries<Asked>(tooMuch)) {
      const [party, parameters] = ask(asked);
      const error = await refusal(person, party, { ...parameters, prompt: 'none' });
      expect([how, error]).toEqual([how, 'login_required']);
    }
  });

  test.each(Object.entries(tooOld))(
    'SECURITY 5 %s asks for every factor anew and gives a newer auth_time',
    async (_how, asked) => {
      if (JSON.stringify(said) !== JSON.stringify(after)) await proved();
      const before = first.claims.auth_time ?? 0;
      travel(seconds(90));
      first = await person.signInTo(autopay, asked);
      expect(person.steps).toEqual(anew);
      expect(first.claims).toMatchObject(after);
      expect((first.claims.auth_time ?? 0) - before).toBeGreaterThanOrEqual(90);
    },
  );

  if (!strong)
    test.each(Object.entries(levelTwo))(
      '%s of level 2 are met by two factors in this sign-in, and by nothing that was there',
      async (_how, asked) => {
        await proved();
        travel(seconds(35));
        const stepped = await person.signInTo(...ask(asked));
        expect(stepped.claims).toMatchObject(two);
        expect(stepped.claims.auth_time).toBeGreaterThan(first.claims.auth_time ?? Infinity);
        expect(person.steps).toContain('password');
        expect(person.steps).toContain(after === one ? 'enrollment' : 'totp');
      },
    );
});

describe('prompt=none', () => {
  test('is answered with login_required where nobody is signed in', async () => {
    const person = await newPerson(hemma);
    expect(await refusal(person, autopay, { prompt: 'none' })).toBe('login_required');
    expect(await refusal(person, autopay, { prompt: 'none', acr_values: 'urn:hemma:2' })).toBe(
      'login_required',
    );
  });

  test('never goes with another prompt', async () => {
    const person = await newPerson(hemma);
    expect(await refusal(person, autopay, { prompt: 'none login' })).toBe('invalid_request');
  });
});

describe('two wishes at once', () => {
  test('acr_values above the claims parameter end in a token of their level, without going in circles', async () => {
    const person = await newPerson(hemma, { twoStep: false });
    const asked = { acr_values: 'urn:hemma:2', claims: essential({ value: 'urn:hemma:1' }) };
    expect((await person.signInTo(autopay, asked)).claims.acr).toBe('urn:hemma:2');
  });

  test('lower acr_values do not take an essential acr away', async () => {
    const person = await newPerson(hemma, { twoStep: false });
    const asked = { acr_values: 'urn:hemma:1', claims: essential({ value: 'urn:hemma:2' }) };
    const screen = await person.signIn((await autopay.begin(asked)).url);
    expect(screen.url.searchParams.get('error') ?? person.steps.at(-1)).not.toBe('password');
  });

  test('SECURITY 3 the account of two-step verification signs in with six digits, whatever is asked', async () => {
    const person = await newPerson(hemma);
    await person.signInTo(autopay);
    sessionEnds(person);
    const low = await person.signInTo(autopay, { acr_values: 'urn:hemma:1' });
    expect(person.steps).toEqual(['password', 'totp']);
    expect(low.claims).toMatchObject(two);
  });
});
