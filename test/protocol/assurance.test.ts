/** acr, amr and auth_time say what happened and never more, whatever an application asks for. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { back, minutes, seconds, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newPerson, type Person } from './people.ts';
import { broughtBack } from './requests.ts';

let hemma: Hemma;
let autopay: RelyingParty;
let lon: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma();
  autopay = await startRelyingParty({ hemma });
  lon = await startRelyingParty({ hemma, description: { name: 'Lön' } });
});
afterEach(back);
afterAll(async () => {
  await Promise.all([autopay.stop(), lon.stop()]);
  await hemma.stop();
});

const one = { acr: 'urn:hemma:1', amr: ['pwd'] };
const two = { acr: 'urn:hemma:2', amr: ['pwd', 'otp', 'mfa'] };
const sessionEnds = ({ visitor }: Person) =>
  ['hemma-session', 'hemma-session.sig'].forEach((name) => visitor.cookies.forget(name));

/** Somebody signed in with six digits, somebody with a password alone, somebody at a remembered device. */
const signedIn = {
  async 'a password, where two-step may be left out'() {
    const person = await newPerson(hemma, { twoStep: false });
    return { person, first: await person.signInTo(autopay), said: one, anew: ['password'], after: one };
  },
  async 'a password and six digits'() {
    const person = await newPerson(hemma);
    await person.signInTo(autopay);
    sessionEnds(person);
    const first = await person.signInTo(autopay);
    expect(person.steps).toEqual(['password', 'totp']);
    return { person, first, said: two, anew: ['password', 'totp'], after: two };
  },
  async 'a password at a remembered device'() {
    const person = await newPerson(hemma);
    await person.signInTo(autopay);
    sessionEnds(person);
    await person.signIn((await autopay.begin()).url, { remember: true });
    sessionEnds(person);
    const first = await person.signInTo(autopay);
    expect(person.steps).toEqual(['password']);
    return { person, first, said: one, anew: ['password', 'totp'], after: two };
  },
};

const essential = (acr: object) => JSON.stringify({ id_token: { acr: { essential: true, ...acr } } });
const refusal = async (person: Person, party: RelyingParty, parameters: Record<string, string>) => {
  const screen = await person.signIn((await party.begin(parameters)).url);
  expect(screen.url.searchParams.get('code')).toBeNull();
  return broughtBack(screen.url)['error'];
};

describe.each(Object.entries(signedIn))('%s', (_name, arrange) => {
  test('is told in the first ID token, with the time of the proof and the session', async () => {
    const { first, said } = await arrange();
    expect(first.claims).toMatchObject({ ...said, sid: expect.stringMatching(/./) });
    const age = Math.abs(Date.now() / 1000 - (first.claims.auth_time ?? 0));
    expect(age).toBeLessThan(5);
  });

  test('stays as it was in a silent sign-in, to this and to another application', async () => {
    const { person, first, said } = await arrange();
    travel(minutes(20));
    for (const party of [autopay, lon]) {
      const silent = await person.signInTo(party, { prompt: party === lon ? 'none' : null });
      expect(person.steps).toEqual([]);
      expect(silent.claims).toMatchObject({ ...said, auth_time: first.claims.auth_time });
      expect(silent.claims.sid).toMatch(/./);
    }
  });

  test.each([
    ['prompt=login', { prompt: 'login' }],
    ['an exceeded max_age', { max_age: '60' }],
    ['max_age=0', { max_age: '0' }],
  ])('SECURITY 5 %s asks for every factor anew and gives a newer auth_time', async (_how, parameters) => {
    const { person, first, anew, after } = await arrange();
    travel(seconds(90));
    const again = await person.signInTo(autopay, parameters);
    expect(person.steps).toEqual(anew);
    expect(again.claims).toMatchObject(after);
    expect((again.claims.auth_time ?? 0) - (first.claims.auth_time ?? 0)).toBeGreaterThanOrEqual(90);
  });

  test('a max_age that is not exceeded asks nothing', async () => {
    const { person, first } = await arrange();
    travel(seconds(30));
    const silent = await person.signInTo(autopay, { max_age: '3600' });
    expect(person.steps).toEqual([]);
    expect(silent.claims.auth_time).toBe(first.claims.auth_time);
  });

  test.each([
    ['acr_values', { acr_values: 'urn:hemma:2' }],
    ['an essential acr', { claims: essential({ value: 'urn:hemma:2' }) }],
    ['essential acr values', { claims: essential({ values: ['urn:hemma:3', 'urn:hemma:2'] }) }],
  ])('%s of level 2 are met by two factors in this sign-in, or were already', async (_how, parameters) => {
    const { person, first, said } = await arrange();
    travel(seconds(35));
    const stepped = await person.signInTo(autopay, parameters);
    expect(stepped.claims).toMatchObject(two);
    const had = said.acr === two.acr;
    expect(person.steps.length === 0).toBe(had);
    expect(stepped.claims.auth_time === first.claims.auth_time).toBe(had);
    if (!had) expect(person.steps).toContain('password');
  });

  test('an essential acr that nobody reaches is an error and not a lower token', async () => {
    const { person } = await arrange();
    for (const acr of [{ value: 'urn:hemma:3' }, { values: ['phr', 'urn:mace:gold'] }]) {
      const error = await refusal(person, autopay, { claims: essential(acr) });
      expect(error).toBe('unmet_authentication_requirements');
    }
  });

  test('a wish for an acr that nobody knows is answered with what happened', async () => {
    const { person, said } = await arrange();
    const answered = await person.signInTo(autopay, { acr_values: 'urn:mace:gold phr' });
    expect(answered.claims).toMatchObject(said);
  });

  test('prompt=none with an exceeded max_age is answered with login_required', async () => {
    const { person } = await arrange();
    travel(seconds(90));
    expect(await refusal(person, autopay, { prompt: 'none', max_age: '60' })).toBe('login_required');
  });
});

describe('prompt=none', () => {
  test('is answered with login_required where nobody is signed in', async () => {
    const person = await newPerson(hemma);
    expect(await refusal(person, autopay, { prompt: 'none' })).toBe('login_required');
    expect(await refusal(person, autopay, { prompt: 'none', acr_values: 'urn:hemma:2' })).toBe(
      'login_required',
    );
  });

  test('is answered with login_required where the session is weaker than what is asked', async () => {
    const person = await newPerson(hemma, { twoStep: false });
    await person.signInTo(autopay);
    const weak = { prompt: 'none', acr_values: 'urn:hemma:2' };
    expect(await refusal(person, autopay, weak)).toBe('login_required');
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
