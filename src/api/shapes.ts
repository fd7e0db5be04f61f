import { z } from 'zod';
import { roles } from '../users/users.ts';
import { auditEventTypes } from '../audit/audit-log.ts';

/** Shapes that several endpoints share. Times are ISO 8601 in UTC; what is not there is null. */
export const instant = z.iso.datetime();
export const instantOrNull = instant.nullable();
// What can be reckoned with in every zone of time, and written in four figures again; no row is older or younger.
const isSupportedDate = (date: string): boolean => date >= '1970-01-01' && date < '9999-01-01';
/** A day, and a moment in any zone, as callers say them. */
export const dateInput: z.ZodISODate = z.iso.date().refine(isSupportedDate);
export const instantInput: z.ZodISODateTime = z.iso.datetime({ offset: true }).refine(isSupportedDate);
export const userId = z
  .uuid()
  .meta({ description: "An account's number: the `sub` of its tokens, but for pairwise applications." });
export const groupId = z.uuid().meta({ description: "A group's number." });

const pageQuery = (maxLimit: number, defaultLimit: number) => ({
  cursor: z
    .string()
    .max(700)
    .optional()
    .meta({ description: 'What the page before answered as `next`. It goes on in that very list alone.' }),
  limit: z.coerce.number().int().min(1).max(maxLimit).default(defaultLimit),
});

/** The page that is asked for. */
export const pageQueryFields: ReturnType<typeof pageQuery> = pageQuery(200, 50);

/** A page of a list. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({
    items: z.array(item),
    next: z.string().nullable().meta({ description: 'The cursor of the next page; null: this is the last.' }),
  });

/** Yes or no in an address. */
export const booleanFlag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((value) => value === 'true');

export const roleSchema = z.enum(roles);

/** A row of the audit. */
export const auditEventSchema = z.object({
  id: z.int(),
  at: instant,
  event: z.enum(auditEventTypes),
  account: userId.nullable(),
  email: z.string().nullable(),
  operator: userId.nullable().meta({ description: 'The operator who did it to the account.' }),
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

export const isoString = (time: Date): string => time.toISOString();
export const isoStringOrNull = (time: Date | null | undefined): string | null => time?.toISOString() ?? null;
