/** Markup and scripts in every text that comes from outside: they are shown as letters, or not at all. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { parse } from 'node-html-parser';
import { back } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { shellWith } from '../command-line/shell.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { connectPhone, gotIn, nextStep, provePassword } from './sign-in.ts';

/** Breaks out of text, of an attribute in either quotes or none, of a comment, of a title, and of a script. */
const payloads = [
  '<script id="pwned">alert(1)</script>',
  '"><img id="pwned" src=x onerror=alert(1)>',
  "'><svg id='pwned' onload=alert(1)>",
  '" autofocus onfocus=alert(1) id="pwned" x="',
  "' onmouseover=alert(1) id='pwned' x='",
  '--></title></textarea></script><b id="pwned">',
  '{{constructor.constructor("alert(1)")()}}</main><p id="pwned">',
  'javascript:alert(1)//<a id="pwned">',
];

let hemma: Hemma;
let party: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma();
  const name = payloads[1] ?? '';
  party = await startRelyingParty({ hemma, description: { name, firstParty: false } });
});
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});
beforeEach(() => nextStep());
afterEach(back);

const scriptsOfOurs = /^\/public\/[a-z-]+\.js\?v=[\w-]+$/;

/** Parses the page as a browser would and looks for anything that an attacker could have added. */
function expectInert(what: string, body: string): void {
  const page = parse(body, { comment: true });
  expect([what, page.querySelectorAll('#pwned').length]).toEqual([what, 0]);
  for (const element of page.querySelectorAll('*')) {
    const names = Object.keys(element.attributes);
    expect([what, names.filter((name) => /^(on|style$|srcdoc$)/i.test(name))]).toEqual([what, []]);
    for (const name of ['href', 'src', 'action', 'formaction']) {
      const address = element.getAttribute(name) ?? '';
      // The one picture of data is a QR code, which is drawn in the page itself.
      expect([what, /^\s*(javascript|data|vbscript):/i.test(address)]).toEqual([what, false]);
    }
  }
  for (const script of page.querySelectorAll('script')) {
    expect([what, script.innerHTML]).toEqual([what, '']);
    expect([what, script.getAttribute('src')]).toEqual([what, expect.stringMatching(scriptsOfOurs)]);
  }
}

const look = (what: string, browser: Visitor) => expectInert(what, browser.screen.body);

test.each(payloads)(
  'SECURITY 77, T23 %s in a request is inert on every page that it leads to',
  async (payload) => {
    const browser = newVisitor();
    const parameters = { login_hint: payload, state: payload, ui_locales: `${payload} en`, nonce: payload };
    await browser.visit((await party.begin(parameters)).url);
    look('password', browser);
    expect(browser.screen.page.querySelector('[name=email]')?.getAttribute('value')).toBe(payload);
    await browser.submit({ email: `${payload}@example.com`, password: payload });
    look('password refused', browser);
    expect(browser.screen.body).not.toMatch(/name="password"[^>]*value=/);
    expect(browser.screen.page.querySelector('[name=email]')?.getAttribute('value')).toBe(
      `${payload}@example.com`,
    );
    await browser.visit(
      `${browser.screen.url.href}?ui_locales=${encodeURIComponent(payload)}&x=${encodeURIComponent(payload)}`,
    );
    look('password in a language', browser);
  },
);

test.each(payloads)('T23 %s in what goes wrong is inert', async (payload) => {
  const it = encodeURIComponent(payload);
  const { url } = await party.begin();
  const paths = [
    `/auth?client_id=${it}`,
    `/auth?client_id=${party.clientId}&redirect_uri=${it}&response_type=code`,
    `${url.slice(hemma.issuer.length)}&response_type=${it}&scope=${it}`,
    `/auth?client_id=${party.clientId}&request_uri=${it}`,
    `/${it}`,
    `/interaction/${it}/${it}`,
    `/session/end?id_token_hint=${it}&ui_locales=${it}&state=${it}`,
    `/session/end?client_id=${it}`,
    `/account?saved=${it}&ui_locales=${it}`,
    `/nowhere?error=${it}&error_description=${it}`,
  ];
  for (const path of paths) {
    const answer = await newVisitor().request(`${hemma.issuer}${path}`, { headers: { accept: 'text/html' } });
    expectInert(path, answer.body);
    expect([path, answer.status < 500]).toEqual([path, true]);
    expect([path, /html/.test(answer.headers['content-type'] ?? 'html')]).toEqual([path, true]);
  }
  // A program that asks for JSON gets JSON, which no browser reads as a page.
  const answer = await newVisitor().request(`${hemma.issuer}/auth?client_id=${it}`, {
    headers: { accept: 'application/json' },
  });
  expect(answer.headers['content-type']).toMatch(/^application\/json/);
  expect(answer.headers['x-content-type-options']).toBe('nosniff');
});

test("T23 an answer by form_post keeps the application's state as letters", async () => {
  for (const state of payloads) {
    const { url } = await party.begin({ response_mode: 'form_post', prompt: 'none', state });
    const { body, headers } = await newVisitor().request(url);
    const page = parse(body);
    expect(page.querySelectorAll('#pwned, img, svg, b, a')).toHaveLength(0);
    expect(page.querySelector('[name=state]')?.getAttribute('value')).toBe(state);
    expect(String(headers['content-security-policy'])).not.toMatch(/unsafe/);
  }
});

test.each(payloads)(
  'SECURITY 44, T23 %s as a name is inert on every page, and in the mails',
  async (payload) => {
    const email = `name${payloads.indexOf(payload)}@example.com`;
    await hemma.account({ email, name: `${payload}\r\nBcc: all@evil.example` });
    const browser = newVisitor();
    await provePassword(browser, party, email);
    look('enrollment', browser);
    await connectPhone(browser);
    look('consent', browser);
    expect(browser.screen.text).toContain(party.description.name);
    await browser.submit({}, 'choice=allow');
    expect(gotIn(browser)).toBe(true);
    await browser.visit(hemma.url('/account'));
    look('account', browser);
    expect(browser.screen.text).toContain(payload.replaceAll(/\s+/g, ' '));
    await browser.visit(hemma.url('/session/end'));
    look('sign-out', browser);
    expect(browser.screen.text).toContain(party.description.name);
    const mail = await hemma.mail.mailTo(email);
    expect(mail.html).toBe('');
    expect(mail.to).toBe(email);
    expect(mail.headers.has('bcc')).toBe(false);
    expect(mail.text.split('\n')[0]).toContain(`${payload.trim()} Bcc: all@evil.example`);
  },
);

test('T23 an address with markup or a second recipient makes no account', async () => {
  for (const email of [
    ...payloads,
    'a@example.com\nb@evil.example',
    'a@example.com,b@evil.example',
    '"a b"@example.com',
  ]) {
    await expect(hemma.account({ email })).rejects.toThrow('malformed-email');
  }
});

test('SECURITY 77, T23 an application with an address that runs script, or is not its own, is refused at registration', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hemma-clients-'));
  const bad = [
    'javascript:alert(1)',
    'data:text/html,x',
    'http://evil.example/',
    'vbscript:x',
    'https://ok.example/#x',
    '//x',
    'file:///etc/passwd',
    'http://localhost@evil.example/',
  ];
  const base = { name: 'Evil', type: 'web', redirectUris: ['https://ok.example/back'] };
  const fields = ['redirectUris', 'postLogoutRedirectUris', 'backchannelLogoutUri', 'launchUrl'];
  const clients = bad.flatMap((address, row) =>
    fields.map((field, column) => ({
      ...base,
      id: `evil-${row}-${column}`,
      [field]: field.endsWith('Uris') ? [address] : address,
    })),
  );
  const file = join(folder, 'clients.yaml');
  // JSON is YAML.
  await writeFile(file, JSON.stringify(clients));
  const { code, stderr } = await shellWith(hemma.env)(['clients', 'apply', '-f', file]);
  await rm(folder, { recursive: true });
  expect(code).toBe(1);
  // Every single one of them is named.
  const named = new Set([...stderr.matchAll(/\[(\d+)\]\.(\w+)/g)].map(([, at, field]) => `${at}.${field}`));
  expect(named.size).toBe(clients.length);
  const listed = await shellWith(hemma.env)(['clients', 'list', '--json']);
  expect(listed.stdout).not.toContain('evil-');
});
