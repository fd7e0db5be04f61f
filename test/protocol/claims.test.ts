/**
 * What applications are told of people by configuration: groups, and claims of the house's own. Longer than usual: two
 * providers are started for all of it.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { validateClaim } from '../../src/users/claim-value.ts';
import { changeAttributes } from '../../src/users/attributes.ts';
import { clientsTopic, validateClient } from '../../src/clients/clients.ts';
import {
  changeCustomClaim,
  defineCustomClaim,
  removeCustomClaim,
} from '../../src/oidc/claims/custom-claims.ts';
import { group, putInto } from '../console/town.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newPerson, type Person } from './people.ts';
import { get } from './requests.ts';

let hemma: Hemma;
/** Another process on the same database. */
let beside: Hemma;
const parties: RelyingParty[] = [];
const label = { sv: 'Avdelning', en: 'Department' };
const address = 'https://hemma.example/cost-centre';

beforeAll(async () => {
  hemma = await startHemma();
  beside = await startHemma({ beside: hemma.env });
  await define({ name: 'department', scope: 'staff', label });
  await define({ name: 'roles', scope: 'staff', label: 'Roller', multi: true });
  await define({ name: address, scope: 'money', label: 'Kostnadsställe' });
  await define({ name: 'given_name', scope: 'profile', label: 'Förnamn' });
  await until(hemma, 'scopes_supported', 'money');
});
afterAll(async () => {
  await Promise.all(parties.map((one) => one.stop()));
  await beside.stop();
  await hemma.stop();
});

async function define(given: Record<string, unknown>) {
  const read = validateClaim(given);
  if ('faults' in read) throw new Error(JSON.stringify(read.faults));
  const made = await defineCustomClaim(hemma.db, read.claim, {});
  if ('fault' in made) throw new Error(made.fault.code);
  return made.claim;
}

const discovered = async (process: Hemma, list: string) =>
  (await get(process.url('/.well-known/openid-configuration'))).json[list] as string[];

/** A process follows within seconds: asked again and again until it does, five seconds at the most. */
async function until(process: Hemma, list: string, wanted: string, there = true): Promise<void> {
  for (let turn = 0; turn < 100; turn++) {
    if ((await discovered(process, list)).includes(wanted) === there) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`${wanted} did not become ${there ? 'known' : 'unknown'}`);
}

async function application(description: Parameters<typeof startRelyingParty>[0]['description'] = {}) {
  const party = await startRelyingParty({ hemma, description });
  parties.push(party);
  return party;
}

const give = (person: Person, given: Record<string, unknown>) =>
  changeAttributes(hemma.db, { target: person.account.id, by: 'shell', given });

/** Signs in with these scopes and asks userinfo. */
async function toldTo(party: RelyingParty, person: Person, scope: string, more: Record<string, string> = {}) {
  const { tokens, claims } = await person.signInTo(party, { scope, ...more });
  return { claims, userinfo: await party.userinfo(tokens.access_token, claims.sub ?? ''), tokens };
}

describe('groups', () => {
  test('are told by their names, to an application that is registered for them', async () => {
    const [north, south] = [await group(hemma, 'Nord AB'), await group(hemma, 'Syd AB')];
    const person = await newPerson(hemma, { twoStep: false });
    await putInto(hemma, person.account, south, north);
    const all = await application({ scopes: ['profile', 'groups'] });
    expect((await toldTo(all, person, 'openid groups')).userinfo).toEqual({
      sub: person.account.id,
      groups: ['Nord AB', 'Syd AB'],
    });
    // An application for the people of some groups learns of no other: who else's customer somebody is.
    const norths = await application({ scopes: ['groups'], allowedGroups: [north.id] });
    expect((await toldTo(norths, person, 'openid groups')).userinfo).toMatchObject({ groups: ['Nord AB'] });
    const nobody = await newPerson(hemma, { twoStep: false });
    expect((await toldTo(all, nobody, 'openid groups')).userinfo).toMatchObject({ groups: [] });
  });

  test('are told to nobody else, whatever is asked', async () => {
    const person = await newPerson(hemma, { twoStep: false });
    await putInto(hemma, person.account, await group(hemma, 'Öst AB'));
    const plain = await application({ scopes: ['profile'] });
    const refused = await person.visitor.visit((await plain.begin({ scope: 'openid groups' })).url);
    expect(refused.url.searchParams.get('error')).toBe('invalid_scope');
    const asked = JSON.stringify({ userinfo: { groups: null }, id_token: { groups: { essential: true } } });
    const { userinfo, claims } = await toldTo(plain, person, 'openid profile', { claims: asked });
    expect([Object.keys(userinfo), Object.keys(claims)]).toEqual([
      expect.not.arrayContaining(['groups']),
      expect.not.arrayContaining(['groups']),
    ]);
  });
});

describe('claims of the house’s own', () => {
  test('stand in discovery, in every process, and leave it', async () => {
    for (const process of [hemma, beside]) {
      await until(process, 'scopes_supported', 'staff');
      expect(await discovered(process, 'claims_supported')).toEqual(
        expect.arrayContaining(['department', 'roles', address, 'given_name', 'groups', 'name']),
      );
    }
    await define({ name: 'short_lived', scope: 'brief', label });
    for (const process of [hemma, beside]) await until(process, 'scopes_supported', 'brief');
    expect(await removeCustomClaim(hemma.db, 'short_lived', {})).toBeUndefined();
    for (const process of [hemma, beside]) await until(process, 'scopes_supported', 'brief', false);
    expect(await discovered(hemma, 'claims_supported')).not.toContain('short_lived');
  });

  test('are told by their scope, a list as a list, and nothing where there is no value', async () => {
    const person = await newPerson(hemma, { twoStep: false });
    await give(person, { department: 'Lagret', roles: ['admin'], [address]: '4711', given_name: 'Astrid' });
    const party = await application({ scopes: ['profile', 'staff'] });
    expect((await toldTo(party, person, 'openid staff')).userinfo).toEqual({
      sub: person.account.id,
      department: 'Lagret',
      roles: ['admin'],
    });
    expect((await toldTo(party, person, 'openid profile')).userinfo).toEqual({
      sub: person.account.id,
      name: 'Astrid Lind',
      given_name: 'Astrid',
    });
    // What the scopes do not open is not told for being asked by its name, and what they do may stand in the ID token.
    const asked = JSON.stringify({ id_token: { department: null, [address]: null } });
    const { claims } = await toldTo(party, person, 'openid', { claims: asked });
    expect(claims['department']).toBe('Lagret');
    expect(claims).not.toHaveProperty([address]);
    await give(person, { department: null, roles: [] });
    expect((await toldTo(party, person, 'openid staff')).userinfo).toEqual({ sub: person.account.id });
  });

  test('an older token tells what is so now: a value of now, and no scope that was taken away', async () => {
    const person = await newPerson(hemma, { twoStep: false });
    const party = await application({ scopes: ['profile', 'staff'] });
    const { tokens } = await person.signInTo(party, { scope: 'openid staff' });
    const asked = () => party.userinfo(tokens.access_token, person.account.id);
    await give(person, { department: 'Kontoret' });
    expect(await asked()).toMatchObject({ department: 'Kontoret' });
    const narrow = JSON.stringify(['profile']);
    await hemma.db.query(
      `UPDATE clients SET metadata = jsonb_set(metadata, '{scopes}', $2::text::jsonb), updated_at = $3 WHERE id = $1`,
      [party.clientId, narrow, new Date()],
    );
    await hemma.db.announce(clientsTopic);
    expect(await asked()).toEqual({ sub: person.account.id });
  });

  test('are on the consent page by what they are, also asked one by one, and under My details', async () => {
    const person = await newPerson(hemma, { twoStep: false });
    const party = await application({
      firstParty: false,
      consent: 'remembered',
      scopes: ['staff', 'groups'],
    });
    const first = await party.begin({ scope: 'openid staff groups' });
    const asked = async (url: string) => {
      await person.visitor.visit(url);
      if (person.visitor.screen.step === 'password') {
        const { email } = person.account;
        await person.visitor.submit({ email, password: 'en stilla sjö i augusti' });
      }
      return person.visitor.screen;
    };
    const screen = await asked(first.url);
    expect([screen.step, screen.text]).toEqual([
      'consent',
      expect.stringContaining('se det här om dig: Avdelning och Roller'),
    ]);
    expect(screen.text).toContain('se vilka grupper du är med i');
    const claims = JSON.stringify({ userinfo: { department: null } });
    const oneByOne = await asked((await party.begin({ scope: 'openid', claims })).url);
    expect(oneByOne.text).toContain('se det här om dig: Avdelning och Roller');
    expect(oneByOne.text).not.toContain('grupper');
    await person.signIn(first.url);
    const mine = await person.visitor.visit(hemma.url('/account'));
    expect(mine.text).toContain('se det här om dig: Avdelning och Roller');
  });

  test('a scope that opens more than before asks those who allowed it again, and their tokens end', async () => {
    await define({ name: 'first_of_two', scope: 'growing', label });
    await until(hemma, 'scopes_supported', 'growing');
    const asking = await application({
      firstParty: false,
      consent: 'remembered',
      scopes: ['growing', 'email'],
    });
    const silent = await application({ scopes: ['growing'] });
    const [person, other] = [await newPerson(hemma), await newPerson(hemma, { twoStep: false })];
    const { tokens } = await person.signInTo(asking, { scope: 'openid growing' });
    const first = await other.signInTo(asking, { scope: 'openid email' });
    const quiet = await person.signInTo(silent, { scope: 'openid growing' });
    const alive = async (party: RelyingParty, token: string, sub: string) =>
      party.userinfo(token, sub).then(
        () => true,
        () => false,
      );
    await define({ name: 'second_of_two', scope: 'growing', label });
    expect(await alive(asking, tokens.access_token, person.account.id)).toBe(false);
    expect(await alive(asking, first.tokens.access_token, other.account.id)).toBe(true);
    expect(await alive(silent, quiet.tokens.access_token, person.account.id)).toBe(true);
    await person.signInTo(asking, { scope: 'openid growing' });
    expect(person.steps).toContain('consent');
    await other.signInTo(asking, { scope: 'openid email' });
    expect(other.steps).not.toContain('consent');
  });

  test('a yes is a yes to what was read: a scope that grew while the question lay there is asked about anew', async () => {
    await define({ name: 'read', scope: 'lying', label: 'Det lästa' });
    await until(hemma, 'scopes_supported', 'lying');
    const party = await application({ firstParty: false, consent: 'remembered', scopes: ['lying'] });
    const person = await newPerson(hemma, { twoStep: false });
    const { visitor } = person;
    const begun = await party.begin({ scope: 'openid lying' });
    await visitor.visit(begun.url);
    await visitor.submit({ email: person.account.email, password: PASSWORD });
    await define({ name: 'unread', scope: 'lying', label: 'Det olästa' });
    await give(person, { read: 'one', unread: 'two' });
    const again = await visitor.submit({}, 'choice=allow');
    expect(again).toMatchObject({ step: 'consent', refusal: 'consent-changed' });
    expect(again.text).toContain('Det lästa och Det olästa');
    const { step, url } = await visitor.submit({}, 'choice=allow');
    expect(step).toBe('back');
    const { access_token: token } = await party.redeem(begun, url);
    expect(await party.userinfo(token, person.account.id)).toMatchObject({ read: 'one', unread: 'two' });
  });

  test('a process that has not heard of a scope looks before it turns an application away', async () => {
    // Written past everything that tells: no process hears of it.
    await hemma.db.query(
      `INSERT INTO claim_definitions (id, name, scope, label_sv, label_en, multi, created_at, updated_at)
       VALUES (gen_random_uuid(), 'unheard', 'unheard', 'x', 'x', false, $1, $1)`,
      [new Date()],
    );
    const party = await application({ scopes: ['unheard'] });
    const person = await newPerson(hemma, { twoStep: false });
    await give(person, { unheard: 'yes' });
    expect((await toldTo(party, person, 'openid unheard')).userinfo).toMatchObject({ unheard: 'yes' });
  });
});

describe('a definition', () => {
  test.each([
    [{ name: 'sub', scope: 'staff', label }, 'name', 'claim-reserved'],
    [{ name: 'email_verified', scope: 'staff', label }, 'name', 'claim-reserved'],
    [{ name: 'groups', scope: 'staff', label }, 'name', 'claim-reserved'],
    [{ name: 'constructor', scope: 'staff', label }, 'name', 'claim-reserved'],
    [{ name: '__proto__', scope: 'staff', label }, 'name', 'claim-malformed'],
    [{ name: 'http://plain.example/x', scope: 'staff', label }, 'name', 'claim-malformed'],
    [{ name: 'two words', scope: 'staff', label }, 'name', 'claim-malformed'],
    [{ name: 'x', scope: 'profile', label }, 'scope', 'scope-reserved'],
    [{ name: 'x', scope: 'openid', label }, 'scope', 'scope-reserved'],
    [{ name: 'x', scope: 'people:read', label }, 'scope', 'scope-malformed'],
    [{ name: 'x', scope: 'two words', label }, 'scope', 'scope-malformed'],
    [{ name: 'nickname', scope: 'staff', label }, 'scope', 'claim-of-profile'],
    [{ name: 'x', scope: 'staff', label: '' }, 'label', 'missing'],
    [{ name: 'x', scope: 'staff', label: { sv: 'x', en: 'a\u202eb' } }, 'label.en', 'malformed'],
    [{ name: 'x', scope: 'staff' }, 'label', 'missing'],
    [{ name: 'x', scope: 'staff', label, more: 1 }, 'more', 'unknown-field'],
  ])('%j is refused', (given, path, code) => {
    expect(validateClaim(given)).toEqual({ faults: expect.arrayContaining([{ path, code }]) });
  });

  test('is taken once, keeps its kind, and its scope while an application has it', async () => {
    const own = { name: 'kept', scope: 'kept', label, multi: false };
    await define(own);
    expect(await defineCustomClaim(hemma.db, own, {})).toMatchObject({ fault: { code: 'claim-taken' } });
    expect(await changeCustomClaim(hemma.db, { ...own, multi: true }, {})).toMatchObject({
      fault: { code: 'claim-kind-fixed' },
    });
    await application({ scopes: ['kept'] });
    const needed = { fault: { path: 'scope', code: 'scope-of-application' } };
    expect(await changeCustomClaim(hemma.db, { ...own, scope: 'other' }, {})).toEqual(needed);
    expect(await removeCustomClaim(hemma.db, 'kept', {})).toBe('scope-of-application');
    await define({ ...own, name: 'beside' });
    expect(await removeCustomClaim(hemma.db, 'kept', {})).toBeUndefined();
    expect(await removeCustomClaim(hemma.db, 'kept', {})).toBe('no-such-claim');
    expect(await removeCustomClaim(hemma.db, 'beside', {})).toBe('scope-of-application');
  });

  test('has to be there for a client that names its scope', async () => {
    const client = { id: 'named', name: 'N', type: 'web', redirectUris: ['https://n.example/back'] };
    const faults = [{ path: 'scopes.1', field: 'scopes', code: 'not-a-choice' }];
    expect(await validateClient(hemma.db, { ...client, scopes: ['profile', 'nowhere'] })).toEqual({ faults });
    expect(await validateClient(hemma.db, { ...client, scopes: ['profile', 'openid'] })).toEqual({ faults });
    expect(await validateClient(hemma.db, { ...client, scopes: ['profile', 'staff'] })).toHaveProperty(
      'client',
    );
  });
});

describe('a value', () => {
  test.each([
    [{ nowhere: 'x' }, 'attribute-unknown'],
    [{ toString: 'x' }, 'attribute-unknown'],
    [{ department: ['a', 'b'] }, 'attribute-single'],
    [{ department: 'x'.repeat(1001) }, 'attribute-too-long'],
    [{ department: 'a\nb' }, 'attribute-malformed'],
    [{ department: '\ud800' }, 'attribute-malformed'],
    [{ department: 5 }, 'attribute-malformed'],
    [{ roles: Array.from({ length: 51 }, (_, at) => `r${at}`) }, 'attributes-too-many'],
  ])('%# is refused, and nothing of the same change is kept', async (given, code) => {
    const person = await newPerson(hemma, { twoStep: false });
    expect(await give(person, { [address]: 'kept?', ...given })).toMatchObject({ faults: [{ code }] });
    const { count } = await hemma.db.query('SELECT 1 FROM account_attributes WHERE account_id = $1', [
      person.account.id,
    ]);
    expect(count).toBe(0);
  });

  test('is in no audit row, goes with its account, and two changes at once count each other', async () => {
    const person = await newPerson(hemma, { twoStep: false });
    const many = (of: string) => Array.from({ length: 30 }, (_, at) => `${of}${at}`);
    await define({ name: 'others', scope: 'staff', label, multi: true });
    const both = await Promise.all([give(person, { roles: many('r') }), give(person, { others: many('o') })]);
    expect(both.filter((one) => one === undefined)).toHaveLength(1);
    const { rows } = await hemma.db.query<{ detail: unknown }>(
      "SELECT detail FROM audit WHERE event = 'account.attributes-changed' AND account_id = $1",
      [person.account.id],
    );
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toMatch(/r29|o29/);
    await hemma.db.query('DELETE FROM accounts WHERE id = $1', [person.account.id]);
    const left = await hemma.db.query('SELECT 1 FROM account_attributes WHERE account_id = $1', [
      person.account.id,
    ]);
    expect(left.count).toBe(0);
  });
});
