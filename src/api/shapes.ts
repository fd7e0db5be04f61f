import { z } from 'zod';
import { roles } from '../users/users.ts';
import { auditEvents } from '../audit/audit-log.ts';

/** Shapes that several endpoints share. Times are ISO 8601 in UTC; what is not there is null. */
export const moment = z.iso.datetime();
export const momentOrNull = moment.nullable();
// What can be reckoned with in every zone of time, and written in four figures again; no row is older or younger.
const reckoned = (said: string): boolean => said >= '1970-01-01' && said < '9999-01-01';
/** A day, and a moment in any zone, as callers say them. */
export const saidDay: z.ZodISODate = z.iso.date().refine(reckoned);
export const saidMoment: z.ZodISODateTime = z.iso.datetime({ offset: true }).refine(reckoned);
export const accountId = z
  .uuid()
  .meta({ description: "An account's number: the `sub` of its tokens, but for pairwise applications." });
export const groupId = z.uuid().meta({ description: "A group's number." });

const page = (most: number, usual: number) => ({
  cursor: z
    .string()
    .max(700)
    .optional()
    .meta({ description: 'What the page before answered as `next`. It goes on in that very list alone.' }),
  limit: z.coerce.number().int().min(1).max(most).default(usual),
});

/** The page that is asked for. */
export const paged: ReturnType<typeof page> = page(200, 50);

/** A page of a list. */
export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.object({
    items: z.array(item),
    next: z.string().nullable().meta({ description: 'The cursor of the next page; null: this is the last.' }),
  });

/** Yes or no in an address. */
export const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((said) => said === 'true');

export const role = z.enum(roles);

/** A row of the audit. */
export const auditRow = z.object({
  id: z.int(),
  at: moment,
  event: z.enum(auditEvents),
  account: accountId.nullable(),
  email: z.string().nullable(),
  operator: accountId.nullable().meta({ description: 'The operator who did it to the account.' }),
  operatorEmail: z.string().nullable(),
  program: z
    .string()
    .nullable()
    .meta({ description: 'The application through which it came, where it came through this interface.' }),
  client: z.string().nullable(),
  address: z.string().nullable(),
  request: z.string().nullable(),
  detail: z.record(z.string(), z.unknown()),
});

export const iso = (time: Date): string => time.toISOString();
export const isoOrNull = (time: Date | null | undefined): string | null => time?.toISOString() ?? null;
