/** Rows 83, 84 and 86: what comes in is judged, what goes out is a problem document, and nothing internal leaves. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { group } from '../console/town.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { call, isProblem, machineScopes, machineToken, type Request, service } from './callers.ts';

let hemma: Hemma;
let token: string;
let other: string;
beforeAll(async () => {
  hemma = await startHemma();
  token = await machineToken(hemma, await service(hemma, 'machine', machineScopes), machineScopes);
  other = await machineToken(hemma, await service(hemma, 'other', machineScopes), machineScopes);
  for (const name of ['anna', 'beata', 'cecilia', 'disa', 'elin'])
    await hemma.account({ email: `${name}@example.com`, name });
});
afterAll(() => hemma.stop());

const send = (path: string, request: Request = {}) => call(hemma, path, { token, ...request });
const json = { 'content-type': 'application/json' };
const invited = { email: 'x@example.com', name: 'X' };

describe('a refusal is a problem document with the code', () => {
  const cases: [string, string, Request, number, string][] = [
    ['an unknown address', '/nowhere', {}, 404, 'not-found'],
    ['the root', '', {}, 404, 'not-found'],
    ['a broken escape', '/people/%E0%A4%A', {}, 404, 'not-found'],
    ['an identifier that can be none', "/people/' OR 1=1 --", {}, 404, 'not-found'],
    ['another verb', '/people', { method: 'DELETE' }, 405, 'method-not-allowed'],
    ['a verb of nobody', '/people', { method: 'PATCH' }, 405, 'method-not-allowed'],
    ['a preflight of a browser', '/people', { method: 'OPTIONS' }, 405, 'method-not-allowed'],
    ['another verb on the document', '/openapi.json', { method: 'POST' }, 405, 'method-not-allowed'],
    ['a form', '/people', { method: 'POST', body: 'email=x' }, 415, 'unsupported-media-type'],
    [
      'a packed body',
      '/people',
      { method: 'POST', json: invited, headers: { 'content-encoding': 'gzip' } },
      415,
      'unsupported-media-type',
    ],
    ['no JSON', '/people', { method: 'POST', body: '{"email":', headers: json }, 400, 'malformed-json'],
    [
      'half a character',
      '/people',
      { method: 'POST', body: '{"email":"\\ud800","name":"x"}', headers: json },
      400,
      'malformed-request',
    ],
    ['a NUL', '/people?q=%00', {}, 400, 'malformed-request'],
    [
      'row 96: lists in lists without a bottom',
      '/clients',
      { method: 'POST', body: `{"jwks":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, headers: json },
      400,
      'malformed-request',
    ],
    [
      'a body without end',
      '/people',
      { method: 'POST', body: `"${'x'.repeat(300_000)}"`, headers: json },
      413,
      'too-large',
    ],
    ['what is no object', '/people', { method: 'POST', json: [] }, 422, 'invalid'],
    ['a limit beyond all', '/people?limit=201', {}, 422, 'invalid'],
    ['a limit that is no number', '/people?limit=many', {}, 422, 'invalid'],
    ['a name that means nothing', '/people?grop=1', {}, 422, 'invalid'],
    ['a name said twice', '/people?q=a&q=b', {}, 422, 'invalid'],
    ['an event that is none', '/audit?event=no.such', {}, 422, 'invalid'],
    ['a day that is none', '/audit?since=yesterday', {}, 422, 'invalid'],
    ['a day before all clocks', '/audit?since=0001-01-01', {}, 422, 'invalid'],
    ['a day that has no morrow', '/audit?until=9999-12-31', {}, 422, 'invalid'],
    [
      'a moment that has five figures elsewhere',
      '/clients/other/secrets',
      { method: 'POST', json: { name: 'x', expiresAt: '9999-12-31T23:59:59-12:00' } },
      422,
      'invalid',
    ],
    ['nobody', '/audit?account=nobody@example.com', {}, 422, 'no-such-person'],
    ['a version that is not said', '/clients/other', { method: 'DELETE' }, 428, 'version-needed'],
  ];
  test.each(cases)('%s', async (_what, path, request, status, code) => {
    const answer = await send(path.replaceAll(' ', '%20'), request);
    expect([answer.status, answer.json['code'], isProblem(answer)]).toEqual([status, code, true]);
    expect(answer.headers['cache-control']).toBe('no-store');
    if (status === 405) expect(answer.headers['allow']).toMatch(/^[A-Z]+(, [A-Z]+)*$/);
    expect(answer.body).not.toMatch(/zod|postgres|select|node_modules|\.ts|Error:/i);
  });

  test('and says everything that is wrong with an input, by its place', async () => {
    const { json: said } = await send('/people', {
      method: 'POST',
      json: { name: '', locale: 'no', odd: 1 },
    });
    expect(said['errors']).toEqual([
      { path: 'email', code: 'missing', detail: expect.any(String) },
      { path: 'name', code: 'malformed', detail: expect.any(String) },
      { path: 'locale', code: 'not-a-choice', detail: expect.any(String) },
      { path: 'odd', code: 'unknown-field', detail: expect.any(String) },
    ]);
    const client = { id: 'x', name: '', type: 'web', redirectUris: ['http://evil.example'], enabeld: true };
    const described = await send('/clients', { method: 'POST', json: client });
    expect(
      (described.json['errors'] as { path: string; code: string }[]).map(({ path, code }) => [path, code]),
    ).toEqual(
      expect.arrayContaining([
        ['id', 'id-malformed'],
        ['redirectUris.0', 'address-not-https'],
        ['enabeld', 'unknown-field'],
      ]),
    );
  });

  test('SECURITY 86 also where the house itself fails, with the number that finds it in the log', async () => {
    await hemma.db.query('ALTER TABLE group_members RENAME TO elsewhere');
    try {
      const answer = await send('/groups');
      expect([answer.status, isProblem(answer, 'trouble')]).toEqual([500, true]);
      expect(answer.body).not.toMatch(/group_members|relation|select/i);
      expect(hemma.logs()).toContain(String(answer.json['reference']));
    } finally {
      await hemma.db.query('ALTER TABLE elsewhere RENAME TO group_members');
    }
    const foreign = await send('/people', { headers: { host: 'evil.example' } });
    expect([foreign.status, isProblem(foreign, 'foreign-host')]).toEqual([421, true]);
  });
});

describe('row 84: a cursor', () => {
  const emails = (answer: { json: Record<string, unknown> }) =>
    (answer.json['items'] as { email: string }[]).map(({ email }) => email.split('@')[0]);
  const next = (answer: { json: Record<string, unknown> }) => encodeURIComponent(String(answer.json['next']));

  test('leads through a list without a gap or a repetition', async () => {
    const seen: (string | undefined)[] = [];
    let page = await send('/people?limit=2');
    for (let pages = 0; pages < 5; pages += 1) {
      seen.push(...emails(page));
      if (page.json['next'] === null) break;
      page = await send(`/people?limit=2&cursor=${next(page)}`);
    }
    expect(seen).toEqual(['anna', 'beata', 'cecilia', 'disa', 'elin']);
  });

  test('goes on in its own list, with its own filter, for its own caller, and is not made up', async () => {
    const north = await group(hemma, 'North');
    const cursor = next(await send('/people?limit=2'));
    const refused = [
      await send(`/people?limit=2&q=a&cursor=${cursor}`),
      await send(`/people?limit=2&group=${north.id}&cursor=${cursor}`),
      await send(`/audit?cursor=${cursor}`),
      await send(`/people?limit=2&cursor=${cursor}`, { token: other }),
      await send(`/people?cursor=${Buffer.from("anna' OR 1=1 --").toString('base64url')}`),
      await send(`/people?cursor=${cursor.slice(0, -2)}AA`),
      await send('/people?cursor='),
    ];
    for (const answer of refused)
      expect([answer.status, answer.json['code'], isProblem(answer)]).toEqual([422, 'invalid-cursor', true]);
  });

  test('is there for the audit, too, and for a group', async () => {
    const first = await send('/audit?limit=2');
    const second = await send(`/audit?limit=2&cursor=${next(first)}`);
    const ids = [first, second].flatMap(({ json: page }) =>
      (page['items'] as { id: number }[]).map(({ id }) => id),
    );
    expect(ids).toEqual([...new Set(ids)].toSorted((one, two) => two - one));
    expect(ids).toHaveLength(4);
  });
});

test('HEAD answers as GET without its body', async () => {
  const head = await send('/people', { method: 'HEAD' });
  expect([head.status, head.body, head.headers['content-type']]).toEqual([
    200,
    '',
    'application/json; charset=utf-8',
  ]);
});
