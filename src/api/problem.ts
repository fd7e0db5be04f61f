import type { Context } from 'koa';
import { z } from 'zod';

/**
 * Every refusal of the interface: its status and what it is in one sentence. The code is the name that stays; a sentence
 * may be put better some day.
 */
export const problemTypes = {
  // The request itself.
  'malformed-json': [400, 'The body is not JSON in UTF-8.'],
  'malformed-request': [400, 'The request holds what nobody can keep: broken text, or lists without bottom.'],
  'not-found': [404, 'There is nothing at this address.'],
  'method-not-allowed': [405, 'This address is there, but not for this method.'],
  'too-large': [413, 'The body is longer than is taken here.'],
  'unsupported-media-type': [415, 'The body is of a type that is not taken here.'],
  'foreign-host': [421, 'This request is meant for another host.'],
  invalid: [422, 'Something in the request is not as it must be: see errors.'],
  'invalid-cursor': [422, 'The cursor was not made for this list. Begin again without one.'],
  // Who asks.
  'no-token': [401, 'An access token for this interface is needed.'],
  'invalid-token': [401, 'The access token is not valid for this interface, or is no more.'],
  'sign-in-needed': [401, 'The sign-in behind the token is too weak or too long ago. Sign in again.'],
  'insufficient-scope': [403, 'The access token lacks the scope that this needs.'],
  'not-allowed': [403, 'Whoever the token stands for may not do this.'],
  'person-needed': [403, 'A person answers for this. No program can do it by itself.'],
  'beyond-reach': [403, 'The client has, or would get, API scopes that the token lacks.'],
  throttled: [429, 'That is too often. Wait a while.'],
  'too-many-requests': [429, 'Too many requests without a valid token came from this network.'],
  // Versions.
  'version-needed': [428, 'Say in If-Match which version is meant (its ETag).'],
  'changed-meanwhile': [412, 'It was changed since that version. Read it again.'],
  // People, groups, roles.
  'last-administrator': [409, 'The last administrator without limits stays.'],
  'has-account': [409, 'Somebody has an account with that address already.'],
  'group-taken': [409, 'There is a group of that name already.'],
  'no-such-group': [422, 'There is no group with that number.'],
  'group-limits-operator': [409, 'An operator looks after this group alone. Give them another first.'],
  'group-of-application': [409, 'An application names the group. Take it out there first.'],
  'no-such-person': [422, 'There is nobody with that address whom this token may see.'],
  'malformed-email': [422, 'That is not an email address.'],
  'missing-name': [422, 'A name is needed.'],
  // Help-desk cases.
  'case-closed': [409, 'The case is closed.'],
  'unknown-check': [422, 'There is no such way of making sure of a person here.'],
  'missing-note': [422, 'The note is empty.'],
  'no-checks': [409, 'Nobody has noted how the person was made sure of.'],
  'account-disabled': [409, 'The account is disabled.'],
  'address-not-verified': [409, "The account's address was never proved."],
  'no-phone-to-replace': [409, 'The account has no phone that could be replaced.'],
  'changed-recently': [409, 'Address or password changed in the last 72 hours. Wait, or begin anew.'],
  'approval-needed': [409, 'Another operator has to approve it. They have been asked.'],
  'nothing-to-approve': [409, 'Nothing waits for an approval in this case.'],
  'own-request': [409, 'Whoever asked for it cannot approve it.'],
  'code-just-sent': [429, 'A code was sent a moment ago.'],
  'too-many-codes': [429, 'The account was sent as many codes as it may be in a day.'],
  'operator-limit': [429, 'The operator has sent as many codes as they may in a day.'],
  // Applications.
  'id-taken': [409, 'There is an application with that identifier already.'],
  'managed-by-file': [409, 'A file looks after the application. Change it there.'],
  'not-ours': [
    409,
    'The console looks after some of these applications. Nothing was changed; adopt takes them over.',
  ],
  'client-keeps-no-secret': [409, 'The application proves itself without a secret.'],
  'secret-name-taken': [409, 'The application has a secret of that name already.'],
  'secrets-too-many': [409, 'The application has as many secrets as it may have.'],
  'token-name-taken': [409, 'There is an initial access token of that name already.'],
  'too-many-tokens': [409, 'There are as many initial access tokens as there may be.'],
  'resource-taken': [409, 'There is a resource server with that identifier already.'],
  'resource-in-use': [409, 'An application uses what would be gone. Take it out there first.'],
  'resource-managed-by-file': [409, 'A file looks after the resource server. Change it there.'],
  // Claims of the house's own.
  'claim-taken': [409, 'That name is taken, or there are as many claims as there may be.'],
  'claim-refused': [409, 'A claim cannot be as the file says: see errors.'],
  'scope-of-application': [409, 'An application has the scope, and nothing else belongs to it.'],
  // Files.
  'unreadable-file': [422, 'The file cannot be read: see errors.'],
  // Ourselves.
  'session-ended': [409, 'The session ended while the request was carried out.'],
  unavailable: [503, 'The service is away for a moment. Come again.'],
  trouble: [500, 'Something went wrong here. The reference finds it in the log.'],
} as const satisfies Record<string, readonly [status: number, title: string]>;
export type ProblemCode = keyof typeof problemTypes;

/** One thing that is wrong with what was sent: where, and why. */
export interface InputError {
  path: string;
  code: string;
  detail: string;
}

/** A refusal on its way out. */
export interface Problem {
  problem: ProblemCode;
  /** Until it is worth coming again. */
  seconds?: number | undefined;
  errors?: readonly InputError[];
}

/** A refusal of the domain as a refusal of the interface. */
export const toProblem = ({ code, seconds }: { code: ProblemCode; seconds?: number }): Problem => ({
  problem: code,
  seconds,
});

/** What one reads of a refusal (RFC 9457). */
export const problemSchema = z.object({
  type: z.string().meta({ description: 'Names the kind of refusal, and stays: urn:hemma:problem:<code>.' }),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  reference: z
    .string()
    .meta({ description: 'The number of the request: finds it in the log and in the audit.' }),
  errors: z
    .array(z.object({ path: z.string(), code: z.string(), detail: z.string() }))
    .optional()
    .meta({ description: 'Everything that is wrong with the input, by its place.' }),
});

export const problemType = (code: ProblemCode): string => `urn:hemma:problem:${code}`;

/** The one way in which the interface refuses. Nothing that is not in the table above leaves the house. */
export function sendProblem(ctx: Context, { problem: code, seconds, errors }: Problem): void {
  const [status, title] = problemTypes[code];
  ctx.status = status;
  ctx.state.refusal ??= code;
  ctx.set('Cache-Control', 'no-store');
  if (seconds !== undefined) ctx.set('Retry-After', String(seconds));
  ctx.body = JSON.stringify({
    type: problemType(code),
    title,
    status,
    code,
    reference: ctx.state.origin.request,
    ...(errors && errors.length > 0 ? { errors } : {}),
  });
  ctx.type = 'application/problem+json';
}

const isProblemCode = (code: string): code is ProblemCode => Object.hasOwn(problemTypes, code);

/** What a fault of the roof is here where it has no code of ours. */
const problemCodeByStatus: Partial<Record<number, ProblemCode>> = {
  400: 'malformed-request',
  404: 'not-found',
  413: 'too-large',
  503: 'unavailable',
};

/** A fault that the roof caught, as the interface tells it: by its code where it has one here, or else by its status. */
export function sendErrorProblem(ctx: Context, status: number, code: string): void {
  sendProblem(ctx, { problem: isProblemCode(code) ? code : (problemCodeByStatus[status] ?? 'trouble') });
}

/** What belongs to the interface for programs, by its address. */
export const isApiPath = (path: string): boolean => path === '/api' || path.startsWith('/api/');
