/** A sign-in as a person does it: follows where the pages lead and answers each of them. */
import { createHash } from 'node:crypto';
import { generate } from 'otplib';
import type { HttpResponse, Browser } from './browser.ts';
import type { Credentials } from './town.ts';
import { password, webClient } from './town.ts';

/** Who signs in. */
export interface BenchUser {
  email: string;
  /** With a phone: what is in the pockets. It changes where a new phone is connected. */
  kept?: Credentials;
  /** The phone is new: the recovery code instead of the digits, then the new phone and the new code. */
  newPhone?: boolean;
}

/** As good as one made for each request, and costs the driver nothing. */
export const codeVerifier: string = 'v'.repeat(64);
const codeChallenge = createHash('sha256').update(codeVerifier).digest('base64url');

export function benchAuthorizationUrl(more: Record<string, string> = {}): string {
  const query = new URLSearchParams({
    client_id: webClient.id,
    response_type: 'code',
    redirect_uri: webClient.redirectUri,
    scope: 'openid profile email',
    state: 'state-of-the-bench',
    nonce: 'nonce-of-the-bench',
    code_challenge: codeChallenge,
    code_challenge_method: 'S256',
    ...more,
  });
  return `/auth?${query.toString()}`;
}

const extract = (body: string, pattern: RegExp, what: string): string => {
  const text = pattern.exec(body)?.[1];
  if (text === undefined) throw new Error(`no ${what} on the page: ${body.slice(0, 2000)}`);
  return text.replaceAll('&amp;', '&');
};

const totpCode = (key: string, steps = 0) => generate({ secret: key, epoch: Date.now() / 1000 + steps * 30 });

/** What a person answers on a page. */
async function formFieldsFor(step: string, body: string, person: BenchUser): Promise<Record<string, string>> {
  const { kept: credentials } = person;
  if (step === 'password') return { email: person.email, password };
  if (step === 'totp') return { code: await totpCode(credentials?.key ?? '') };
  if (step === 'recovery-code') return { code: credentials?.recoveryCode ?? '', phoneGone: 'yes' };
  if (step === 're-enrollment') {
    const key = extract(body, /data-key="([^"]+)"/, 'key');
    person.kept = { key, recoveryCode: credentials?.recoveryCode ?? '' };
    return { code: await totpCode(key) };
  }
  if (step === 'new-recovery-code') {
    const recoveryCode = extract(body, /data-recovery-code="([^"]+)"/, 'recovery code');
    person.kept = { key: credentials?.key ?? '', recoveryCode };
    return { lastGroup: recoveryCode.slice(-4) };
  }
  if (step === 'consent')
    return { choice: 'allow', asked: extract(body, /name="asked" value="([^"]*)"/, 'wish') };
  throw new Error(`nobody expected the page ${step}`);
}

async function submitPage(
  browser: Browser,
  at: string,
  { body }: HttpResponse,
  person: BenchUser,
): Promise<HttpResponse> {
  const step = extract(body, /data-step="([a-z-]+)"/, 'step');
  if (step === 'totp' && person.newPhone) return browser.get(at.replace(/totp$/, 'recovery-code'));
  const token = extract(body, /name="token" value="([^"]*)"/, 'token');
  const action = extract(body, /<form method="post" action="([^"]+)"/, 'form');
  const fields = await formFieldsFor(step, body, person);
  const answer = await browser.post(action, { token, ...fields });
  if (answer.status === 303) return answer;
  const refusal = /data-refusal="([^"]+)"/.exec(answer.body)?.[1] ?? answer.body.slice(0, 300);
  throw new Error(`${person.email} at ${step}: ${answer.status} ${refusal}`);
}

/** Begins at an address of the provider and ends back at the application; answers the code that it was sent. */
export async function runSignIn(browser: Browser, startUrl: string, person: BenchUser): Promise<string> {
  let at = startUrl;
  let answer = await browser.get(at);
  for (let nextPage = 0; nextPage < 30; nextPage += 1) {
    const { status, location } = answer;
    if (location?.startsWith(webClient.redirectUri)) {
      const { searchParams } = new URL(location);
      const code = searchParams.get('code');
      if (!code) throw new Error(`no code came back: ${searchParams.toString()}`);
      return code;
    }
    if (status === 302 || status === 303) {
      at = (location ?? '').replace(/^https?:\/\/[^/]+/, '');
      answer = await browser.get(at);
    } else if (status === 200) answer = await submitPage(browser, at, answer, person);
    else throw new Error(`${person.email} at ${at}: ${status} ${answer.body.slice(0, 300)}`);
  }
  throw new Error(`${person.email} came to no end, at ${at}`);
}
