/** A sign-in as a person does it: follows where the pages lead and answers each of them. */
import { createHash } from 'node:crypto';
import { generate } from 'otplib';
import type { Answer, Browser } from './browser.ts';
import type { Kept } from './town.ts';
import { password, web } from './town.ts';

/** Who signs in. */
export interface Person {
  email: string;
  /** With a phone: what is in the pockets. It changes where a new phone is connected. */
  kept?: Kept;
  /** The phone is new: the recovery code instead of the digits, then the new phone and the new code. */
  newPhone?: boolean;
}

/** As good as one made for each request, and costs the driver nothing. */
export const codeVerifier: string = 'v'.repeat(64);
const challenge = createHash('sha256').update(codeVerifier).digest('base64url');

export function authUrl(more: Record<string, string> = {}): string {
  const query = new URLSearchParams({
    client_id: web.id,
    response_type: 'code',
    redirect_uri: web.redirectUri,
    scope: 'openid profile email',
    state: 'state-of-the-bench',
    nonce: 'nonce-of-the-bench',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...more,
  });
  return `/auth?${query.toString()}`;
}

const found = (body: string, pattern: RegExp, what: string): string => {
  const text = pattern.exec(body)?.[1];
  if (text === undefined) throw new Error(`no ${what} on the page: ${body.slice(0, 2000)}`);
  return text.replaceAll('&amp;', '&');
};

const digits = (key: string, steps = 0) => generate({ secret: key, epoch: Date.now() / 1000 + steps * 30 });

/** What a person answers on a page. */
async function answerTo(step: string, body: string, person: Person): Promise<Record<string, string>> {
  const { kept } = person;
  if (step === 'password') return { email: person.email, password };
  if (step === 'totp') return { code: await digits(kept?.key ?? '') };
  if (step === 'recovery-code') return { code: kept?.recoveryCode ?? '', phoneGone: 'yes' };
  if (step === 're-enrollment') {
    const key = found(body, /data-key="([^"]+)"/, 'key');
    person.kept = { key, recoveryCode: kept?.recoveryCode ?? '' };
    return { code: await digits(key) };
  }
  if (step === 'new-recovery-code') {
    const recoveryCode = found(body, /data-recovery-code="([^"]+)"/, 'recovery code');
    person.kept = { key: kept?.key ?? '', recoveryCode };
    return { lastGroup: recoveryCode.slice(-4) };
  }
  if (step === 'consent')
    return { choice: 'allow', asked: found(body, /name="asked" value="([^"]*)"/, 'wish') };
  throw new Error(`nobody expected the page ${step}`);
}

async function answerPage(browser: Browser, at: string, { body }: Answer, person: Person): Promise<Answer> {
  const step = found(body, /data-step="([a-z-]+)"/, 'step');
  if (step === 'totp' && person.newPhone) return browser.get(at.replace(/totp$/, 'recovery-code'));
  const token = found(body, /name="token" value="([^"]*)"/, 'token');
  const action = found(body, /<form method="post" action="([^"]+)"/, 'form');
  const fields = await answerTo(step, body, person);
  const answer = await browser.post(action, { token, ...fields });
  if (answer.status === 303) return answer;
  const refusal = /data-refusal="([^"]+)"/.exec(answer.body)?.[1] ?? answer.body.slice(0, 300);
  throw new Error(`${person.email} at ${step}: ${answer.status} ${refusal}`);
}

/** Begins at an address of the provider and ends back at the application; answers the code that it was sent. */
export async function signIn(browser: Browser, begin: string, person: Person): Promise<string> {
  let at = begin;
  let answer = await browser.get(at);
  for (let move = 0; move < 30; move += 1) {
    const { status, location } = answer;
    if (location?.startsWith(web.redirectUri)) {
      const { searchParams } = new URL(location);
      const code = searchParams.get('code');
      if (!code) throw new Error(`no code came back: ${searchParams.toString()}`);
      return code;
    }
    if (status === 302 || status === 303) {
      at = (location ?? '').replace(/^https?:\/\/[^/]+/, '');
      answer = await browser.get(at);
    } else if (status === 200) answer = await answerPage(browser, at, answer, person);
    else throw new Error(`${person.email} at ${at}: ${status} ${answer.body.slice(0, 300)}`);
  }
  throw new Error(`${person.email} came to no end, at ${at}`);
}
