/** The console's cases, by three people: somebody who lost phone and code, an agent, and a second one. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { back, minutes, travel } from '../rig/clock.ts';
import { recoveryCodeOnPage } from '../rig/ceremony.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { newPerson, nextStep, pageOf, provePassword, tokenOn } from '../new-phone-threats/people.ts';
import { recorded } from '../new-phone-threats/recorded.ts';
import { until } from '../storage/until.ts';
import { atCodePage, codeMailedTo, type Desk, deskAt, typeCode } from './desk.ts';

let hemma: Hemma;
let party: RelyingParty;
let desk: Desk;

beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma });
  desk = await deskAt(hemma);
});
afterEach(back);
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});

const person = (name: string, role: 'person' | 'help-desk' | 'administrator' = 'person') =>
  newPerson(hemma, party, `${name}@example.com`, { role });

/** The person's part: the case is opened from the sign-in; answers its number. */
async function openCase(email: string): Promise<string> {
  const visitor = newVisitor();
  await provePassword(visitor, (await party.begin()).url, email);
  await visitor.visit(pageOf(visitor, 'help-desk'));
  await visitor.submit({}, 'Öppna ett ärende');
  return visitor.screen.page.querySelector('[data-case-number]')?.getAttribute('data-case-number') ?? '';
}

const state = ({ screen }: Visitor) =>
  screen.page.querySelector('main [data-state]')?.getAttribute('data-state');

test('J5 the agent finds the case in the queue, ticks, notes, sends, and sees no code anywhere', async () => {
  const owner = await person('astrid');
  const agent = await person('agent', 'help-desk');
  const number = await openCase(owner.email);
  const { browser } = agent;
  await browser.visit(hemma.url('/admin/cases'));
  expect(browser.screen.text).toContain(owner.email);
  await browser.follow(number);
  expect([browser.screen.step, state(browser)]).toEqual(['case', 'waiting']);
  const seen = [browser.screen.body];
  await browser.submit({ check: ['call-back', 'vouched-for'] }, 'Spara kryssen');
  await browser.submit({ note: '<b>Ringde</b> upp "Astrid"' }, 'Spara anteckningen');
  expect(browser.screen.body).not.toContain('<b>Ringde');
  expect(browser.screen.text).toContain('<b>Ringde</b> upp "Astrid"');
  await browser.follow('Skicka koden');
  expect(browser.screen.step).toBe('case-send');
  expect(browser.screen.text).toContain(owner.email);
  await browser.submit({}, 'Skicka koden');
  expect([browser.screen.step, state(browser)]).toEqual(['case', 'sent']);
  seen.push(browser.screen.body);
  const code = await codeMailedTo(hemma, owner.email);
  for (const path of ['/admin/cases', `/admin/people/${owner.id}`, browser.screen.url.pathname]) {
    seen.push((await browser.visit(hemma.url(path))).body);
  }
  for (const body of seen) expect(body).not.toContain(code.slice(0, 9));
  const about = async (section: string) =>
    (await browser.visit(hemma.url(`/admin/people/${owner.id}`))).page
      .querySelector(`[data-section=${section}]`)
      ?.textContent.replaceAll(/\s+/g, ' ') ?? '';
  expect(await about('two-step')).toContain('Personen kopplade den.');
  expect(await about('recovery-code')).toMatch(
    /En kod från supporten gäller till .*Den skickades .* av agent@example\.com/,
  );
  expect(await about('cases')).toContain(`Ärende ${number}: En kod är skickad och gäller än`);
  await browser.follow(`Ärende ${number}`);
  await browser.follow('Skicka koden');
  await browser.submit({}, 'Skicka koden');
  expect([browser.screen.status, browser.screen.refusal]).toEqual([422, 'code-just-sent']);
  const visitor = await atCodePage(party, owner.email);
  await typeCode(visitor, code);
  await visitor.submit({ code: sixDigits(keyOf(visitor)) });
  await visitor.submit({ lastGroup: recoveryCodeOnPage(visitor.screen).slice(-4) });
  await visitor.visit(hemma.url('/account'));
  const file = (await visitor.submit({}, 'Ladda ner mina uppgifter')).body;
  expect((JSON.parse(file) as Record<string, unknown>)['helpDeskCases']).toMatchObject([
    {
      number,
      openedBy: 'person',
      identityChecks: [{ name: 'call-back' }, {}],
      notes: [{}],
      outcome: 'new-phone',
    },
  ]);
  for (const hidden of [code.slice(0, 9), 'agent@']) expect(file).not.toContain(hidden);
  expect(await about('two-step')).toMatch(
    /Personen kopplade den med en kod som agent@example\.com skickade .*\./,
  );
  expect(await about('cases')).toContain('Personen har kopplat en ny telefon');
  await browser.visit(hemma.url('/admin/cases?closed=yes'));
  await browser.follow(number);
  expect(state(browser)).toBe('new-phone');
  expect(browser.screen.page.querySelectorAll('main form')).toHaveLength(0);
});

const keyOf = ({ screen }: Visitor) =>
  screen.page.querySelector('[data-key]')?.getAttribute('data-key') ?? '';

test('J5 the agent sees in the case that the mail server knows no such address as the code went to', async () => {
  const owner = await person('estrid');
  const agent = await person('agnes', 'help-desk');
  const number = await openCase(owner.email);
  const { browser } = agent;
  await browser.visit(hemma.url('/admin/cases'));
  await browser.follow(number);
  await browser.submit({ check: ['call-back'] }, 'Spara kryssen');
  const { href } = browser.screen.url;
  await browser.follow('Skicka koden');
  hemma.mail.behave('know nobody');
  await browser.submit({}, 'Skicka koden');
  const seen = async () => {
    await browser.visit(href);
    return browser.screen.text.includes('kom en kod inte fram');
  };
  await until('the case says so', seen, 10_000);
  hemma.mail.behave('accept');
  // The notices that were refused beside it are no codes.
  expect(browser.screen.text.match(/kom en kod inte fram/g)).toHaveLength(1);
});

test('J5 an agent whom the person called opens the case from the person, and closes it', async () => {
  const owner = await person('bertil');
  const { browser } = await person('bo', 'help-desk');
  await browser.visit(hemma.url(`/admin/people/${owner.id}`));
  await browser.follow('Öppna ett ärende');
  expect(await desk.caseOf(owner.id)).toBeUndefined();
  await browser.submit({}, 'Öppna ett ärende');
  expect([browser.screen.step, state(browser)]).toEqual(['case', 'waiting']);
  await browser.follow('Stäng ärendet');
  await browser.submit({}, 'Stäng ärendet');
  expect(state(browser)).toBe('closed');
  await hemma.mail.mailTo(owner.email, /är stängt/);
});

test('J5 password and phone lost together: one agent asks, the other sees it in the queue and approves', async () => {
  const owner = await person('cecilia');
  const [one, other] = [await person('carl', 'help-desk'), await person('cajsa', 'help-desk')];
  const number = await openCase(owner.email);
  await one.browser.visit(hemma.url('/admin/cases'));
  await one.browser.follow(number);
  await one.browser.submit({ check: 'id-document' }, 'Spara kryssen');
  await one.browser.follow('Be om att få nollställa kontot');
  await one.browser.submit({}, 'Be om att få nollställa kontot');
  expect(state(one.browser)).toBe('approval');
  expect(one.browser.screen.text).not.toContain('Godkänn ');
  await other.browser.visit(hemma.url('/admin/cases'));
  await other.browser.follow(number);
  await other.browser.follow('Godkänn');
  await other.browser.submit({}, 'Godkänn');
  expect(state(other.browser)).toBe('invited-anew');
  await hemma.mail.mailTo(owner.email, /Börja om/);
});

test('T35 what changes access asks for a sign-in of the last ten minutes, before the form and not after', async () => {
  const owner = await person('david');
  const agent = await person('dora', 'help-desk');
  const opened = await desk.open({ id: agent.id, role: 'help-desk', group: undefined }, owner.id);
  await desk.tick({ id: agent.id, role: 'help-desk', group: undefined }, opened);
  const { browser } = agent;
  const send = hemma.url(`/admin/cases/${opened.id}/send`);
  await browser.visit(send);
  const form = browser.screen;
  const token = tokenOn(browser);
  travel(minutes(11));
  await browser.post(send, { token });
  expect(browser.screen.step).toBe('password');
  expect(await recorded(hemma, 'help-desk.code-sent', owner.id)).toBe(0);
  browser.backTo(form);
  nextStep();
  await browser.visit(send);
  await browser.submit({ email: agent.email, password: 'en stilla sjö i augusti' });
  await browser.submit({ code: sixDigits(agent.key) });
  expect(browser.screen.step).toBe('case-send');
  await browser.submit({}, 'Skicka koden');
  expect(state(browser)).toBe('sent');
});

test('T35 whoever may not sees no case and does nothing: persons, colleagues of another group, oneself', async () => {
  const owner = await person('eva');
  const agent = await person('erik', 'help-desk');
  const chief = await person('ebba', 'administrator');
  const opened = await desk.open({ id: agent.id, role: 'help-desk', group: undefined }, owner.id);
  const own = await desk.open({ id: chief.id, role: 'administrator', group: undefined }, agent.id);
  const stranger = await person('egil');
  const elsewhere = await person('elof', 'help-desk');
  const group = '11111111-2222-4333-8444-555555555555';
  await hemma.db.query("INSERT INTO groups (id, name, name_key, created_at) VALUES ($1, 'Lön', 'lön', $2)", [
    group,
    new Date(),
  ]);
  await hemma.db.query('UPDATE accounts SET operator_group = $2 WHERE id = $1', [elsewhere.id, group]);
  const tries: [Visitor, string][] = [
    [stranger.browser, opened.id],
    [elsewhere.browser, opened.id],
    [agent.browser, own.id],
  ];
  for (const [browser, id] of tries) {
    for (const deed of ['', '/send', '/approve', '/begin-anew', '/close']) {
      const { status } = await browser.visit(hemma.url(`/admin/cases/${id}${deed}`));
      expect([deed, status]).toEqual([deed, 404]);
    }
    for (const deed of ['checks', 'notes', 'send', 'approve', 'begin-anew', 'close']) {
      await browser.post(hemma.url(`/admin/cases/${id}/${deed}`), {
        token: '',
        note: 'x',
        check: 'call-back',
      });
      expect([deed, browser.screen.status]).toEqual([deed, 404]);
    }
  }
  await elsewhere.browser.visit(hemma.url('/admin/cases'));
  expect(elsewhere.browser.screen.text).not.toContain(owner.email);
  await agent.browser.visit(hemma.url('/admin/cases'));
  expect(agent.browser.screen.body).not.toContain(own.number);
  await agent.browser.post(hemma.url(`/admin/cases/${opened.id}/notes`), { token: '', note: 'x' });
  expect(agent.browser.screen.status).toBe(403);
  await agent.browser.post(
    hemma.url(`/admin/cases/${opened.id}/close`),
    { token: '' },
    { 'sec-fetch-site': 'cross-site' },
  );
  expect(agent.browser.screen.status).toBe(403);
  expect((await desk.caseOf(owner.id))?.notes).toEqual([]);
});
