/** What is left when a deed is done and its request is not, and the last page of a deleted account. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { openWith } from '../races/two-processes.ts';
import { back } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor } from '../rig/visitor.ts';
import { deedUrl, newPerson, proveBoth } from './people.ts';
import { recorded } from './recorded.ts';
import { click } from './clicks.ts';

let hemma: Hemma;
let party: RelyingParty;

beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma });
});
afterEach(back);
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});

const person = (name: string) => newPerson(hemma, party, `${name}@example.com`);

test('the last page of a deleted account offers nothing to cancel', async () => {
  const owner = await person('astrid');
  const browser = newVisitor();
  await proveBoth(browser, deedUrl(hemma, 'delete_account'), owner);
  const screen = await browser.submit({ email: owner.email }, 'choice=do');
  expect(screen.step).toBe('account-deleted');
  expect(screen.page.querySelectorAll('button[value=decline]').length).toBe(0);
});

test('applications hear that sessions ended, also where the request that ended them fails afterwards', async () => {
  const owner = await person('bertil');
  const browser = newVisitor();
  await proveBoth(browser, deedUrl(hemma, 'change_password'), owner);
  const before = party.logoutTokens.length;
  await hemma.db.query(
    `CREATE FUNCTION falls() RETURNS trigger LANGUAGE plpgsql AS $body$
     BEGIN IF NEW.payload ? 'result' THEN RAISE EXCEPTION 'it falls'; END IF; RETURN NEW; END $body$`,
  );
  await hemma.db.query(
    'CREATE TRIGGER falls BEFORE INSERT OR UPDATE ON oidc_records FOR EACH ROW EXECUTE FUNCTION falls()',
  );
  const { status } = await click(browser, { password: 'en helt annan sjö' });
  await hemma.db.query('DROP TRIGGER falls ON oidc_records');
  expect(status).toBe(500);
  expect(await recorded(hemma, 'password.changed', owner.id)).toBe(1);
  expect(await party.told(1, before)).toHaveLength(1);
});

test('what is announced in a transaction is heard after its commit, once, and not where it rolled back', async () => {
  const db = await openWith(hemma.env);
  const heard: string[] = [];
  const topicOf = (name: string) => ({ name, everywhere: false });
  const [rolledBack, committed] = [topicOf('rolled back'), topicOf('committed')];
  for (const topic of [rolledBack, committed]) db.hear(topic, () => void heard.push(topic.name));
  await db
    .transaction(async (open) => {
      await open.announce(rolledBack);
      return open.query('SELECT 1 / 0');
    })
    .catch(() => undefined);
  await db.transaction(async (open) => {
    await open.transaction((joined) => joined.announce(committed));
    await open.announce(committed);
    expect(heard).toEqual([]);
  });
  expect(heard).toEqual(['committed']);
  await db.close();
});
