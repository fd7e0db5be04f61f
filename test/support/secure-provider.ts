/** A provider with a production-like https issuer, its clients, and users who have enrolled an authenticator. */
import { createGroup } from '../../src/users/groups.ts';
import { type Kept, signInFirst } from '../rig/ceremony.ts';
import { seconds, travelTo } from '../rig/clock.ts';
import { freePort } from '../rig/free-port.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { startTls } from '../rig/tls.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';

export interface SecureProvider {
  hemma: Hemma;
  /** A first-party web client that may also use the device flow. */
  application: RelyingParty;
  /** A third-party client, whose scopes the user consents to. */
  thirdParty: RelyingParty;
  /** A client for the members of a group without members. */
  restricted: RelyingParty;
  stop(): Promise<void>;
}

/** Settings that an https issuer needs, in addition to those of `startBenchHemma`. */
export const productionSettings = (issuer: string): Record<string, string> => ({
  HEMMA_ISSUER: issuer,
  HEMMA_TRUSTED_PROXIES: '127.0.0.1',
  HEMMA_MAIL_FROM: 'hemma@example.com',
});

async function restrictedClient(hemma: Hemma): Promise<RelyingParty> {
  const made = await createGroup(hemma.db, 'Empty group', {});
  if ('refusal' in made) throw new Error(made.refusal);
  return startRelyingParty({ hemma, description: { name: 'Arkiv', allowedGroups: [made.group.id] } });
}

/** Starts the provider behind TLS on https://localhost. Call `stop` in `afterAll`. */
export async function startSecureProvider(): Promise<SecureProvider> {
  const port = await freePort();
  const hemma = await startHemma({ env: productionSettings(`https://localhost:${port}`) });
  const tls = await startTls(port, hemma.port);
  const application = await startRelyingParty({ hemma, description: { deviceFlow: true } });
  const consent = { name: 'Bokslut', firstParty: false, consent: 'remembered' } as const;
  const thirdParty = await startRelyingParty({ hemma, description: consent });
  const restricted = await restrictedClient(hemma);
  return {
    hemma,
    application,
    thirdParty,
    restricted,
    async stop() {
      await Promise.all([application, thirdParty, restricted].map((one) => one.stop()));
      await hemma.stop();
      await tls.stop();
    },
  };
}

/** What a test needs of a provider to create users: in this process, or two others. */
export type UserSource = Pick<Hemma, 'account'>;

let users = 0;

/** A user without an authenticator, in the seven days in which enrollment needs the password alone. */
export async function newUser(provider: UserSource): Promise<{ id: string; email: string }> {
  const email = `user-${(users += 1)}@users.example.com`;
  const { id } = await provider.account({ email });
  return { id, email };
}

export interface EnrolledUser extends Kept {
  id: string;
  email: string;
  /** The browser of the first sign-in. It is signed in. */
  visitor: Visitor;
}

/** A user who has signed in once: an authenticator is enrolled and a recovery code is active. */
export async function enrolledUser(provider: UserSource, client: RelyingParty): Promise<EnrolledUser> {
  const { id, email } = await newUser(provider);
  const visitor = newVisitor();
  const kept = await signInFirst(visitor, (await client.begin()).url, email);
  return { ...kept, id, email, visitor };
}

/** Moves the clock to the next time step, whose TOTP code was never used, and returns that code. */
export function nextCode(key: string): string {
  travelTo(new Date((Math.floor(Date.now() / seconds(30)) + 1) * seconds(30) + 500));
  return sixDigits(key);
}

/** The authorization request of one of the account area's actions. */
export function intentUrl({ issuer }: { issuer: string }, intent: string): string {
  const url = new URL('/auth', issuer);
  url.search = new URLSearchParams({
    client_id: 'hemma-account',
    response_type: 'none',
    scope: 'openid',
    redirect_uri: `${issuer}/account`,
    prompt: 'login',
    intent,
  }).toString();
  return url.href;
}
