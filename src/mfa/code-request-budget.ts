import type { Origin } from '../http/request-info.ts';
import type { Db } from '../db/database.ts';
import { toIpNetwork } from '../http/request-info.ts';
import { countForNetwork, countSliding, forgiveForNetwork } from '../security/sliding-budget.ts';
import { countAttempt, undoAttempt } from '../security/throttle.ts';

/** A signed-in user, or someone who has proved nothing, perhaps in a browser that the user has signed in from (its id). */
export type Requester = { user: string } | { device: string | undefined };

export interface CodeRequest {
  purpose: string;
  requestedBy: Requester;
  /** What the email address is counted by (`emailThrottleSubject`), whether a user has it or not. */
  subject: string;
  origin: Origin;
}

export type CodeRequestCount = { allowed: true; requester: string } | { allowed: false; seconds: number };

/** Requests of one network for one mailbox that strangers in other networks cannot prevent, and the limit for those. */
const reserved = { requests: 2, limit: 20 };

/**
 * Counts a request for an emailed code (docs/adr/0001-throttling.md). A user who proved the password and a known browser
 * have budgets that no one else can spend.
 * @returns `requester`: what the guesses at this code are counted by.
 */
export async function countCodeRequest(db: Db, request: CodeRequest): Promise<CodeRequestCount> {
  const { purpose, requestedBy, subject } = request;
  if ('user' in requestedBy) {
    const user = `account:${requestedBy.user}`;
    // An enrollment's code goes to the user's own address. Elsewhere a user may name any, so that is counted, too.
    const own = purpose === 'enrollment';
    return countAll(db, user, own ? [`enrollment:${requestedBy.user}`] : [user, subject]);
  }
  if (requestedBy.device === undefined) return countStranger(db, request);
  const device = `device:${requestedBy.device}`;
  return countAll(db, device, [device]);
}

async function countAll(db: Db, requester: string, subjects: readonly string[]): Promise<CodeRequestCount> {
  for (const subject of subjects) {
    const counted = await countAttempt(db, subject, 'mail');
    if (!counted.allowed) return counted;
  }
  return { allowed: true, requester };
}

/**
 * By network first, by address second: one network can spend a small part of what a mailbox may receive (ASVS 2.4.1), and
 * the first two requests of another network still go through.
 */
async function countStranger(db: Db, { subject, origin }: CodeRequest): Promise<CodeRequestCount> {
  const byNetwork = await countForNetwork(db, origin, 'code-request');
  if (!byNetwork.allowed) return byNetwork;
  // A home has 256 of the networks /64: for one mailbox they are one.
  const requester = `${subject}@${toIpNetwork(origin.address, 3)}`;
  const byRequester = await countAttempt(db, requester, 'mail');
  if (!byRequester.allowed) {
    await forgiveForNetwork(db, origin, 'code-request');
    return byRequester;
  }
  const early = byRequester.failures <= reserved.requests;
  const byMailbox = await countSliding(db, subject, 'mailbox', early ? { limit: reserved.limit } : {});
  if (byMailbox.allowed) return { allowed: true, requester };
  // Nothing was sent, so nothing was used up: waiting brings the reserved requests back.
  await forgiveForNetwork(db, origin, 'code-request');
  await undoAttempt(db, requester, 'mail');
  return byMailbox;
}
