/** Nonsense in the forms that people fill in, sent by somebody who is let in so far. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import type { Screen, Visitor } from '../rig/visitor.ts';
import { badShapes, badValues, faultsOf, shorten, type Tried, withoutReference } from './bad-input.ts';
import { newPerson } from './people.ts';

let hemma: Hemma;
let party: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma({ env: { HEMMA_TRUSTED_PROXIES: '127.0.0.1' } });
  party = await startRelyingParty({ hemma, description: { firstParty: false } });
});
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});

/** Each page with somebody in front of it. */
const standing: Record<string, () => Promise<Visitor>> = {
  async password() {
    const { visitor } = await newPerson(hemma);
    await visitor.visit((await party.begin()).url);
    return visitor;
  },
  async enrollment() {
    const { visitor, account } = await newPerson(hemma);
    await visitor.visit((await party.begin()).url);
    await visitor.submit({ email: account.email, password: PASSWORD });
    return visitor;
  },
  async totp() {
    const person = await newPerson(hemma);
    await person.signIn((await party.begin()).url);
    const { visitor } = person.elsewhere();
    await visitor.visit((await party.begin()).url);
    await visitor.submit({ email: person.account.email, password: PASSWORD });
    return visitor;
  },
  async 'other-account'() {
    const [one, other] = [
      await newPerson(hemma, { twoStep: false }),
      await newPerson(hemma, { twoStep: false }),
    ];
    await one.signIn((await party.begin()).url);
    await one.visitor.visit((await party.begin({ prompt: 'login' })).url);
    await one.visitor.submit({ email: other.account.email, password: PASSWORD });
    return one.visitor;
  },
  async consent() {
    const { visitor, account } = await newPerson(hemma, { twoStep: false });
    await visitor.visit((await party.begin()).url);
    await visitor.submit({ email: account.email, password: PASSWORD });
    return visitor;
  },
  async account() {
    const person = await newPerson(hemma, { twoStep: false });
    const own = {
      client_id: 'hemma-account',
      response_type: 'none',
      scope: 'openid',
      redirect_uri: hemma.url('/account'),
    };
    await person.signIn(hemma.url(`/auth?${new URLSearchParams(own).toString()}`));
    return person.visitor;
  },
  async 'sign-out'() {
    const person = await newPerson(hemma, { twoStep: false });
    await person.signIn((await party.begin()).url);
    await person.visitor.visit(hemma.url('/session/end'));
    return person.visitor;
  },
};

const tokenOf = ({ page }: Screen) => {
  const field = page.querySelector('main input[name=token], main input[name=xsrf]');
  return { [field?.getAttribute('name') ?? 'token']: field?.getAttribute('value') ?? '' };
};

/** What a form holds besides the field that is tried; each address once, or its budget would run out. */
const right = (name: string, count: number): string =>
  ({ email: `nobody-${count}@example.com`, password: 'wrong', locale: 'xx', choice: 'xx', code: 'xx' })[
    name
  ] ?? 'x';
const names = [
  'email',
  'password',
  'code',
  'rememberDevice',
  'lastGroup',
  'choice',
  'locale',
  'forget',
  'logout',
];

let count = 0;
function* nonsense(visitor: Visitor, accept: string, values = badValues): Generator<Tried> {
  const { screen } = visitor;
  const form = screen.page.querySelector('main form');
  const url = new URL(form?.getAttribute('action') ?? '', screen.url);
  const token = tokenOf(screen);
  const there = names.filter((name) => form?.querySelector(`[name=${name}]`));
  const headers = { accept, origin: hemma.issuer, 'content-type': 'application/x-www-form-urlencoded' };
  const send = (name: string, payload: string) => {
    count += 1;
    const others = there.filter((other) => other !== name && other !== 'logout');
    const fields = {
      ...(name in token ? {} : token),
      ...Object.fromEntries(others.map((other) => [other, right(other, count)])),
    };
    const body = `${new URLSearchParams(fields).toString()}&${payload}`;
    // Everybody sends from an address of their own: the budget of an address is not the question here.
    const from = { ...headers, 'x-forwarded-for': `10.1.${count >> 8}.${count & 255}` };
    return visitor.request(url, { method: 'POST', headers: from, body });
  };
  for (const name of [...there, ...Object.keys(token)]) {
    // A right wish would be carried out, and the page would be gone.
    const tried = name === 'logout' ? [] : values;
    for (const value of tried)
      yield [`${name} = ${shorten(value)}`, send(name, new URLSearchParams({ [name]: value }).toString())];
    for (const shape of name === 'logout' ? [] : badShapes(name)) yield [shape, send(name, shape)];
  }
}

describe.each(Object.entries(standing))('the page %s', (name, stand) => {
  test('SECURITY 7 bears nonsense in each of its fields and stays where it is', async () => {
    const visitor = await stand();
    expect(visitor.screen.step).toBe(name);
    expect(await faultsOf(nonsense(visitor, 'text/html'))).toEqual([]);
    expect((await visitor.visit(visitor.screen.url)).step).toBe(name);
  });

  test('refuses it with a number or in words of its own', async () => {
    const visitor = await stand();
    for (const accept of ['text/html', 'application/json'])
      expect(await faultsOf(nonsense(visitor, accept, ['', 'x']), withoutReference)).toEqual([]);
  });
});
