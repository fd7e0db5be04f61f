/** What honest browsers do with an interaction that is bound to them: none is locked out, and a detour costs one password. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { at, connectPhone, typePassword } from '../rig/ceremony.ts';
import { back } from '../rig/clock.ts';
import { exchange } from '../rig/exchange.ts';
import { fillIn } from '../rig/forms.ts';
import { PASSWORD } from '../rig/password.ts';
import type { RelyingParty } from '../rig/relying-party.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { basicOf } from '../protocol/requests.ts';
import { type Journey, journeys, walk } from '../support/journeys.ts';
import { submitWithoutFollowing } from '../support/parallel-finish.ts';
import {
  type EnrolledUser,
  enrolledUser,
  newUser,
  nextCode,
  type SecureProvider,
  startSecureProvider,
} from '../support/secure-provider.ts';
import { accountOpenedBy, pageUrl, signInCookies } from '../support/sign-in-cookies.ts';

const slow = 180_000;
let provider: SecureProvider;
let application: RelyingParty;
beforeAll(async () => {
  provider = await startSecureProvider();
  application = provider.application;
}, slow);
afterEach(back);
afterAll(() => provider.stop());

const atPassword = async (parameters: Record<string, string> = {}, visitor = newVisitor()) => {
  const begun = await application.begin(parameters);
  at('password', await visitor.visit(begun.url));
  return { visitor, begun };
};

/** Goes on to the application from wherever the browser is, with at most one more password. */
async function finish(visitor: Visitor, { email, key }: EnrolledUser): Promise<void> {
  if (visitor.screen.step === 'password') await typePassword(visitor, email);
  at('totp', visitor.screen);
  at('back', await visitor.submit({ code: nextCode(key) }));
  expect(visitor.screen.url.searchParams.has('code')).toBe(true);
}

describe('the password form, sent twice', () => {
  test('after its response was lost costs one password more', async () => {
    const user = await enrolledUser(provider.hemma, application);
    const { visitor } = await atPassword();
    const { screen } = visitor;
    const { action, body } = fillIn(screen.page, screen.url, { email: user.email, password: PASSWORD });
    // The response never reaches the browser, and neither do its cookies.
    const { status } = await exchange(action, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin: screen.url.origin,
        'sec-fetch-site': 'same-origin',
        cookie: visitor.cookies.headerFor(action) ?? '',
      },
      body: body.toString(),
    });
    expect(status).toBe(303);
    await typePassword(visitor, user.email);
    await finish(visitor, user);
  });

  test.each(['first', 'last'] as const)(
    'at once, whose %s response the browser keeps, costs at most one password more',
    async (keeps) => {
      const user = await enrolledUser(provider.hemma, application);
      const { visitor } = await atPassword();
      const fields = { email: user.email, password: PASSWORD };
      const clicks = [
        newVisitor({ stolen: visitor.cookies.all() }),
        newVisitor({ stolen: visitor.cookies.all() }),
      ];
      clicks.forEach((one) => one.backTo(visitor.screen));
      const answers = await Promise.all(clicks.map((one) => submitWithoutFollowing(one, fields)));
      for (const { answer } of answers) expect(answer.status).toBe(303);
      // A browser stores the cookies of both responses, in the order in which they come, and follows one of them.
      const ordered = keeps === 'last' ? answers : answers.toReversed();
      for (const { answer, next } of ordered) visitor.cookies.take(next, answer.headers['set-cookie'] ?? []);
      await visitor.visit(ordered[1]?.next ?? '');
      await finish(visitor, user);
    },
  );

  test('from the page of before (Back) leads on, with at most one password more', async () => {
    const user = await enrolledUser(provider.hemma, application);
    const { visitor } = await atPassword();
    const before = visitor.screen;
    at('totp', await typePassword(visitor, user.email));
    visitor.backTo(before);
    await typePassword(visitor, user.email);
    await finish(visitor, user);
  });

  test('from the page of before with a wrong password leaves what is verified as it is', async () => {
    const user = await enrolledUser(provider.hemma, application);
    const { visitor } = await atPassword();
    const before = visitor.screen;
    await typePassword(visitor, user.email);
    visitor.backTo(before);
    await visitor.submit({ email: user.email, password: 'a wrong password' });
    expect(visitor.screen.status).toBeLessThan(500);
    await finish(visitor, user);
  });
});

describe('several interactions of one browser', () => {
  test('begun in two tabs both finish, in either order', async () => {
    const user = await enrolledUser(provider.hemma, application);
    const { visitor } = await atPassword();
    const one = visitor.screen;
    await atPassword({}, visitor);
    await finish(visitor, user);
    visitor.backTo(one);
    await finish(visitor, user);
    expect(await accountOpenedBy(provider.hemma, visitor.cookies.all())).toBe(user.email);
  });

  test('taken in turns, page by page, both finish', async () => {
    const user = await enrolledUser(provider.hemma, application);
    const { visitor } = await atPassword();
    const one = visitor.screen;
    await atPassword({}, visitor);
    const other = await typePassword(visitor, user.email);
    visitor.backTo(one);
    await typePassword(visitor, user.email);
    await finish(visitor, user);
    visitor.backTo(other);
    await finish(visitor, user);
  });
});

describe.each(journeys)('$name', (journey: Journey) => {
  test(
    'goes on after a reload of each page, and leaves no sign-in cookie behind',
    async () => {
      const run = await journey.begin(provider);
      for (const [place, { page }] of journey.moves.entries()) {
        at(page, run.visitor.screen);
        at(page, await run.visitor.visit(pageUrl(run.visitor, page)));
        await walk(run, journey, place, place + 1);
      }
      at(journey.end, run.visitor.screen);
      // The page of a client that the user may not use belongs to an interaction that is still open.
      if (journey.end !== 'no-access') expect(signInCookies(run.visitor).length).toBe(0);
    },
    slow,
  );
});

describe('ways of asking and answering', () => {
  test('form_post gives the application its code in a form', async () => {
    const user = await enrolledUser(provider.hemma, application);
    const { visitor, begun } = await atPassword({ response_mode: 'form_post' });
    at('totp', await typePassword(visitor, user.email));
    const screen = await visitor.submit({ code: nextCode(user.key) });
    const form = screen.page.querySelector('form[method=post]');
    expect(form?.getAttribute('action')).toBe(application.redirectUri);
    const fields = form?.querySelectorAll('input[type=hidden]').map((input) => input.getAttribute('name'));
    expect(fields).toEqual(expect.arrayContaining(['code', 'state']));
    const value = form?.querySelector('input[name=code]')?.getAttribute('value') ?? '';
    const url = new URL(application.redirectUri);
    url.search = new URLSearchParams({
      code: value,
      state: begun.state,
      iss: provider.hemma.issuer,
    }).toString();
    expect((await application.redeem(begun, url)).id_token).toBeDefined();
  });

  test('a cross-site POST of the request leads through a first sign-in to the application', async () => {
    const user = await newUser(provider.hemma);
    const begun = await application.begin();
    const url = new URL(begun.url);
    const fields = Object.fromEntries(url.searchParams);
    url.search = '';
    const visitor = newVisitor();
    await visitor.post(url, fields, { 'sec-fetch-site': 'cross-site', origin: 'https://foreign.test' });
    at('enrollment', await typePassword(visitor, user.email));
    await connectPhone(visitor);
    at('back', visitor.screen);
    expect((await application.redeem(begun, visitor.screen.url)).id_token).toBeDefined();
  });

  test('a pushed request leads through a sign-in to the application', async () => {
    const user = await enrolledUser(provider.hemma, application);
    const begun = await application.begin();
    const answer = await exchange(new URL(provider.hemma.url('/request')), {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...basicOf(application) },
      body: new URL(begun.url).searchParams.toString(),
    });
    const { request_uri: uri } = JSON.parse(answer.body) as { request_uri: string };
    const url = new URL(provider.hemma.url('/auth'));
    url.search = new URLSearchParams({ client_id: application.clientId, request_uri: uri }).toString();
    const visitor = newVisitor();
    at('password', await visitor.visit(url));
    await finish(visitor, user);
    expect((await application.redeem(begun, visitor.screen.url)).id_token).toBeDefined();
  });

  test('the address without a page leads to the one that is open', async () => {
    const user = await enrolledUser(provider.hemma, application);
    const { visitor } = await atPassword();
    at('password', await visitor.visit(pageUrl(visitor, '')));
    await typePassword(visitor, user.email);
    at('totp', await visitor.visit(pageUrl(visitor, '')));
    await finish(visitor, user);
  });
});
