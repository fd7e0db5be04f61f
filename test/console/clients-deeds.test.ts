/** What takes something away from an application or its people: a page before it, and everything gone after it. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { findClientById } from '../../src/clients/clients.ts';
import { newPerson, type Person } from '../protocol/people.ts';
import { get } from '../protocol/requests.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import type { Visitor } from '../rig/visitor.ts';
import { operator } from './town.ts';

let hemma: Hemma;
let visitor: Visitor;
const parties: RelyingParty[] = [];
beforeAll(async () => {
  hemma = await startHemma();
  visitor = (await operator(hemma, 'alma@hemma.example', 'administrator')).visitor;
});
afterAll(async () => {
  await Promise.all(parties.map((one) => one.stop()));
  await hemma.stop();
});

async function inUse(id: string) {
  const party = await startRelyingParty({ hemma, description: { id, name: `The ${id}` } });
  parties.push(party);
  const person: Person = await newPerson(hemma, { twoStep: false });
  const { tokens, claims } = await person.signInTo(party);
  const me = async () =>
    (await get(hemma.url('/me'), { authorization: `Bearer ${tokens.access_token}` })).status;
  return { party, person, me, sid: claims.sid };
}
const open = (path: string) => visitor.visit(hemma.url(`/admin/clients${path}`));

describe('deleting an application', () => {
  test('wants its identifier typed, and until then nothing has happened', async () => {
    const { me } = await inUse('stays');
    await open('/stays');
    await visitor.follow('Ta bort applikationen');
    expect(visitor.screen.heading).toBe('Ta bort The stays');
    const wrong = await visitor.submit({ confirm: 'The stays' });
    expect([wrong.status, wrong.refusal]).toEqual([422, 'wrong-client-id']);
    expect((await visitor.submit({ confirm: '' })).status).toBe(422);
    expect(await me()).toBe(200);
    expect(await findClientById(hemma.db, 'stays')).toBeDefined();
  });

  test('ends everything of it and tells it so; the people stay signed in here', async () => {
    const { party, person, me, sid } = await inUse('goes');
    await open('/goes/delete');
    await visitor.submit({ confirm: ' goes ' });
    expect(visitor.screen.url.pathname).toBe('/admin/clients');
    expect(visitor.screen.text).toContain('Applikationen är borttagen.');
    expect(await me()).toBe(401);
    expect((await party.told(1)).map((token) => decodeJwt(token)['sid'])).toEqual([sid]);
    expect((await person.visitor.visit((await party.begin()).url)).step).toBe('problem');
    expect((await person.visitor.visit(hemma.url('/account'))).step).toBe('account');
    expect((await open('/goes')).status).toBe(404);
    expect((await visitor.visit(hemma.url('/admin/clients/goes/delete'))).status).toBe(404);
  });
});

describe('signing everyone out of an application', () => {
  test('ends tokens, tells the application of each session, and touches no other application', async () => {
    const { party, person, me, sid } = await inUse('everyone');
    const other = await inUse('another');
    await person.signInTo(other.party);
    const second = await newPerson(hemma, { twoStep: false });
    const { claims } = await second.signInTo(party);
    await open('/everyone');
    await visitor.follow('Logga ut alla');
    expect(visitor.screen.text).toContain('De är kvar inloggade här');
    await visitor.submit();
    expect(visitor.screen.url.search).toBe('?notice=signed-out');
    expect([await me(), await other.me()]).toEqual([401, 200]);
    const told = (await party.told(2)).map((token) => decodeJwt(token)['sid']);
    expect(new Set(told)).toEqual(new Set([sid, claims.sid]));
    expect(other.party.logoutTokens).toEqual([]);
    // Whoever comes back is let in without a question, with tokens that work.
    const { tokens } = await person.signInTo(party);
    expect(person.steps).toEqual([]);
    await party.verify(tokens.id_token ?? '');
  });

  test('does not wait for one that does not answer', async () => {
    const { party, me } = await inUse('silent');
    await party.stop();
    parties.splice(parties.indexOf(party), 1);
    await open('/silent/sign-out');
    await visitor.submit();
    expect([visitor.screen.step, await me()]).toEqual(['client', 401]);
  });
});

describe('the brake', () => {
  test('switches an application off at once, also one of a file, and on again', async () => {
    const { party, person, me, sid } = await inUse('braked');
    await open('/braked');
    expect(visitor.screen.page.querySelector('[data-managed=file]')).not.toBeNull();
    await visitor.follow('Stäng av applikationen');
    await visitor.submit();
    expect(visitor.screen.page.querySelector('[data-state=disabled]')).not.toBeNull();
    expect(await me()).toBe(401);
    expect((await person.visitor.visit((await party.begin()).url)).step).toBe('problem');
    await visitor.follow('Öppna applikationen');
    await visitor.submit();
    expect(visitor.screen.page.querySelector('[data-state=disabled]')).toBeNull();
    expect(await me()).toBe(401);
    expect((await party.told(1)).map((token) => decodeJwt(token)['sid'])).toEqual([sid]);
    await person.signInTo(party);
    const { rows } = await hemma.db.query<{ event: string }>(
      "SELECT event FROM audit WHERE client_id = 'braked' AND event LIKE 'client.%abled' ORDER BY id",
    );
    expect(rows.map(({ event }) => event)).toEqual(['client.disabled', 'client.enabled']);
  });
});
