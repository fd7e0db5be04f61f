/** Verifies hashes in a process of its own, when it is asked to. */
import { verifyHashesFor } from './limit.ts';
import { serveRequests } from './messages.ts';

serveRequests(({ seconds, threads }: { seconds: number; threads: number }) =>
  verifyHashesFor(seconds, threads),
);
