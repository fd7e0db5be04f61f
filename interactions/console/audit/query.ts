import { z } from 'zod';
import { auditEventTypes } from '../../../src/audit/audit-log.ts';

// Days that a date can be reckoned with; no row is older or younger.
const dateField = z
  .union([z.literal(''), z.iso.date().refine((date) => date >= '1970-01-01' && date < '9999-01-01')])
  .default('');

/** What an operator asks of the audit; the same fields filter the page and the file. */
export const auditPageQuery = z.object({
  event: z.union([z.literal(''), z.enum(auditEventTypes)]).default(''),
  account: z.string().max(254).default(''),
  operator: z.string().max(254).default(''),
  since: dateField,
  until: dateField,
});
export type AuditPageQuery = z.output<typeof auditPageQuery>;
