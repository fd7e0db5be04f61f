import type { Origin } from '../platform/audit.ts';
import type { Db } from '../platform/database.ts';
import { network } from '../platform/http.ts';
import { countForNetwork, countSliding, forgiveForNetwork } from '../platform/sliding-budget.ts';
import { countAttempt, forgiveAttempt } from '../platform/throttle.ts';

/** A request for an emailed code by someone who has proved nothing yet. */
export interface CodeRequest {
  /** What the email address is counted by (`emailSubject`), whether a user has it or not. */
  subject: string;
  origin: Origin;
  /** The id of the browser that this user has signed in from before. */
  device: string | undefined;
}

export type CodeRequestCount = { allowed: true; requester: string } | { allowed: false; seconds: number };

/** Requests of one network for one mailbox that strangers in other networks cannot prevent, and the limit for those. */
const reserved = { requests: 2, limit: 20 };

/**
 * Counts a request for an emailed code (docs/adr/0001-throttling.md): by network first, by address second. A known browser
 * has a budget that no one else can spend. Otherwise one network can spend a small part of what a mailbox may receive
 * (ASVS 2.4.1), and the first two requests of another network still go through.
 * @returns `requester`: what the guesses at this code are counted by.
 */
export async function countCodeRequest(
  db: Db,
  { subject, origin, device }: CodeRequest,
): Promise<CodeRequestCount> {
  if (device !== undefined) {
    const requester = `device:${device}`;
    const counted = await countAttempt(db, requester, 'mail');
    return counted.allowed ? { allowed: true, requester } : counted;
  }
  const byNetwork = await countForNetwork(db, origin, 'code-request');
  if (!byNetwork.allowed) return byNetwork;
  const requester = `${subject}@${network(origin.address)}`;
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
  await forgiveAttempt(db, requester, 'mail');
  return byMailbox;
}
