/** What must hold after many requests for one last redirect. */
import { expect } from '@jest/globals';
import type { Answer } from '../rig/exchange.ts';
import { newVisitor } from '../rig/visitor.ts';
import { type Finishing, goOnFrom, type Provider, type Raced } from './parallel-finish.ts';
import { accountOpenedBy, cookiesAfter, sessionSetBy } from './sign-in-cookies.ts';

/** The answer that won: it brings the session that counts. */
const winnerOf = ({ answers, sessions }: Raced, { resume }: Finishing): Answer => {
  const won = answers.find((answer) => sessionSetBy(resume, answer) === sessions[0]);
  if (!won) throw new Error('no answer brought a session');
  return won;
};

/** One session was made, and the account area lists no other. */
export async function expectOneSession(
  provider: Provider,
  finishing: Finishing,
  raced: Raced,
): Promise<void> {
  const { user, resume } = finishing;
  expect(raced.sessions.length).toBe(1);
  const kept = cookiesAfter(resume, raced.before, winnerOf(raced, finishing));
  const account = await newVisitor({ stolen: kept }).visit(provider.url('/account'));
  // The browser of the enrollment has a session of its own.
  const expected = user.visitor === finishing.visitor ? 1 : 2;
  expect(account.page.querySelectorAll('[data-session]')).toHaveLength(expected);
}

/** Whichever answer a browser sees last, it goes on, and it is signed in. */
export async function expectNoErrors(provider: Provider, finishing: Finishing, raced: Raced): Promise<void> {
  const { resume, user } = finishing;
  let kept = cookiesAfter(resume, raced.before, winnerOf(raced, finishing));
  for (const answer of raced.answers) {
    expect(answer.status).toBeLessThan(400);
    expect(await accountOpenedBy(provider, cookiesAfter(resume, kept, answer))).toBe(user.email);
    // A page is judged by its own status; a redirect of this host is followed, with what the browser has by then.
    const to = new URL(answer.headers.location ?? '', resume);
    if (answer.headers.location === undefined || to.origin !== resume.origin) continue;
    const { screen, cookies } = await goOnFrom(resume, kept, answer);
    expect([screen.status, screen.step === 'problem', screen.url.searchParams.get('error')]).toEqual([
      200,
      false,
      null,
    ]);
    kept = cookies.all();
  }
}
