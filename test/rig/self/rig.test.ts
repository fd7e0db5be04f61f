/** The rig is software too: each of its parts must be seen to work, and to fail, before it judges anything. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { verify } from '@node-rs/argon2';
import { createTransport } from 'nodemailer';
import { Client } from 'pg';
import { createHasher } from '../../../src/crypto/argon2.ts';
import { violations } from '../axe.ts';
import { type Chromium, startChromium } from '../browser.ts';
import { back, hours, travel, travelTo } from '../clock.ts';
import { type MailServer, startMailServer } from '../mail.ts';
import { PASSWORD } from '../password.ts';
import { startPostgres } from '../postgres.ts';
import { newDatabase } from '../template.ts';
import { scan, sixDigits, wrongDigits } from '../totp.ts';
import { newVisitor } from '../visitor.ts';

async function ask(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

describe('the real PostgreSQL', () => {
  test('gives each test file a migrated copy that nobody else sees, and drops it', async () => {
    const [one, other] = [await newDatabase(), await newDatabase()];
    await ask(one.url, 'CREATE TABLE only_here (id int)');
    const tables = "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'";
    const namesOf = async (url: string) => (await ask(url, tables)).map(({ name }) => name);
    expect(await namesOf(one.url)).toEqual(expect.arrayContaining(['only_here', 'accounts', 'migrations']));
    expect(await namesOf(other.url)).not.toContain('only_here');
    await one.drop();
    await other.drop();
    await expect(ask(one.url, 'SELECT 1')).rejects.toThrow('does not exist');
  });

  test('keeps what was committed when the machine dies, if it is started durable', async () => {
    const server = await startPostgres({ durable: true });
    const url = server.url('postgres');
    expect(await ask(url, "SELECT current_setting('fsync') AS fsync")).toEqual([{ fsync: 'on' }]);
    await ask(url, 'CREATE TABLE kept AS SELECT 1 AS one');
    await server.crash();
    await expect(ask(url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED');
    await server.revive();
    expect(await ask(url, 'SELECT one FROM kept')).toEqual([{ one: 1 }]);
    await server.stop();
  });
});

describe('time travel', () => {
  afterEach(back);

  test('moves the date, lets it run on, and leaves the timers real', async () => {
    const before = Date.now();
    travel(hours(72));
    const arrived = Date.now();
    expect(arrived - before).toBeGreaterThanOrEqual(hours(72));
    await new Promise((done) => setTimeout(done, 120));
    expect(Date.now() - arrived).toBeGreaterThanOrEqual(60);
    expect(Date.now() - arrived).toBeLessThan(2_000);
    back();
    expect(Date.now() - before).toBeLessThan(5_000);
  });

  test('can stand at a moment of the past', () => {
    travelTo(new Date('2020-02-29T12:00:00Z'));
    expect(new Date().toISOString()).toMatch(/^2020-02-29T12:00:0/);
  });
});

describe('the phone', () => {
  // RFC 6238 appendix B, the SHA-1 column, last six of the eight digits.
  test.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ])('shows the digits of RFC 6238 at second %i', (second, digits) => {
    const key = 'GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ';
    expect(sixDigits(key, { at: second * 1000 })).toBe(digits);
    expect(sixDigits(key, { at: (second + 30) * 1000, step: -1 })).toBe(digits);
    expect(wrongDigits(key, second * 1000)).not.toBe(digits);
  });

  test('scans an otpauth link', () => {
    const link = 'otpauth://totp/Hemma:astrid%40example.com?secret=GEZDGNBV&issuer=Hemma';
    expect(scan(link)).toEqual({ key: 'GEZDGNBV', issuer: 'Hemma', account: 'astrid@example.com' });
    expect(() => scan('https://example.com/?secret=GEZDGNBV')).toThrow('no otpauth link');
  });
});

describe('the mail server', () => {
  let server: MailServer;
  beforeAll(async () => {
    server = await startMailServer();
  });
  afterAll(() => server.stop());

  test('receives what nodemailer sends, refuses when told to, and says what it saw', async () => {
    const transport = createTransport({
      host: '127.0.0.1',
      port: Number(new URL(server.url).port),
      socketTimeout: 1_000,
    });
    const mail = {
      from: 'hemma@example.com',
      to: 'astrid@example.com',
      subject: 'Ny kod',
      text: 'Å, Ä och Ö',
    };
    await transport.sendMail(mail);
    expect(await server.mailTo('astrid@example.com', /Ny kod/)).toMatchObject({
      subject: 'Ny kod',
      text: 'Å, Ä och Ö',
    });
    server.behave('refuse');
    await expect(transport.sendMail(mail)).rejects.toThrow('451');
    server.behave('hang');
    await expect(transport.sendMail(mail)).rejects.toThrow(/timeout/i);
    server.behave('accept');
    await transport.sendMail(mail);
    expect(server.mails).toHaveLength(2);
    transport.close();
  });
});

const FORM = `<!doctype html><html lang="sv"><title>Toy</title><main data-step="toy"><h1>Hej</h1>
  <p role="alert">Koden  stämmer inte.</p>
  <form method="post" action="/sent"><input type="hidden" name="token" value="t&amp;1"><input name="code">
    <input type="checkbox" name="remember" value="yes"><input type="radio" name="gone" value="no" checked>
    <input type="radio" name="gone" value="yes"><button name="go" value="on">Fortsätt</button>
    <button name="go" value="away">Avbryt</button></form>
  <a href="/hop">Prova ett annat sätt</a></main><script>document.title = 'Scripted'</script></html>`;

/** A site of three pages: one sends on, one has a form, one shows what it was sent. */
async function startToy() {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const { cookie, origin, 'sec-fetch-site': site } = request.headers;
      response.setHeader('content-type', 'text/html; charset=utf-8');
      if (request.url === '/hop') {
        response.writeHead(303, { location: '/form', 'set-cookie': 'hop=1; Path=/; Max-Age=60' }).end();
      } else if (request.url === '/form') {
        response
          .setHeader('set-cookie', ['seen=yes; Path=/sent; HttpOnly; Secure', 'gone=1; Max-Age=0'])
          .end(FORM);
      } else {
        response.end(
          `<main>${JSON.stringify({ body, cookie, origin, site }).replaceAll('&', '&amp;')}</main>`,
        );
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, origin: `http://localhost:${(server.address() as AddressInfo).port}` };
}

describe('people', () => {
  let toy: Awaited<ReturnType<typeof startToy>>;
  let chromium: Chromium;
  beforeAll(async () => {
    toy = await startToy();
    chromium = await startChromium();
  });
  afterAll(async () => {
    await chromium.stop();
    toy.server.closeAllConnections();
    toy.server.close();
  });
  afterEach(back);

  test('a visitor follows redirects, reads the page and sends its form like a browser', async () => {
    const visitor = newVisitor();
    const screen = await visitor.visit(`${toy.origin}/hop`);
    expect(screen.chain.map(({ status }) => status)).toEqual([303, 200]);
    expect(screen).toMatchObject({ step: 'toy', alert: 'Koden stämmer inte.', heading: 'Hej', title: 'Toy' });
    const sent = JSON.parse(
      (await visitor.submit({ code: '123 456', gone: 'yes' }, 'Avbryt')).text,
    ) as object;
    expect(sent).toEqual({
      body: 'token=t%261&code=123+456&gone=yes&go=away',
      cookie: 'seen=yes; hop=1',
      origin: toy.origin,
      site: 'same-origin',
    });
  });

  test('a visitor drops cookies that have expired, and fails in words where the page has no such thing', async () => {
    const visitor = newVisitor();
    await visitor.visit(`${toy.origin}/form`);
    await visitor.follow('Prova ett annat sätt');
    expect(visitor.cookies.headerFor(new URL(toy.origin))).toBe('hop=1');
    travel(61_000);
    expect(visitor.cookies.headerFor(new URL(toy.origin))).toBeUndefined();
    expect(() => visitor.submit({ password: 'x' })).toThrow('no form of the page has password');
    expect(() => visitor.follow('Hoppla')).toThrow('no link says Hoppla');
  });

  test('a raw request carries nothing that was not asked for', async () => {
    const answer = await newVisitor().request(`${toy.origin}/sent`, {
      method: 'POST',
      body: 'a=1',
      headers: { origin: 'https://evil.example' },
    });
    expect(answer.body).toContain('"body":"a=1","origin":"https://evil.example"}');
  });

  test('a person in a real Chromium sees the same page, with and without scripts, on any screen', async () => {
    const page = await chromium.newPerson({ locale: 'en-GB', width: 320, colorScheme: 'dark' });
    await page.goto(`${toy.origin}/form`);
    expect(await page.title()).toBe('Scripted');
    expect(
      await page.evaluate(
        '[innerWidth, navigator.language, matchMedia("(prefers-color-scheme: dark)").matches]',
      ),
    ).toEqual([320, 'en-GB', true]);
    await page.getByRole('button', { name: 'Fortsätt' }).click();
    expect(await page.locator('main').textContent()).toContain('"site":"same-origin"');
    const plain = await chromium.newPerson({ javaScript: false });
    await plain.goto(`${toy.origin}/form`);
    expect(await plain.title()).toBe('Toy');
  });

  test('axe sees what serves not everybody, and finds nothing where it was not asked', async () => {
    const page = await chromium.newPerson();
    await page.goto(`${toy.origin}/form`);
    expect(await violations(page)).toEqual(
      expect.arrayContaining(['label input[name="code"]', 'target-size a']),
    );
    expect(await violations(page, ['html-has-lang'])).toEqual([]);
  });
});

describe('the hashes of the house', () => {
  test('are those of the package, and a right secret of one hash is right for no other', async () => {
    const hasher = await createHasher(1);
    const [one, same, other] = await Promise.all(
      ['ekorre', 'ekorre', 'igelkott'].map((secret) => hasher.hash(secret)),
    );
    expect(one).not.toBe(same);
    const tried = (hash = '') => Promise.all([verify(hash, 'ekorre'), verify(hash, 'igelkott')]);
    // The package itself, which remembers nothing, judges what the house was given.
    expect([await tried(one), await tried(other)]).toEqual([
      [true, false],
      [false, true],
    ]);
    for (let time = 0; time < 2; time += 1) {
      expect(await hasher.verify(same, 'ekorre')).toBe(true);
      expect(await hasher.verify(same, 'igelkott')).toBe(false);
      expect(await hasher.verify(other, 'ekorre')).toBe(false);
      expect(await hasher.verify(undefined, 'ekorre')).toBe(false);
      expect(await hasher.verify(undefined, 'nobody has this password')).toBe(false);
    }
  });

  test('of one password in many accounts is made once per run, and by the product otherwise', async () => {
    const ready = process.env['RIG_PASSWORD_HASH'] ?? '';
    expect(await verify(ready, PASSWORD)).toBe(true);
    expect((await createHasher(1)).outdated(ready)).toBe(false);
  });
});
