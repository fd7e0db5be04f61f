import { z } from 'zod';
import { matchLocale } from '../../i18n/phrases.ts';
import { emailKey, isEmail } from '../users.ts';
import type { HashFault } from './foreign-hashes.ts';
import { readForeignHash } from './foreign-hashes.ts';
import type { Field } from './rows.ts';
import { fields } from './rows.ts';

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

const fault = (code: ValueFault) => ({ error: code, abort: true });

/** Text as people write it: PostgreSQL takes neither NUL nor half a letter, and a page shows no control character. */
const plain = z
  .string({ error: 'malformed-value' satisfies ValueFault })
  .refine((text) => text.isWellFormed(), fault('not-utf8'))
  .refine((text) => !/\p{Cc}/u.test(text), fault('control-character'));

const meanings: ReadonlyMap<unknown, boolean> = new Map(
  [true, 'true', 'yes', 'ja', '1']
    .map((word): [unknown, boolean] => [word, true])
    .concat([false, 'false', 'no', 'nej', '0'].map((word) => [word, false])),
);

const flag = z
  .unknown()
  .transform((value) => meanings.get(typeof value === 'string' ? value.trim().toLowerCase() : value))
  .refine((meant) => meant !== undefined, fault('malformed-value'))
  .transform(Boolean);

/** A list, or in a cell names with `|` between; a JSON list there where a name has that sign in it. */
function namesOf(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return value.trim().startsWith('[') ? jsonIn(value) : value.split('|');
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const groups = z.preprocess(
  namesOf,
  z
    .array(plain, { error: 'malformed-value' satisfies ValueFault })
    .max(50, fault('malformed-value'))
    .transform((names) => names.map((name) => name.trim()).filter((name) => name !== '')),
);

/** An object of texts and lists by the names of claims; in a cell the same as JSON. Which there are is known where it goes in. */
const attributes = z.preprocess(
  (value) => (typeof value === 'string' ? jsonIn(value) : value),
  z.record(z.string(), z.unknown(), { error: 'malformed-value' satisfies ValueFault }),
);

const hash = z.unknown().transform((value, ctx): string => {
  const read = readForeignHash(value);
  if ('hash' in read) return read.hash;
  ctx.addIssue(read.fault);
  return z.NEVER;
});

const person = z.object({
  email: plain.transform(emailKey).refine(isEmail, fault('malformed-email')),
  name: plain
    .transform((name) => name.normalize('NFC').trim())
    .refine((name) => name.length <= 200, fault('name-too-long')),
  locale: plain
    .refine((wish) => matchLocale([wish]) !== undefined, fault('unknown-locale'))
    .transform((wish) => matchLocale([wish]))
    .optional(),
  // Whoever can write a file makes no administrators with it.
  role: z.literal('person', { error: 'privileged-account' satisfies ValueFault }).optional(),
  two_step_required: flag.optional(),
  email_verified: flag.optional(),
  disabled: flag.optional(),
  groups: groups.optional(),
  attributes: attributes.optional(),
  password_hash: hash.optional(),
});

/** An account as a row has it. */
export type Person = z.output<typeof person>;

export type Judged = { person: Person } | { code: ValueFault; field: Field };

const isBlank = (value: unknown) => value === null || (typeof value === 'string' && value.trim() === '');

/** Judges what stands in a row; the first fault decides. An empty value is as good as none. */
export function judgePerson(values: Partial<Record<Field, unknown>>): Judged {
  const given = Object.fromEntries(
    fields.flatMap((field) => (isBlank(values[field]) ? [] : [[field, values[field]]])),
  );
  for (const field of ['email', 'name'] as const)
    if (given[field] === undefined) return { code: `missing-${field}`, field };
  const read = person.safeParse(given);
  if (read.success) return { person: read.data };
  const [issue] = read.error.issues;
  return { code: issue?.message as ValueFault, field: issue?.path[0] as Field };
}
