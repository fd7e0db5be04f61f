import type { Context } from 'koa';
import type { AppContext } from '../context.ts';
import { findUserById } from '../users/users.ts';
import type { Permission, Actor, Operator } from '../users/operators.ts';
import { hasPermission, toOperator, humanOnlyPermissions } from '../users/operators.ts';
import type { ApiScope, DelegationLimit } from '../clients/resource-servers/api-scopes.ts';
import { getActionsOfScopes, getApiResource, isApiScope } from '../clients/resource-servers/api-scopes.ts';
import { toAcr, parseAcr } from '../sessions/assurance.ts';
import { operatorLimits } from '../sessions/session-limits.ts';
import { canUseClient } from '../clients/access.ts';
import type { ClientDescription } from '../clients/schema.ts';
import { findClientById } from '../clients/clients.ts';
import { getSignInTime } from '../oidc/grants.ts';
import { countForNetwork } from '../security/sliding-budget.ts';
import type { Problem } from './problem.ts';

/** Who asks: somebody with a role through an application, or an application by itself. */
export interface Caller {
  actor: Actor;
  /** The person behind it; undefined: nobody, it is a machine. */
  operator: Operator | undefined;
  /** The application's identifier. */
  program: string;
  scopes: ReadonlySet<ApiScope>;
  /** What it may hand on to applications. */
  reach: DelegationLimit;
  /** When two factors were proved; undefined: nobody signed in. */
  signedInAt: Date | undefined;
}

const { longest: maxSessionSeconds, fresh: maxSignInAgeSeconds } = operatorLimits;

/** The header says what is wrong (RFC 6750 §3): a request without a token is told nothing more than that it needs one. */
function setChallenge(ctx: Context, parameters: Record<string, string> = {}): void {
  const parts = Object.entries({ realm: 'Hemma', ...parameters }).map(
    ([name, value]) => `${name}="${value}"`,
  );
  ctx.set('WWW-Authenticate', `Bearer ${parts.join(', ')}`);
}

function rejectToken(ctx: Context, description = 'the token is not valid here'): Problem {
  setChallenge(ctx, { error: 'invalid_token', error_description: description });
  return { problem: 'invalid-token' };
}

/** The sign-in is too weak or too old: what a new one has to reach (RFC 9470 §3). */
function requireStepUp(ctx: Context, maxAge: number): Problem {
  setChallenge(ctx, {
    error: 'insufficient_user_authentication',
    error_description: 'a newer sign-in in two steps is needed',
    acr_values: toAcr(2),
    max_age: String(maxAge),
  });
  return { problem: 'sign-in-needed' };
}

/** From the one place where a token may stand (RFC 6750 §2.1): whatever is in body or address is none. */
const bearerToken = (ctx: Context): string | undefined =>
  /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(ctx.get('authorization'))?.[1];

interface TokenDetails {
  clientId?: string | undefined;
  aud?: string | string[] | undefined;
  scopes: Set<string>;
}

/** The application of a token that was made for this interface and for nothing else, and what it may still do here. */
async function findTokenClient(context: AppContext, token: TokenDetails) {
  if (token.aud !== getApiResource(context.settings.HEMMA_ISSUER) || !token.clientId) return undefined;
  const registered = await findClientById(context.db, token.clientId);
  if (!registered?.enabled) return undefined;
  const { client } = registered;
  // What was taken out of its description since is gone from its tokens, too.
  const scopes = [...token.scopes].filter(isApiScope).filter((scope) => client.apiScopes.includes(scope));
  return { client, scopes: new Set(scopes) };
}

function serviceAccountCaller(client: ClientDescription, scopes: ReadonlySet<ApiScope>): Caller {
  const actor = { program: client.id, actions: getActionsOfScopes(scopes), group: client.apiGroup };
  const reach = { scopes, group: client.apiGroup, alone: true };
  return { actor, operator: undefined, program: client.id, scopes, reach, signedInAt: undefined };
}

const isOlderThan = (time: Date, seconds: number): boolean => Date.now() - time.getTime() > seconds * 1000;

type OperatorToken = InstanceType<AppContext['provider']['AccessToken']>;

/** Whether a token's session lives is asked here, once; the library's types leave this out. */
const ignoreSessionBinding: { ignoreExpiration?: boolean } = { ignoreSessionBinding: true } as object;

/** The operator that a token stands for, by the session that it was given in: both must still be what they were. */
async function operatorCaller(
  context: AppContext,
  ctx: Context,
  token: OperatorToken,
): Promise<Caller | Problem> {
  const session = token.sessionUid ? await context.provider.Session.findByUid(token.sessionUid) : undefined;
  if (!session || session.accountId !== token.accountId) return rejectToken(ctx);
  const found = await findTokenClient(context, token);
  if (!found || session.grantIdFor(found.client.id) !== token.grantId) return rejectToken(ctx);
  const user = await findUserById(context.db, token.accountId);
  if (!user || user.disabledAt) return rejectToken(ctx);
  ctx.state.actor = { accountId: user.id };
  const { client, scopes } = found;
  if (client.allowedGroups.length > 0) {
    const compiled = await context.provider.Client.find(client.id);
    if (!(await canUseClient(context.db, compiled, user.id))) return rejectToken(ctx);
  }
  const operator = toOperator(user);
  if (!operator) return { problem: 'not-allowed' };
  // The sign-in that it was given for: one for something else, in the same browser since, makes it no younger.
  const signedInAt = getSignInTime(token);
  if (parseAcr(session.acr) < 2 || isOlderThan(signedInAt, maxSessionSeconds))
    return requireStepUp(ctx, maxSessionSeconds);
  const reach = { scopes, group: operator.group, alone: false };
  return { actor: operator, operator, program: client.id, scopes, reach, signedInAt };
}

async function findCaller(context: AppContext, ctx: Context, value: string): Promise<Caller | Problem> {
  const { provider } = context;
  const operatorToken = await provider.AccessToken.find(value, ignoreSessionBinding);
  const serviceToken = operatorToken ? undefined : await provider.ClientCredentials.find(value);
  // Without the proof of its key it is nobody's (RFC 9449 §7.1), and proofs are not read here.
  if ((operatorToken ?? serviceToken)?.jkt !== undefined)
    return rejectToken(ctx, 'tokens that are bound to a key (DPoP) are not taken here');
  if (operatorToken) return operatorCaller(context, ctx, operatorToken);
  const found = serviceToken && (await findTokenClient(context, serviceToken));
  if (!found || found.client.type !== 'service') return rejectToken(ctx);
  ctx.state.actor = { program: found.client.id };
  return serviceAccountCaller(found.client, found.scopes);
}

/**
 * Who asks, by the token in the header. Requests without one that holds are counted for the network that they come from,
 * and after a hundred of them it waits; whoever has a token is not held up by them.
 */
export async function authenticateCaller(context: AppContext, ctx: Context): Promise<Caller | Problem> {
  const token = bearerToken(ctx);
  if (token === undefined) setChallenge(ctx);
  const caller: Caller | Problem =
    token === undefined ? { problem: 'no-token' } : await findCaller(context, ctx, token);
  if (!('problem' in caller)) {
    ctx.state.origin.program = caller.program;
    return caller;
  }
  if (caller.problem !== 'no-token' && caller.problem !== 'invalid-token') return caller;
  const attempt = await countForNetwork(context.db, ctx.state.origin, 'admin-api');
  return attempt.allowed ? caller : { problem: 'too-many-requests', seconds: attempt.seconds };
}

export interface RequiredAccess {
  scope: ApiScope;
  action: Permission;
  /** Where one scope alone would tell too much. */
  alsoScope?: ApiScope | undefined;
  /** Whether two factors must have been proved within ten minutes, where somebody stands behind it. */
  fresh?: boolean | undefined;
}

/** Why a caller may not do such a thing at all; what it may be done to is judged beside it. */
export function checkAccess(ctx: Context, caller: Caller, required: RequiredAccess): Problem | undefined {
  const scopes = [required.scope, ...(required.alsoScope ? [required.alsoScope] : [])];
  if (!scopes.every((scope) => caller.scopes.has(scope))) {
    setChallenge(ctx, { error: 'insufficient_scope', scope: scopes.join(' ') });
    return { problem: 'insufficient-scope' };
  }
  if (!caller.operator && humanOnlyPermissions.has(required.action)) return { problem: 'person-needed' };
  if (!hasPermission(caller.actor, required.action)) return { problem: 'not-allowed' };
  const { signedInAt } = caller;
  const isStale = signedInAt !== undefined && isOlderThan(signedInAt, maxSignInAgeSeconds);
  return required.fresh && isStale ? requireStepUp(ctx, maxSignInAgeSeconds) : undefined;
}
