/** Verifies hashes in a process of its own, when it is asked to. */
import { verifyFor } from './limit.ts';
import { serve } from './messages.ts';

serve(({ seconds, threads }: { seconds: number; threads: number }) => verifyFor(seconds, threads));
