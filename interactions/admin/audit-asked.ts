import { z } from 'zod';
import { auditEvents } from '../../src/platform/audit.ts';

const day = z.union([z.literal(''), z.iso.date()]).default('');

/** What an operator asks of the audit; the same fields filter the page and the file. */
export const askedOfAudit = z.object({
  event: z.union([z.literal(''), z.enum(auditEvents)]).default(''),
  account: z.string().max(254).default(''),
  since: day,
  until: day,
});
export type AskedOfAudit = z.output<typeof askedOfAudit>;
