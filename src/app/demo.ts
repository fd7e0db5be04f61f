import { randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dictionary } from '@zxcvbn-ts/language-common';
import type { Settings } from '../../config/settings.ts';
import type { NewUser } from '../users/users.ts';
import { createUser } from '../users/users.ts';
import { enrollAuthenticator } from '../mfa/authenticator-enrolled.ts';
import type { ClientDescription } from '../clients/schema.ts';
import { clientSchema } from '../clients/schema.ts';
import { addSecret, findMatchingSecret, removeSecret, createSecretReader } from '../clients/secrets.ts';
import { createClient } from '../clients/clients.ts';
import { endWeakerSignIns } from '../sessions/weaker-sign-ins.ts';
import type { Db } from '../db/database.ts';
import { createHasher } from '../crypto/argon2.ts';
import type { Encryption } from '../crypto/encryption.ts';

/**
 * A town for trying Hemma out: four people and two applications, made on first start. Passwords and keys are
 * random and kept beside the data, so that no installation ever answers to a password that stands in a book.
 */
interface DemoUser {
  email: string;
  name: string;
  about: string;
  password: string;
  key?: string;
  recoveryCode?: string;
}

const demoUsers: readonly (Pick<NewUser, 'email' | 'name' | 'role'> & {
  about: string;
  enrolled: boolean;
})[] = [
  {
    email: 'anna@example.com',
    name: 'Anna Ek',
    role: 'person',
    about: 'connects a phone at first sign-in',
    enrolled: false,
  },
  {
    email: 'bo@example.com',
    name: 'Bo Lind',
    role: 'person',
    about: 'has a phone connected',
    enrolled: true,
  },
  {
    email: 'admin@example.com',
    name: 'Alma Berg',
    role: 'administrator',
    about: 'administrator',
    enrolled: false,
  },
  { email: 'helpdesk@example.com', name: 'Hugo Dal', role: 'help-desk', about: 'help desk', enrolled: false },
];

function generatePassword(): string {
  const words = dictionary['diceware-common'];
  return Array.from({ length: 4 }, () => words[randomInt(words.length)]).join('-');
}

async function createDemoUsers(db: Db, encryption: Encryption, settings: Settings): Promise<DemoUser[]> {
  const hasher = await createHasher(1);
  const brand = settings.HEMMA_BRAND_NAME;
  const made: DemoUser[] = [];
  for (const { about, enrolled, ...demoUser } of demoUsers) {
    const password = generatePassword();
    const result = await createUser(db, hasher, brand, { ...demoUser, password });
    if ('refusal' in result) continue;
    const { account: user } = result;
    const connected = enrolled
      ? await enrollAuthenticator(db, encryption, hasher, endWeakerSignIns, {
          account: user,
          brand,
          by: 'demo',
        })
      : {};
    made.push({ email: demoUser.email, name: demoUser.name, about, password, ...connected });
  }
  return made;
}

const demoClient = (id: string, name: string, origin: string): ClientDescription =>
  clientSchema.parse({
    id,
    name,
    type: 'web',
    firstParty: true,
    redirectUris: [`${origin}/callback`],
    postLogoutRedirectUris: [`${origin}/signed-out`],
    backchannelLogoutUri: `${origin}/back-channel-logout`,
    launchUrl: origin,
    allowedIntents: ['replace_authenticator', 'step_up'],
  });

async function createDemoClients(db: Db, encryption: Encryption, secret: string): Promise<void> {
  const applications = [
    demoClient('autopay', 'Autopay', 'http://localhost:3001'),
    demoClient('lon', 'Lön', 'http://localhost:3002'),
  ];
  for (const client of applications) {
    // Once made, they are the console's: what was tried out there stays.
    await createClient(db, client, {});
    if (await findMatchingSecret(createSecretReader(db), client.id, secret)) continue;
    await removeSecret(db, client.id, 'demo', {});
    await addSecret(db, client.id, 'demo', secret, encryption);
  }
}

function formatDemoUser({ email, password, about, key, recoveryCode }: DemoUser): string {
  return [
    `  ${email.padEnd(22)} ${password.padEnd(40)} ${about}`,
    ...(key ? [`    key of the phone    ${key}   (npm run --silent hemma -- totp ${key})`] : []),
    ...(recoveryCode ? [`    recovery code       ${recoveryCode}`] : []),
  ].join('\n');
}

/** Makes accounts and applications where they are missing, and answers what to print about them. */
export async function seedDemoData(db: Db, encryption: Encryption, settings: Settings): Promise<string> {
  if (settings.HEMMA_DEMO_CLIENT_SECRET)
    await createDemoClients(db, encryption, settings.HEMMA_DEMO_CLIENT_SECRET);
  const file = join(settings.HEMMA_DATA, 'demo-accounts.json');
  // On PostgreSQL nobody has made it, and passwords that cannot be kept are lost.
  mkdirSync(settings.HEMMA_DATA, { recursive: true, mode: 0o700 });
  const made = await createDemoUsers(db, encryption, settings);
  if (made.length > 0) writeFileSync(file, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600 });
  const accounts = made.length > 0 ? made : (JSON.parse(readFileSync(file, 'utf8')) as DemoUser[]);
  // What somebody changed since is theirs: nobody could print it.
  const heading =
    made.length > 0
      ? 'Demo accounts (e-mail, password):'
      : 'Demo accounts, as they were when they were made:';
  return [heading, ...accounts.map(formatDemoUser)].join('\n');
}
