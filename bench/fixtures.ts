/** Makes the benchmark's town in a database of Hemma's, by the product's own functions. */
import { hash as argon2 } from '@node-rs/argon2';
import type { Settings } from '../config/settings.ts';
import { createUser } from '../src/users/users.ts';
import { enrollAuthenticator } from '../src/mfa/authenticator-enrolled.ts';
import { clientSchema } from '../src/clients/schema.ts';
import { addSecret } from '../src/clients/secrets.ts';
import { createClient } from '../src/clients/clients.ts';
import { resourceServerSchema } from '../src/clients/resource-servers/schema.ts';
import { createResourceServer } from '../src/clients/resource-servers/resource-servers.ts';
import { endWeakerSignIns } from '../src/sessions/weaker-sign-ins.ts';
import type { Database } from '../src/db/database.ts';
import { openDatabase } from '../src/db/database.ts';
import type { Hasher } from '../src/crypto/argon2.ts';
import { createHasher } from '../src/crypto/argon2.ts';
import type { Encryption } from '../src/crypto/encryption.ts';
import { createEncryption } from '../src/crypto/encryption.ts';
import type { CredentialsByEmail } from './town.ts';
import {
  argon2Cost,
  fixtureEmail,
  freeHash,
  password,
  usersPerKind,
  usersWithPhones,
  benchResource,
  serviceClient,
  signingAlg,
  webClient,
} from './town.ts';

async function createClients(db: Database, encryption: Encryption): Promise<void> {
  const described = resourceServerSchema.parse({
    id: benchResource.id,
    name: 'Orders',
    scopes: [{ name: benchResource.scope, description: 'Reads orders' }],
    signingAlg,
  });
  await createResourceServer(db, described, {});
  const applications = [
    {
      id: webClient.id,
      name: 'Bench',
      type: 'web',
      firstParty: true,
      redirectUris: [webClient.redirectUri],
      scopes: ['profile', 'email', 'offline_access'],
      signingAlg,
    },
    {
      id: serviceClient.id,
      name: 'Bench service',
      type: 'service',
      resources: [{ resource: benchResource.id, scopes: [benchResource.scope] }],
    },
  ];
  for (const application of applications) {
    const refused = await createClient(db, clientSchema.parse(application), {});
    if (refused) throw new Error(`no application: ${refused.fault.code}`);
  }
  for (const { id, secret } of [webClient, serviceClient])
    await addSecret(db, id, 'bench', secret, encryption);
}

/** What hashes in its own way and does the rest as the product does. */
const fakeHasher = async (hash: (secret: string) => string): Promise<Hasher> => ({
  ...(await createHasher(1)),
  hash: (secret) => Promise.resolve(hash(secret)),
});

async function createFixtureUser(db: Database, hasher: Hasher, email: string, twoStepRequired: boolean) {
  const wanted = { email, name: 'Åsa Ek', password, twoStepRequired };
  const made = await createUser(db, hasher, 'Bench', wanted);
  if ('refusal' in made) throw new Error(`no account for ${email}: ${made.refusal}`);
  return made.account;
}

async function createFixtureUsers(db: Database, encryption: Encryption): Promise<CredentialsByEmail> {
  // One hash for all: what is measured is how it is verified.
  const hashed = await argon2(password, argon2Cost);
  const free = await fakeHasher(freeHash);
  const slow = await fakeHasher(() => hashed);
  for (let number = 0; number < usersPerKind; number += 1) {
    await createFixtureUser(db, free, fixtureEmail('plain', number), false);
    await createFixtureUser(db, slow, fixtureEmail('hashed', number), false);
  }
  const credentials: CredentialsByEmail = {};
  for (const email of usersWithPhones) {
    const account = await createFixtureUser(db, slow, email, true);
    credentials[email] = await enrollAuthenticator(db, encryption, free, endWeakerSignIns, {
      account,
      brand: 'Bench',
      by: 'bench',
    });
  }
  return credentials;
}

/** Opens the database of a provider that runs, beside it, and hands it to `work`. */
export async function withDatabase<T>(
  settings: Settings,
  work: (db: Database, encryption: Encryption) => Promise<T>,
): Promise<T> {
  const db = await openDatabase(settings, true);
  try {
    return await work(db, createEncryption(settings.HEMMA_SECRET_KEYS ?? []));
  } finally {
    await db.close();
  }
}

/** Makes the whole town; answers what its people have in their pockets. */
export async function createFixture(db: Database, encryption: Encryption): Promise<CredentialsByEmail> {
  await createClients(db, encryption);
  const credentials = await createFixtureUsers(db, encryption);
  return credentials;
}

/** Lets six digits that were used count again: a round lasts seconds, and digits half a minute. */
export const resetTotpSteps = async (db: Database): Promise<void> => {
  await db.query('UPDATE authenticators SET last_step = 0');
};
