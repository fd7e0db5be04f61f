import { randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dictionary } from '@zxcvbn-ts/language-common';
import type { Settings } from '../../config/settings.ts';
import type { NewAccount } from '../users/users.ts';
import { createAccount } from '../users/users.ts';
import { connectPhone } from '../mfa/authenticator-enrolled.ts';
import type { ClientDescription } from '../clients/schema.ts';
import { clientSchema } from '../clients/schema.ts';
import { addSecret, matchingSecret, removeSecret, storedSecrets } from '../clients/secrets.ts';
import { createClient } from '../clients/clients.ts';
import { endWeakerSignIns } from '../sessions/weaker-sign-ins.ts';
import type { Db } from '../db/database.ts';
import { hasherOf } from '../crypto/argon2.ts';
import type { Vault } from '../crypto/encryption.ts';

/**
 * A town for trying Hemma out: four people and two applications, made on first start. Passwords and keys are
 * random and kept beside the data, so that no installation ever answers to a password that stands in a book.
 */
interface DemoAccount {
  email: string;
  name: string;
  about: string;
  password: string;
  key?: string;
  recoveryCode?: string;
}

const people: readonly (Pick<NewAccount, 'email' | 'name' | 'role'> & {
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

function newPassword(): string {
  const words = dictionary['diceware-common'];
  return Array.from({ length: 4 }, () => words[randomInt(words.length)]).join('-');
}

async function makeAccounts(db: Db, vault: Vault, settings: Settings): Promise<DemoAccount[]> {
  const hasher = await hasherOf(1);
  const brand = settings.HEMMA_BRAND_NAME;
  const made: DemoAccount[] = [];
  for (const { about, enrolled, ...person } of people) {
    const password = newPassword();
    const result = await createAccount(db, hasher, brand, { ...person, password });
    if ('refusal' in result) continue;
    const { account } = result;
    const connected = enrolled
      ? await connectPhone(db, vault, hasher, endWeakerSignIns, { account, brand, by: 'demo' })
      : {};
    made.push({ email: person.email, name: person.name, about, password, ...connected });
  }
  return made;
}

const application = (id: string, name: string, at: string): ClientDescription =>
  clientSchema.parse({
    id,
    name,
    type: 'web',
    firstParty: true,
    redirectUris: [`${at}/callback`],
    postLogoutRedirectUris: [`${at}/signed-out`],
    backchannelLogoutUri: `${at}/back-channel-logout`,
    launchUrl: at,
    allowedIntents: ['replace_authenticator', 'step_up'],
  });

async function makeApplications(db: Db, vault: Vault, secret: string): Promise<void> {
  const applications = [
    application('autopay', 'Autopay', 'http://localhost:3001'),
    application('lon', 'Lön', 'http://localhost:3002'),
  ];
  for (const client of applications) {
    // Once made, they are the console's: what was tried out there stays.
    await createClient(db, client, {});
    if (await matchingSecret(storedSecrets(db), client.id, secret)) continue;
    await removeSecret(db, client.id, 'demo', {});
    await addSecret(db, client.id, 'demo', secret, vault);
  }
}

function printed({ email, password, about, key, recoveryCode }: DemoAccount): string {
  return [
    `  ${email.padEnd(22)} ${password.padEnd(40)} ${about}`,
    ...(key ? [`    key of the phone    ${key}   (npm run --silent hemma -- totp ${key})`] : []),
    ...(recoveryCode ? [`    recovery code       ${recoveryCode}`] : []),
  ].join('\n');
}

/** Makes accounts and applications where they are missing, and answers what to print about them. */
export async function seedDemo(db: Db, vault: Vault, settings: Settings): Promise<string> {
  if (settings.HEMMA_DEMO_CLIENT_SECRET) await makeApplications(db, vault, settings.HEMMA_DEMO_CLIENT_SECRET);
  const file = join(settings.HEMMA_DATA, 'demo-accounts.json');
  // On PostgreSQL nobody has made it, and passwords that cannot be kept are lost.
  mkdirSync(settings.HEMMA_DATA, { recursive: true, mode: 0o700 });
  const made = await makeAccounts(db, vault, settings);
  if (made.length > 0) writeFileSync(file, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600 });
  const accounts = made.length > 0 ? made : (JSON.parse(readFileSync(file, 'utf8')) as DemoAccount[]);
  // What somebody changed since is theirs: nobody could print it.
  const heading =
    made.length > 0
      ? 'Demo accounts (e-mail, password):'
      : 'Demo accounts, as they were when they were made:';
  return [heading, ...accounts.map(printed)].join('\n');
}
