/** A scope that an application is being registered for is not taken away under it, however the two requests interleave. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { readSettings } from '../../config/settings.ts';
import { clientSchema } from '../../src/clients/schema.ts';
import { findClientById, createClient } from '../../src/clients/clients.ts';
import {
  changeCustomClaim,
  defineCustomClaim,
  removeCustomClaim,
} from '../../src/oidc/claims/custom-claims.ts';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { hold, releaseAll, untilWaiting } from './interleave.ts';
import { type DatabaseCopy, newDatabase } from '../rig/template.ts';

let copy: DatabaseCopy;
let db: Database;
beforeAll(async () => {
  copy = await newDatabase();
  const read = readSettings({ DATABASE_URL: copy.url });
  if ('faults' in read) throw new Error(read.faults.join());
  db = await openDatabase(read.settings);
});
afterEach(releaseAll);
afterAll(async () => {
  await db.close();
  await copy.drop();
});

const label = { sv: 'Avdelning', en: 'Department' };
const about = (name: string) => ({ name, scope: `of-${name}`, label, multi: false });
const ways = {
  removed: (name: string) => removeCustomClaim(db, name, {}),
  moved: async (name: string) => {
    const done = await changeCustomClaim(db, { ...about(name), scope: 'elsewhere' }, {});
    return done && 'fault' in done ? done.fault.code : undefined;
  },
};

test.each(Object.entries(ways))('a claim that is %s meanwhile stays', async (name, leave) => {
  expect(await defineCustomClaim(db, about(name), {})).toHaveProperty('claim');
  const client = clientSchema.parse({
    id: `app-${name}`,
    name: 'App',
    type: 'web',
    redirectUris: ['https://app.example/back'],
    scopes: [`of-${name}`],
  });
  // Both come as far as the audit, or to one another.
  const audit = await hold(copy.url, 'LOCK TABLE audit IN ACCESS EXCLUSIVE MODE');
  const making = createClient(db, client, {});
  await untilWaiting(copy.url, 1);
  const leaving = leave(name);
  await untilWaiting(copy.url, 2);
  await audit.release();
  expect(await Promise.all([making, leaving])).toEqual([undefined, 'scope-of-application']);
  expect((await findClientById(db, client.id))?.client.scopes).toEqual([`of-${name}`]);
});
