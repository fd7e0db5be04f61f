/** Makes the benchmark's town in a database of Hemma's, by the product's own functions. */
import { hash as argon2 } from '@node-rs/argon2';
import type { Settings } from '../config/settings.ts';
import { createAccount } from '../src/users/users.ts';
import { connectPhone } from '../src/mfa/authenticator-enrolled.ts';
import { clientSchema } from '../src/clients/schema.ts';
import { addSecret } from '../src/clients/secrets.ts';
import { createClient } from '../src/clients/clients.ts';
import { resourceServerSchema } from '../src/clients/resource-servers/schema.ts';
import { createResourceServer } from '../src/clients/resource-servers/resource-servers.ts';
import { endWeakerSignIns } from '../src/sessions/weaker-sign-ins.ts';
import type { Database } from '../src/db/database.ts';
import { openDatabase } from '../src/db/database.ts';
import type { Hasher } from '../src/crypto/argon2.ts';
import { hasherOf } from '../src/crypto/argon2.ts';
import type { Vault } from '../src/crypto/encryption.ts';
import { vaultOf } from '../src/crypto/encryption.ts';
import type { Pockets } from './town.ts';
import {
  cost,
  emailOf,
  freeHash,
  password,
  peopleOfAKind,
  withPhones,
  resource,
  service,
  signingAlg,
  web,
} from './town.ts';

async function makeApplications(db: Database, vault: Vault): Promise<void> {
  const described = resourceServerSchema.parse({
    id: resource.id,
    name: 'Orders',
    scopes: [{ name: resource.scope, description: 'Reads orders' }],
    signingAlg,
  });
  await createResourceServer(db, described, {});
  const applications = [
    {
      id: web.id,
      name: 'Bench',
      type: 'web',
      firstParty: true,
      redirectUris: [web.redirectUri],
      scopes: ['profile', 'email', 'offline_access'],
      signingAlg,
    },
    {
      id: service.id,
      name: 'Bench service',
      type: 'service',
      resources: [{ resource: resource.id, scopes: [resource.scope] }],
    },
  ];
  for (const application of applications) {
    const refused = await createClient(db, clientSchema.parse(application), {});
    if (refused) throw new Error(`no application: ${refused.fault.code}`);
  }
  for (const { id, secret } of [web, service]) await addSecret(db, id, 'bench', secret, vault);
}

/** What hashes in its own way and does the rest as the product does. */
const hasherTo = async (hash: (secret: string) => string): Promise<Hasher> => ({
  ...(await hasherOf(1)),
  hash: (secret) => Promise.resolve(hash(secret)),
});

async function person(db: Database, hasher: Hasher, email: string, twoStepRequired: boolean) {
  const wanted = { email, name: 'Åsa Ek', password, twoStepRequired };
  const made = await createAccount(db, hasher, 'Bench', wanted);
  if ('refusal' in made) throw new Error(`no account for ${email}: ${made.refusal}`);
  return made.account;
}

async function makePeople(db: Database, vault: Vault): Promise<Pockets> {
  // One hash for all: what is measured is how it is verified.
  const hashed = await argon2(password, cost);
  const free = await hasherTo(freeHash);
  const slow = await hasherTo(() => hashed);
  for (let number = 0; number < peopleOfAKind; number += 1) {
    await person(db, free, emailOf('plain', number), false);
    await person(db, slow, emailOf('hashed', number), false);
  }
  const pockets: Pockets = {};
  for (const email of withPhones) {
    const account = await person(db, slow, email, true);
    pockets[email] = await connectPhone(db, vault, free, endWeakerSignIns, {
      account,
      brand: 'Bench',
      by: 'bench',
    });
  }
  return pockets;
}

/** Opens the database of a provider that runs, beside it, and hands it to `work`. */
export async function beside<T>(
  settings: Settings,
  work: (db: Database, vault: Vault) => Promise<T>,
): Promise<T> {
  const db = await openDatabase(settings, true);
  try {
    return await work(db, vaultOf(settings.HEMMA_SECRET_KEYS ?? []));
  } finally {
    await db.close();
  }
}

/** Makes the whole town; answers what its people have in their pockets. */
export async function makeTown(db: Database, vault: Vault): Promise<Pockets> {
  await makeApplications(db, vault);
  const pockets = await makePeople(db, vault);
  return pockets;
}

/** Lets six digits that were used count again: a round lasts seconds, and digits half a minute. */
export const forgetDigits = async (db: Database): Promise<void> => {
  await db.query('UPDATE authenticators SET last_step = 0');
};
