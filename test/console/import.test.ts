/** People from a file, in the console: judged first, row by row, and taken in as it was shown. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'node-html-parser';
import { findAuditEvents } from '../../src/audit/audit-log.ts';
import { at, typePassword } from '../rig/ceremony.ts';
import { back, minutes, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { newVisitor } from '../rig/visitor.ts';
import { group, operator, type OperatorAtWork, tokenOf } from './town.ts';

let hemma: Hemma;
let alma: OperatorAtWork;
let token: string;
beforeAll(async () => {
  hemma = await startHemma();
  alma = await operator(hemma, 'alma@example.com', 'administrator');
  await group(hemma, 'Bageriet');
  token = tokenOf(await alma.visitor.visit(hemma.url('/admin/people/import')));
});
afterAll(() => hemma.stop());

/** Sends the page's form as a browser does; what is no text is the file. */
async function send(fields: Record<string, string | Buffer>) {
  const form = new FormData();
  for (const [name, value] of Object.entries({ token, ...fields }))
    if (typeof value === 'string') form.set(name, value);
    else form.set(name, new Blob([new Uint8Array(value)]), 'people.csv');
  const request = new Request(hemma.url('/'), { method: 'POST', body: form });
  const answer = await alma.visitor.request(hemma.url('/admin/people/import'), {
    method: 'POST',
    headers: {
      'content-type': request.headers.get('content-type') ?? '',
      'sec-fetch-site': 'same-origin',
      'accept-language': 'sv',
    },
    body: await request.text(),
  });
  const page = parse(answer.body);
  const attribute = (name: string, selector = `[${name}]`) =>
    page.querySelector(selector)?.getAttribute(name);
  return {
    ...answer,
    step: attribute('data-step'),
    refusal: attribute('data-refusal'),
    text: page.querySelector('main')?.textContent.replaceAll(/\s+/g, ' ') ?? '',
    checked: attribute('value', 'input[name=checked]') ?? '',
    counts: Object.fromEntries(
      page
        .querySelectorAll('[data-count]')
        .map((line) => [line.getAttribute('data-count'), line.querySelector('dd')?.textContent]),
    ),
    faults: page
      .querySelectorAll('tbody tr')
      .map((row) => [
        row.getAttribute('data-row'),
        row.querySelector('[data-fault]')?.getAttribute('data-fault'),
      ]),
  };
}

const csv = (...lines: string[]) => Buffer.from(['email,name,groups', ...lines, ''].join('\n'));
const people = csv(
  'astrid@example.com,Astrid Ek,Bageriet',
  'no-address,Bo Lind,',
  'alma@example.com,Alma Berg,',
  'cecilia@example.com,Cecilia Öst,Mejeriet',
);
const accounts = async () =>
  (
    await hemma.db.query<{ email: string }>("SELECT email FROM accounts WHERE email <> 'alma@example.com'")
  ).rows.map(({ email }) => email);

describe('a file of people', () => {
  test('is only judged at first, and then taken in just as it was shown', async () => {
    const would = await send({ file: people });
    expect([would.status, would.step]).toEqual([200, 'import-checked']);
    expect(would.counts).toEqual({ rows: '4', created: '1', existing: '1', refused: '2' });
    const faults = [
      ['3', 'malformed-email'],
      ['4', 'email-taken'],
      ['5', 'no-such-group'],
    ];
    expect(would.faults).toEqual(faults);
    expect(would.text).toContain('Det ser inte ut som en e-postadress.');
    expect(await accounts()).toEqual([]);
    expect(would.body).not.toContain('astrid');
    const did = await send({ checked: would.checked });
    expect([did.step, did.faults]).toEqual(['imported', faults]);
    expect(did.text).toContain('Klart: 1 person.');
    expect(await accounts()).toEqual(['astrid@example.com']);
    const [imported] = await findAuditEvents(hemma.db, { event: 'accounts.imported', limit: 1 });
    expect(imported).toMatchObject({ actor: alma.id, detail: { rows: 4, created: 1 } });
    // Sent twice it takes in nobody twice.
    expect((await send({ checked: would.checked })).counts).toMatchObject({ created: '0', existing: '2' });
  });

  test('brings groups and invitations along where that is asked for', async () => {
    const choices = { createGroups: 'yes', invite: 'yes' };
    const { checked } = await send({ ...choices, file: csv('dora@example.com,Dora,Mejeriet') });
    // What was shown is what is done: other choices are not what was checked.
    expect((await send({ checked })).refusal).toBe('file-gone');
    expect((await send({ ...choices, checked })).step).toBe('imported');
    await hemma.mail.mailTo('dora@example.com', /inbjuden/);
  });

  test.each([
    ['no file', {}, 'no-file'],
    ['an empty file', { file: Buffer.from('\n') }, 'unreadable-file'],
    ['a file without addresses', { file: Buffer.from('name\nBo\n') }, 'unreadable-file'],
    ['a file of more than 5 MB', { file: Buffer.alloc(5 * 1024 * 1024 + 1, 'a') }, 'file-too-large'],
    ['a request of more than 8 MB', { file: Buffer.alloc(9 * 1024 * 1024, 'a') }, 'file-too-large'],
    ['a seal that is none of ours', { checked: randomBytes(99).toString('base64url') }, 'file-gone'],
  ] as const)('%s is refused in words', async (_what, fields, code) => {
    const { status, refusal, step } = await send(fields);
    expect([status, refusal, step]).toEqual([422, code, 'import']);
  });

  test('of more rows than a page takes is left to the command line', async () => {
    const many = Array.from({ length: 5501 }, (_, row) => `many${row}@example.com,Many,`);
    expect((await send({ file: csv(...many) })).refusal).toBe('too-many-rows');
    expect((await send({ file: csv(...many.slice(0, 5000)) })).counts['created']).toBe('5\u00a0000');
  });

  test('is taken from the session alone that had it checked, with its token, just after a sign-in', async () => {
    const { checked } = await send({ file: people });
    expect((await send({ checked, token: 'guess' })).status).toBe(403);
    expect((await send({ checked, token: '' })).status).toBe(403);
    travel(minutes(11));
    expect((await send({ checked })).status).toBe(303);
    back();
    const other = await operator(hemma, 'ada@example.com', 'administrator');
    const theirs = tokenOf(await other.visitor.visit(hemma.url('/admin/people/import')));
    const mine = [alma, token] as const;
    [alma, token] = [other, theirs];
    expect((await send({ checked })).refusal).toBe('file-gone');
    [alma, token] = mine;
  });
});

test('all accounts leave as a file without hashes, and that is in the audit', async () => {
  await alma.visitor.visit(hemma.url('/admin/people/import'));
  const file = await alma.visitor.submit({}, 'format=csv');
  expect(file.headers['content-disposition']).toContain('konton.csv');
  expect(file.body).toContain('"astrid@example.com"');
  expect(file.body).not.toMatch(/password_hash|argon2/);
  expect(await findAuditEvents(hemma.db, { event: 'accounts.exported', limit: 9 })).toMatchObject([
    { actor: alma.id, detail: { format: 'csv', withHashes: false } },
  ]);
  const stranger = newVisitor();
  await stranger.visit(hemma.url('/admin/people/import'));
  at('password', stranger.screen);
  await typePassword(stranger, 'alma@example.com');
});
