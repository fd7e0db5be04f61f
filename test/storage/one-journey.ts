/** One journey with every one-time deed done twice, told as a list of what was answered: the same on every storage. */
import { at, recoveryCodeOnPage, keyOnPage, signInFirst, typePassword } from '../rig/ceremony.ts';
import { type Answer, exchange } from '../rig/exchange.ts';
import type { Hemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits, wrongDigits } from '../rig/totp.ts';
import { newVisitor, type Screen, type Visitor } from '../rig/visitor.ts';

type Tell = (what: string, answer: unknown) => void;

const seen = ({ status, step, refusal }: Screen) => [status, step, refusal ?? 'taken'].join(' ');

async function ask(
  hemma: Hemma,
  app: RelyingParty,
  path: string,
  fields: Record<string, string>,
): Promise<Answer> {
  const basic = Buffer.from(`${app.clientId}:${encodeURIComponent(app.clientSecret)}`).toString('base64');
  return exchange(new URL(path, hemma.issuer), {
    method: 'POST',
    headers: {
      authorization: `Basic ${basic}`,
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
    },
    body: new URLSearchParams(fields).toString(),
  });
}

const said = ({ status, body }: Answer) => {
  const read = JSON.parse(body || '{}') as Record<string, unknown>;
  return { status, error: read['error'], keys: Object.keys(read).toSorted().join(' '), read };
};

async function pages(
  hemma: Hemma,
  app: RelyingParty,
  tell: Tell,
): Promise<{ visitor: Visitor; code: string }> {
  await hemma.account({ email: 'astrid@example.com' });
  const visitor = newVisitor();
  await visitor.visit((await app.begin()).url);
  tell('a wrong password', seen(await typePassword(visitor, 'astrid@example.com', 'ett fel lösenord')));
  tell('the right one', seen(await typePassword(visitor, 'astrid@example.com')));
  const key = keyOnPage(visitor.screen);
  const enrollment = visitor.screen;
  tell('wrong digits of the new phone', seen(await visitor.submit({ code: wrongDigits(key) })));
  const connecting = sixDigits(key);
  tell('the right ones', seen(await visitor.submit({ code: connecting })));
  const code = recoveryCodeOnPage(visitor.screen);
  const shown = visitor.screen;
  tell('the same page again', recoveryCodeOnPage(await visitor.visit(shown.url)) === code);
  visitor.backTo(enrollment);
  tell(
    'the digits again, from the page before',
    seen(await visitor.submit({ code: sixDigits(key, { step: 1 }) })),
  );
  tell('a wrong last group', seen(await visitor.submit({ lastGroup: '0000' })));
  tell('the right one', seen(await visitor.submit({ lastGroup: code.slice(-4) })));
  visitor.backTo(shown);
  tell('the right one again', seen(await visitor.submit({ lastGroup: code.slice(-4) })));
  const second = newVisitor();
  await second.visit((await app.begin()).url);
  tell('another browser', seen(await typePassword(second, 'astrid@example.com')));
  tell('with the digits that connected the phone', seen(await second.submit({ code: connecting })));
  tell('with the next ones', seen(await second.submit({ code: sixDigits(key, { step: 1 }) })));
  return { visitor, code };
}

/** In by the saved code, which shows the next one; in by that; and its successor is taken, too. */
async function recoveryCodes(app: RelyingParty, first: string, tell: Tell): Promise<void> {
  const codes = [first];
  for (const which of ['first', 'second', 'third']) {
    const visitor = newVisitor();
    await visitor.visit((await app.begin()).url);
    await typePassword(visitor, 'astrid@example.com');
    const [code = '', spent] = codes.toReversed();
    if (spent) tell(`the spent code before the ${which}`, seen(await visitor.submit({ code: spent })));
    tell(`the ${which} code`, seen(await visitor.submit({ code })));
    if (which === 'third') continue;
    const next = recoveryCodeOnPage(await visitor.submit({}, 'phoneGone=no'));
    // The session of the first browser goes on.
    const typed = { lastGroup: next.slice(-4), endOtherSessions: null };
    tell(`signed in by the ${which}`, seen(await visitor.submit(typed)));
    codes.push(next);
  }
}

async function tokens(hemma: Hemma, app: RelyingParty, visitor: Visitor, tell: Tell): Promise<void> {
  const begun = await app.begin({ scope: 'openid email offline_access', prompt: 'consent' });
  tell('consent', seen(await visitor.visit(begun.url)));
  const screen = at('back', await visitor.submit({}, 'choice=allow'));
  const redeem = {
    grant_type: 'authorization_code',
    code: screen.url.searchParams.get('code') ?? '',
    redirect_uri: app.redirectUri,
    code_verifier: begun.verifier,
  };
  const { read: first, ...outline } = said(await ask(hemma, app, '/token', redeem));
  tell('a code', outline);
  const refresh = (token: unknown) =>
    ask(hemma, app, '/token', { grant_type: 'refresh_token', refresh_token: String(token) }).then(said);
  const { read: next, ...rotated } = await refresh(first['refresh_token']);
  tell('its refresh token', rotated);
  const me = (token: unknown) =>
    exchange(new URL('/me', hemma.issuer), { headers: { authorization: `Bearer ${String(token)}` } });
  const { sub: _whose, ...claims } = JSON.parse((await me(next['access_token'])).body) as Record<
    string,
    unknown
  >;
  tell('userinfo', claims);
  const { status, error } = await refresh(first['refresh_token']);
  tell('the old refresh token', [status, error]);
  tell('the family', [(await refresh(next['refresh_token'])).error, (await me(next['access_token'])).status]);
  tell('the code again', said(await ask(hemma, app, '/token', redeem)).error);
}

async function pushed(hemma: Hemma, app: RelyingParty, visitor: Visitor, tell: Tell): Promise<void> {
  const request = said(
    await ask(hemma, app, '/request', Object.fromEntries(new URL((await app.begin()).url).searchParams)),
  );
  tell('a pushed request', [request.status, request.keys]);
  const to = new URL('/auth', hemma.issuer);
  to.search = new URLSearchParams({
    client_id: app.clientId,
    request_uri: String(request.read['request_uri']),
  }).toString();
  for (const time of ['once', 'twice']) {
    const { headers, status } = await visitor.request(to, { headers: { accept: 'application/json' } });
    const back = new URL(headers.location ?? app.redirectUri).searchParams;
    tell(time, [status, back.has('code') ? 'code' : back.get('error')]);
  }
}

async function goodbye(hemma: Hemma, app: RelyingParty, visitor: Visitor, tell: Tell): Promise<void> {
  const page = await visitor.visit(hemma.url('/session/end'));
  tell('sign-out', [seen(page), page.text.includes('Autopay')]);
  tell('signed out', seen(await visitor.submit({}, 'logout=yes')));
  visitor.backTo(page);
  tell('signed out again', (await visitor.submit({}, 'logout=yes')).status);
  tell('told the application', (await app.told(1)).length);
  const silent = await visitor.visit((await app.begin({ prompt: 'none' })).url);
  tell('silently', silent.url.searchParams.get('error'));
}

/** Walks the journey on a fresh provider and answers everything that was seen on the way. */
export async function walk(hemma: Hemma): Promise<[string, unknown][]> {
  const told: [string, unknown][] = [];
  const tell: Tell = (what, answer) => void told.push([what, answer]);
  const app = await startRelyingParty({
    hemma,
    description: { scopes: ['profile', 'email', 'offline_access'] },
  });
  try {
    const { visitor, code } = await pages(hemma, app, tell);
    await recoveryCodes(app, code, tell);
    await tokens(hemma, app, visitor, tell);
    await pushed(hemma, app, visitor, tell);
    await goodbye(hemma, app, visitor, tell);
    await hemma.account({ email: 'bertil@example.com', twoStepRequired: false });
    await signInFirst(
      newVisitor(),
      (await app.begin({ acr_values: 'urn:hemma:2' })).url,
      'bertil@example.com',
    );
    const { rows } = await hemma.db.query<{ event: string }>('SELECT DISTINCT event FROM audit');
    tell('audited', rows.map(({ event }) => event).toSorted());
    return told;
  } finally {
    await app.stop();
  }
}
