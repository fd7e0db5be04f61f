/**
 * Sign-ins, refreshes and programs' tokens, one after the other on many lines, while something is done to the house. Every
 * answer is written down; what a line was refused or did not hear of it asks for anew, as people and programs do.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { exchange, type Answer } from '../rig/exchange.ts';
import { clientSchema } from '../../src/clients/schema.ts';
import { addSecret } from '../../src/clients/secrets.ts';
import { applyClient } from '../../src/clients/clients.ts';
import type { Hemma } from '../rig/hemma.ts';
import { PASSWORD } from '../rig/password.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor } from '../rig/visitor.ts';

export type Deed = 'sign-in' | 'refresh' | 'client credentials';

/** One answer as it was seen. */
export interface Seen {
  deed: Deed;
  status: number;
  /** Whether it was what the deed is for: a code, a token. */
  done: boolean;
  retryAfter: string | undefined;
  error: string | undefined;
  /** When it came, and how long it was waited for, in milliseconds. */
  at: number;
  took: number;
}

interface Caller {
  clientId: string;
  clientSecret: string;
}

export interface Town {
  issuer: string;
  /** An application of the web with `offline_access`. */
  party: RelyingParty;
  program: Caller;
  /** People who sign in with the password alone; each line of sign-ins or refreshes takes one. */
  people: readonly string[];
}

/** Registers applications and people; `account` makes an account with `PASSWORD`. */
export async function townOf(
  hemma: Pick<Hemma, 'issuer' | 'db' | 'vault'>,
  account: (wanted: { email: string; twoStepRequired: boolean }) => Promise<unknown>,
): Promise<Town> {
  const party = await startRelyingParty({
    hemma,
    description: { scopes: ['profile', 'email', 'offline_access'] },
  });
  await party.configuration();
  const people = ['astrid@example.com', 'bertil@example.com', 'cecilia@example.com', 'david@example.com'];
  for (const email of people) await account({ email, twoStepRequired: false });
  await applyClient(hemma.db, clientSchema.parse({ id: 'program', name: 'Program', type: 'service' }));
  const clientSecret = (await addSecret(hemma.db, 'program', 'test')) ?? '';
  return { issuer: hemma.issuer, party, program: { clientId: 'program', clientSecret }, people };
}

export interface BusyDay {
  seen: Seen[];
  /** Every token that an answer held and that nobody has used up, and who may ask about it. */
  tokens: Map<string, Caller>;
  /** What was taken and is good for nothing any more: codes and refresh tokens, as they were sent. */
  spent: Record<string, string>[];
  /** Lets every line finish what it is at. */
  end(): Promise<void>;
}

const basic = ({ clientId, clientSecret }: Caller) =>
  `Basic ${Buffer.from(`${clientId}:${encodeURIComponent(clientSecret)}`).toString('base64')}`;

export const ask = (
  issuer: string,
  path: string,
  fields: Record<string, string>,
  caller: Caller,
): Promise<Answer> =>
  exchange(new URL(path, issuer), {
    method: 'POST',
    headers: {
      authorization: basic(caller),
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
    },
    body: new URLSearchParams(fields).toString(),
  });

/** What an answer's JSON says, where it is any. */
export function said({ headers, body }: Answer): Record<string, unknown> {
  if (!headers['content-type']?.includes('json')) return {};
  return JSON.parse(body) as Record<string, unknown>;
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined);

/** Begins the day: two lines of sign-ins, two of refreshes, `programs` of tokens for a program. */
export function busyDay(town: Town, programs = 3): BusyDay {
  const { issuer, party, program, people } = town;
  const seen: Seen[] = [];
  const tokens = new Map<string, Caller>();
  const spent: BusyDay['spent'] = [];
  const over = new AbortController();
  const note = (auditEvent: Deed, answer: Answer, done: boolean, took = answer.took) => {
    const { status, headers } = answer;
    const error = textOf(said(answer)['error']);
    seen.push({
      deed: auditEvent,
      status,
      done,
      retryAfter: headers['retry-after'],
      error,
      at: performance.now(),
      took,
    });
    return done;
  };

  /** A code of somebody new to this browser; undefined where an answer was another. */
  async function codeOf(email: string, offline: boolean) {
    const visitor = newVisitor();
    const asked = { scope: 'openid offline_access', prompt: 'consent' };
    const begun = await party.begin(offline ? asked : {});
    let sent = performance.now();
    let screen = await visitor.visit(begun.url);
    const took = () => performance.now() - sent;
    for (const [step, fields, button] of [
      ['password', { email, password: PASSWORD }, undefined],
      ['consent', {}, 'choice=allow'],
    ] as const) {
      if (screen.step !== step) continue;
      note('sign-in', screen, screen.status === 200, took());
      sent = performance.now();
      screen = await visitor.submit(fields, button);
    }
    const code = screen.url.searchParams.get('code');
    note('sign-in', screen, screen.step === 'back' && code !== null, took());
    return { verifier: begun.verifier, code };
  }

  async function signIn(email: string, offline = false): Promise<string | undefined> {
    const { verifier, code } = await codeOf(email, offline);
    if (code === null) return undefined;
    const fields = { grant_type: 'authorization_code', redirect_uri: party.redirectUri };
    const sent = { ...fields, code, code_verifier: verifier };
    const answer = await ask(issuer, '/token', sent, party);
    if (note('sign-in', answer, answer.status === 200)) spent.push(sent);
    const access = textOf(said(answer)['access_token']);
    if (access && !offline) tokens.set(access, party);
    return textOf(said(answer)['refresh_token']);
  }

  /** Refreshes once; answers with the token to go on with. */
  async function refresh(token: string): Promise<string | undefined> {
    const sent = { grant_type: 'refresh_token', refresh_token: token };
    const answer = await ask(issuer, '/token', sent, party);
    if (answer.status === 503) {
      note('refresh', answer, false);
      return token;
    }
    if (note('refresh', answer, answer.status === 200)) spent.push(sent);
    return textOf(said(answer)['refresh_token']);
  }

  async function line(work: () => Promise<unknown>): Promise<void> {
    while (!over.signal.aborted) {
      await work();
      await wait(60);
    }
  }

  async function refreshes(email: string): Promise<void> {
    let token: string | undefined;
    await line(async () => {
      token = token === undefined ? await signIn(email, true) : await refresh(token);
    });
    if (token) tokens.set(token, party);
  }

  const clientCredentials = () =>
    line(async () => {
      const answer = await ask(issuer, '/token', { grant_type: 'client_credentials' }, program);
      note('client credentials', answer, answer.status === 200);
      const access = textOf(said(answer)['access_token']);
      if (access) tokens.set(access, program);
    });

  const [one = '', two = '', three = '', four = ''] = people;
  const lines = [
    ...[one, two].map((email) => line(() => signIn(email))),
    ...[three, four].map(refreshes),
    ...Array.from({ length: programs }, clientCredentials),
  ];
  return {
    seen,
    tokens,
    spent,
    async end() {
      over.abort();
      await Promise.all(lines);
    },
  };
}

/** Answers that are neither right nor a 503 that says when to come again; a lost answer's refresh token is spent. */
export const wrongAnswers = (seen: readonly Seen[]): Seen[] =>
  seen.filter(({ deed: auditEvent, status, done, retryAfter, error }) => {
    if (status === 503) return !(Number(retryAfter) > 0);
    return !done && !(auditEvent === 'refresh' && error === 'invalid_grant');
  });

/** Milliseconds from `since` until each kind of deed was done again; undefined where one never was. */
export function healed(seen: readonly Seen[], since: number): number | undefined {
  const auditEvents: Deed[] = ['sign-in', 'refresh', 'client credentials'];
  const times = auditEvents.map(
    (auditEvent) => seen.find((one) => one.deed === auditEvent && one.done && one.at > since)?.at,
  );
  return times.includes(undefined) ? undefined : Math.max(...times.map((at) => (at ?? 0) - since));
}

/** Those of the tokens that the provider does not know. */
export async function unknown(issuer: string, tokens: BusyDay['tokens']): Promise<string[]> {
  const lost: string[] = [];
  const left = [...tokens];
  const line = async () => {
    for (let next = left.pop(); next; next = left.pop()) {
      const [token, caller] = next;
      const answer = await ask(issuer, '/token/introspection', { token }, caller);
      if (said(answer)['active'] !== true) lost.push(token);
    }
  };
  await Promise.all([line(), line(), line(), line()]);
  return lost;
}

/** Those that were spent and are taken once more. Asked last: who tries it loses what came of them. */
export async function spentTwice({ issuer, party }: Town, { spent }: BusyDay): Promise<number> {
  let times = 0;
  for (const fields of spent) if ((await ask(issuer, '/token', fields, party)).status === 200) times += 1;
  return times;
}
