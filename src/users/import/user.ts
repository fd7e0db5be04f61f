import { z } from 'zod';
import { matchLocale } from '../../i18n/phrases.ts';
import { normalizeEmail, isEmail } from '../users.ts';
import type { HashFault } from './foreign-hashes.ts';
import { readForeignHash } from './foreign-hashes.ts';
import type { UserField } from './rows.ts';
import { userFields } from './rows.ts';

/** What can be wrong with what stands in a row. */
export type ValueFault =
  | HashFault
  | 'not-utf8'
  | 'control-character'
  | 'malformed-value'
  | 'malformed-email'
  | 'missing-email'
  | 'missing-name'
  | 'name-too-long'
  | 'unknown-locale'
  | 'privileged-account';

const abortWith = (code: ValueFault) => ({ error: code, abort: true });

/** Text as people write it: PostgreSQL takes neither NUL nor half a letter, and a page shows no control character. */
const plainText = z
  .string({ error: 'malformed-value' satisfies ValueFault })
  .refine((text) => text.isWellFormed(), abortWith('not-utf8'))
  .refine((text) => !/\p{Cc}/u.test(text), abortWith('control-character'));

const booleanWords: ReadonlyMap<unknown, boolean> = new Map(
  [true, 'true', 'yes', 'ja', '1']
    .map((word): [unknown, boolean] => [word, true])
    .concat([false, 'false', 'no', 'nej', '0'].map((word) => [word, false])),
);

const booleanField = z
  .unknown()
  .transform((value) => booleanWords.get(typeof value === 'string' ? value.trim().toLowerCase() : value))
  .refine((meant) => meant !== undefined, abortWith('malformed-value'))
  .transform(Boolean);

/** A list, or in a cell names with `|` between; a JSON list there where a name has that sign in it. */
function parseNames(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return value.trim().startsWith('[') ? tryParseJson(value) : value.split('|');
}

function tryParseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const groupsField = z.preprocess(
  parseNames,
  z
    .array(plainText, { error: 'malformed-value' satisfies ValueFault })
    .max(50, abortWith('malformed-value'))
    .transform((names) => names.map((name) => name.trim()).filter((name) => name !== '')),
);

/** An object of texts and lists by the names of claims; in a cell the same as JSON. Which there are is known where it goes in. */
const attributesField = z.preprocess(
  (value) => (typeof value === 'string' ? tryParseJson(value) : value),
  z.record(z.string(), z.unknown(), { error: 'malformed-value' satisfies ValueFault }),
);

const hashField = z.unknown().transform((value, ctx): string => {
  const read = readForeignHash(value);
  if ('hash' in read) return read.hash;
  ctx.addIssue(read.fault);
  return z.NEVER;
});

const userValuesSchema = z.object({
  email: plainText.transform(normalizeEmail).refine(isEmail, abortWith('malformed-email')),
  name: plainText
    .transform((name) => name.normalize('NFC').trim())
    .refine((name) => name.length <= 200, abortWith('name-too-long')),
  locale: plainText
    .refine((wish) => matchLocale([wish]) !== undefined, abortWith('unknown-locale'))
    .transform((wish) => matchLocale([wish]))
    .optional(),
  // Whoever can write a file makes no administrators with it.
  role: z.literal('person', { error: 'privileged-account' satisfies ValueFault }).optional(),
  two_step_required: booleanField.optional(),
  email_verified: booleanField.optional(),
  disabled: booleanField.optional(),
  groups: groupsField.optional(),
  attributes: attributesField.optional(),
  password_hash: hashField.optional(),
});

/** An account as a row has it. */
export type UserValues = z.output<typeof userValuesSchema>;

export type UserValuesResult = { person: UserValues } | { code: ValueFault; field: UserField };

const isBlank = (value: unknown) => value === null || (typeof value === 'string' && value.trim() === '');

/** Judges what stands in a row; the first fault decides. An empty value is as good as none. */
export function validateUserValues(values: Partial<Record<UserField, unknown>>): UserValuesResult {
  const given = Object.fromEntries(
    userFields.flatMap((field) => (isBlank(values[field]) ? [] : [[field, values[field]]])),
  );
  for (const field of ['email', 'name'] as const)
    if (given[field] === undefined) return { code: `missing-${field}`, field };
  const read = userValuesSchema.safeParse(given);
  if (read.success) return { person: read.data };
  const [issue] = read.error.issues;
  return { code: issue?.message as ValueFault, field: issue?.path[0] as UserField };
}
