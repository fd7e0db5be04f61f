/** T37: the audit in the console, complete, limited, and harmless in a spreadsheet; T35: secrets are nowhere in it. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { formatCsvCell } from '../../src/users/import/csv.ts';
import { startOfDay } from '../../src/users/audit-search.ts';
import { auditEventTypes } from '../../src/audit/audit-log.ts';
import { at } from '../rig/ceremony.ts';
import { back, minutes, travel } from '../rig/clock.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import type { Screen } from '../rig/visitor.ts';
import { group, operator, type OperatorAtWork, putInto } from './town.ts';

let hemma: Hemma;
let alma: OperatorAtWork;
let nora: OperatorAtWork;
const formula = '=cmd+calc@south.example';
beforeAll(async () => {
  hemma = await startHemma();
  const north = await group(hemma, '=HYPERLINK("http://evil.example")');
  const nils = await hemma.account({ email: 'nils@north.example', name: 'Nils' });
  await putInto(hemma, nils, north);
  await hemma.account({ email: formula, name: 'Sara' });
  alma = await operator(hemma, 'alma@example.com', 'administrator');
  nora = await operator(hemma, 'nora@north.example', 'administrator', north);
  await alma.visitor.visit(hemma.url(`/admin/people/${nils.id}/end-sessions`));
  await alma.visitor.submit();
});
afterAll(() => hemma.stop());
afterEach(back);

const rowsOf = (screen: Screen) =>
  screen.page
    .querySelectorAll('tbody tr')
    .map((row) => row.querySelectorAll('td').map((cell) => cell.textContent.replaceAll(/\s+/g, ' ').trim()));
const show = async ({ visitor }: OperatorAtWork, query: Record<string, string> = {}) =>
  visitor.visit(hemma.url(`/admin/audit?${new URLSearchParams(query).toString()}`));
const exported = async (who: OperatorAtWork, format: string, query: Record<string, string> = {}) => {
  await show(who, query);
  return who.visitor.submit({}, `format=${format}`);
};

describe('T37 the audit', () => {
  test('says what happened, when, to whom, by whom and from where', async () => {
    const rows = rowsOf(await show(alma, { event: 'session.ended' }));
    expect(rows).toEqual([
      [
        expect.stringMatching(/\d\d:\d\d$/),
        'Inloggningar avslutades',
        'nils@north.example',
        'alma@example.com',
        '127.0.0.1',
        '–',
      ],
    ]);
  });

  test('is filtered by event, person and day', async () => {
    expect(rowsOf(await show(alma, { account: 'NILS@north.example' })).map(([, what]) => what)).toEqual([
      'Inloggningar avslutades',
      'Personen lades till i en grupp',
      'Kontot skapades',
    ]);
    const done = rowsOf(await show(alma, { operator: 'Alma@example.com' }));
    expect(done.map((cells) => [cells[1], cells[3]])).toEqual([
      ['Inloggningar avslutades', 'alma@example.com'],
    ]);
    expect((await show(alma, { operator: 'nobody@example.com' })).refusal).toBe('no-such-person');
    const day = (ahead: number) => new Date(Date.now() + ahead * 86_400_000).toISOString().slice(0, 10);
    expect(rowsOf(await show(alma, { since: day(2) }))).toEqual([]);
    expect(rowsOf(await show(alma, { until: day(-2) }))).toEqual([]);
    expect(rowsOf(await show(alma, { since: day(-2), until: day(2) })).length).toBeGreaterThan(5);
    const unknown = await show(alma, { account: 'nobody@example.com' });
    expect([unknown.status, unknown.refusal]).toEqual([422, 'no-such-person']);
    for (const odd of [
      { event: 'no.such' },
      { since: 'yesterday' },
      { since: "2026-01-01' --" },
      { until: '2026-13-01' },
      { since: '0001-01-01' },
      { until: '9999-12-31' },
    ])
      expect((await show(alma, odd)).status).toBe(400);
  });

  test.each([
    ['2026-01-15', '2026-01-14T23:00:00.000Z'],
    ['2026-07-15', '2026-07-14T22:00:00.000Z'],
    ['2026-03-29', '2026-03-28T23:00:00.000Z'],
    ['2026-10-25', '2026-10-24T22:00:00.000Z'],
  ])('begins the day %s at %s, where the house lives', (day, moment) =>
    expect(startOfDay(day).toISOString()).toBe(moment),
  );

  test('shows a limited administrator what is about their people, and nothing else', async () => {
    const whom = new Set(rowsOf(await show(nora)).map((cells) => cells[2]));
    expect([...whom]).toEqual(['nils@north.example']);
    expect(rowsOf(nora.visitor.screen)[0]?.[3]).toBe('en handläggare');
    expect(nora.visitor.screen.body).not.toContain('alma@example.com');
    expect((await show(nora, { account: formula })).refusal).toBe('no-such-person');
    // Who somebody is whom they may not know is not told by what they did, either.
    expect((await show(nora, { operator: 'alma@example.com' })).refusal).toBe('no-such-person');
    const file = JSON.parse((await exported(nora, 'json')).body) as {
      email: string | null;
      account: string;
    }[];
    expect(new Set(file.map(({ email }) => email))).toEqual(new Set(['nils@north.example']));
  });

  test('goes on page by page to the very first row', async () => {
    const seen = rowsOf(await show(alma)).length;
    expect(seen).toBeLessThanOrEqual(50);
    await Promise.all(
      Array.from({ length: 60 }, () =>
        hemma.db.query("INSERT INTO audit (at, event, detail) VALUES ($1, 'keys.made', '{}')", [new Date()]),
      ),
    );
    let rows = rowsOf(await show(alma, { event: 'keys.made' }));
    expect(rows).toHaveLength(50);
    rows = rowsOf(await alma.visitor.follow('Visa fler'));
    expect(rows.length).toBeGreaterThanOrEqual(10);
    expect(alma.visitor.screen.page.querySelector('main .actions a')).toBeNull();
  });

  test('has words for every event in both languages', async () => {
    for (const language of ['sv', 'en']) {
      const options = (await show(alma, { ui_locales: language })).page.querySelectorAll(
        'select[name=event] option',
      );
      expect(options).toHaveLength(auditEventTypes.length + 1);
      const bare = options.filter((one) => one.textContent === one.getAttribute('value'));
      expect(bare.map((one) => one.textContent)).toEqual([]);
    }
    await show(alma, { ui_locales: 'sv' });
  });
});

describe('the file', () => {
  test.each([
    ['=1+1', `"'=1+1"`],
    ['+46', `"'+46"`],
    ['-1', `"'-1"`],
    ['@SUM(A1)', `"'@SUM(A1)"`],
    ['\t=1', `"'\t=1"`],
    ['\r=1', `"'\r=1"`],
    ['a"b', '"a""b"'],
    ['a=1', '"a=1"'],
    [null, '""'],
    [7, '"7"'],
    [{ a: '=1' }, '"{""a"":""=1""}"'],
  ])('writes the cell %j as %s', (value, cell) => expect(formatCsvCell(value)).toBe(cell));

  test('as CSV runs nothing in a spreadsheet, has one record a row, and is recorded itself', async () => {
    const file = await exported(alma, 'csv');
    expect(file.headers['content-type']).toBe('text/csv; charset=utf-8');
    expect(file.headers['content-disposition']).toContain('handelser.csv');
    const [head, ...lines] = file.body.replace('\uFEFF', '').trimEnd().split('\r\n');
    expect(head).toContain('"id","at","event"');
    expect(file.body).toContain(`"'${formula}"`);
    for (const line of lines) expect(line).toMatch(/^"\d+",("([^"]|"")*",?)+$/);
    expect(lines.filter((line) => /,"[=+\-@]/.test(line))).toEqual([]);
    const { rows } = await hemma.db.query(
      "SELECT actor, detail->>'format' AS format FROM audit WHERE event = 'audit.exported' AND actor = $1",
      [alma.id],
    );
    expect(rows).toEqual([{ actor: alma.id, format: 'csv' }]);
  });

  test('as JSON holds every row of the filter, whatever its length', async () => {
    const file = await exported(alma, 'json', { event: 'account.created' });
    const rows = JSON.parse(file.body) as { event: string }[];
    expect(rows.length).toBeGreaterThan(3);
    expect(new Set(rows.map(({ event }) => event))).toEqual(new Set(['account.created']));
    const hers = JSON.parse((await exported(alma, 'json', { operator: 'alma@example.com' })).body) as {
      operatorEmail: string;
    }[];
    expect(new Set(hers.map(({ operatorEmail }) => operatorEmail))).toEqual(new Set(['alma@example.com']));
    expect(
      JSON.parse((await exported(alma, 'json', { since: '2020-01-01', until: '' })).body),
    ).not.toHaveLength(0);
  });

  test('is handed over just after a sign-in in two steps only', async () => {
    await show(alma);
    travel(minutes(11));
    at('password', await alma.visitor.submit({}, 'format=csv'));
    expect(alma.visitor.screen.headers['content-disposition']).toBeUndefined();
  });
});

test('T35 no page, no list and no file of the console holds a secret', async () => {
  back();
  const ida = await operator(hemma, 'ida@example.com', 'administrator');
  const { rows } = await hemma.db.query<{ secret: string | null }>(
    `SELECT password_hash AS secret FROM accounts UNION SELECT hash FROM recovery_codes
     UNION SELECT hash FROM mailed_codes UNION SELECT encode(token_hash, 'hex') FROM devices
     UNION SELECT encode(sealed_secret, 'base64') FROM authenticators`,
  );
  const secrets = [...rows.map(({ secret }) => secret), ida.key, ida.recoveryCode, PASSWORD].filter(Boolean);
  expect(secrets.length).toBeGreaterThan(8);
  const paths = [
    '/admin/people',
    `/admin/people/${alma.id}`,
    '/admin/groups',
    '/admin/audit',
    '/admin/people/invite',
  ];
  const bodies = [];
  for (const path of paths) bodies.push((await ida.visitor.visit(hemma.url(path))).body);
  bodies.push((await exported(ida, 'json')).body, (await exported(ida, 'csv')).body, hemma.logs());
  for (const body of bodies) for (const secret of secrets) expect(body).not.toContain(secret);
});
