/** A sign-in up to its last redirect, and that redirect asked for many times at once. */
import { at, typePassword } from '../rig/ceremony.ts';
import type { Cookie } from '../rig/cookies.ts';
import type { Answer } from '../rig/exchange.ts';
import { type Fields, fillIn } from '../rig/forms.ts';
import type { RelyingParty } from '../rig/relying-party.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { newDevice, type Device } from '../protocol/devices.ts';
import type { Hemma } from '../rig/hemma.ts';
import { type EnrolledUser, enrolledUser, intentUrl, nextCode, type UserSource } from './secure-provider.ts';
import { accountOpenedBy, cookiesAfter, sessionSetBy } from './sign-in-cookies.ts';

/** What these tests need of a provider: in this process, or two others. */
export type Provider = UserSource & Pick<Hemma, 'issuer' | 'url' | 'db'>;

/** Submits the form of the page and does not follow the answer: where a browser would go on. */
export async function submitWithoutFollowing(
  visitor: Visitor,
  fields: Fields = {},
  button?: string,
): Promise<{ answer: Answer; next: URL }> {
  const { page, url } = visitor.screen;
  const { action, body } = fillIn(page, url, fields, button);
  const answer = await visitor.request(action, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
    body: body.toString(),
  });
  return { answer, next: new URL(answer.headers.location ?? '', url) };
}

/** A browser in front of its last redirect. */
export interface Finishing {
  user: EnrolledUser;
  visitor: Visitor;
  /** The library's resume path. */
  resume: URL;
}

async function typedCode(user: EnrolledUser, visitor: Visitor): Promise<Finishing> {
  at('totp', await typePassword(visitor, user.email));
  const { answer, next } = await submitWithoutFollowing(visitor, { code: nextCode(user.key) });
  if (answer.status !== 303) throw new Error(`the code was not accepted: ${answer.status}`);
  return { user, visitor, resume: next };
}

/** An ordinary sign-in (J2). */
export async function finishingSignIn(provider: Provider, client: RelyingParty): Promise<Finishing> {
  const user = await enrolledUser(provider, client);
  const visitor = newVisitor();
  await visitor.visit((await client.begin()).url);
  return typedCode(user, visitor);
}

/** A step-up in a browser that is signed in. */
export async function finishingStepUp(provider: Provider, client: RelyingParty): Promise<Finishing> {
  const user = await enrolledUser(provider, client);
  await user.visitor.visit((await client.begin({ prompt: 'login', acr_values: 'urn:hemma:2' })).url);
  return typedCode(user, user.visitor);
}

/** An action of the account area, which ends without a code. */
export async function finishingAction(provider: Provider, client: RelyingParty): Promise<Finishing> {
  const user = await enrolledUser(provider, client);
  await user.visitor.visit(intentUrl(provider, 'step_up'));
  return typedCode(user, user.visitor);
}

/** The consent that follows a sign-in. */
export async function finishingConsent(
  provider: Provider,
  client: RelyingParty,
  thirdParty: RelyingParty,
): Promise<Finishing> {
  const user = await enrolledUser(provider, client);
  const visitor = newVisitor();
  await visitor.visit((await thirdParty.begin()).url);
  await typePassword(visitor, user.email);
  at('consent', await visitor.submit({ code: nextCode(user.key) }));
  const { next } = await submitWithoutFollowing(visitor, {}, 'choice=allow');
  return { user, visitor, resume: next };
}

/** A device that the user lets in. */
export async function finishingDevice(
  provider: Provider,
  client: RelyingParty,
): Promise<Finishing & { device: Device }> {
  const user = await enrolledUser(provider, client);
  const device = await newDevice(provider as Hemma, client);
  const visitor = newVisitor();
  await visitor.visit(provider.url('/device'));
  await visitor.submit({ user_code: device.code });
  await visitor.submit({}, 'confirm=yes');
  return { ...(await typedCode(user, visitor)), device };
}

export interface Raced {
  answers: Answer[];
  /** The cookies of the browser before. */
  before: Cookie[];
  /** Authorization codes in the answers themselves. */
  codes: string[];
  /** Those session cookies of the answers that open the account area. */
  sessions: string[];
}

const codeIn = (answer: Answer, issuer: string): string | undefined => {
  const to = new URL(answer.headers.location ?? '', issuer);
  return to.origin === issuer ? undefined : (to.searchParams.get('code') ?? undefined);
};

/** Asks for the last redirect `count` times at once, with the same cookies each time. */
export async function race(provider: Provider, { visitor, resume }: Finishing, count = 10): Promise<Raced> {
  const before = visitor.cookies.all();
  const answers = await Promise.all(
    Array.from({ length: count }, () => newVisitor({ stolen: before }).request(resume)),
  );
  const sessions: string[] = [];
  for (const answer of answers) {
    const value = sessionSetBy(resume, answer);
    const cookies = cookiesAfter(resume, before, answer);
    if (value && !sessions.includes(value) && (await accountOpenedBy(provider, cookies)))
      sessions.push(value);
  }
  const codes = answers.map((answer) => codeIn(answer, provider.issuer)).filter((code) => code !== undefined);
  return { answers, before, codes, sessions };
}

/** A browser with these cookies that gets this answer and goes where it leads. */
export async function goOnFrom(resume: URL, cookies: readonly Cookie[], answer: Answer): Promise<Visitor> {
  const visitor = newVisitor({ stolen: cookiesAfter(resume, cookies, answer) });
  await visitor.visit(new URL(answer.headers.location ?? resume.href, resume));
  return visitor;
}

/** One tab of a browser: asks for an address and goes on within the provider, with what the browser has at each request. */
async function followInTab(visitor: Visitor, from: URL): Promise<{ status: number; url: URL }> {
  let url = from;
  for (let hop = 0; hop < 10; hop++) {
    const { status, headers } = await visitor.request(url);
    if (headers.location === undefined) return { status, url };
    url = new URL(headers.location, url);
    if (url.origin !== from.origin) return { status, url };
  }
  throw new Error(`ten redirects and no page: ${url.pathname}`);
}

/** Opens an address in many tabs of one browser at once. */
export const openInTabs = (visitor: Visitor, url: URL, count = 10): Promise<{ status: number; url: URL }[]> =>
  Promise.all(Array.from({ length: count }, () => followInTab(visitor, url)));
