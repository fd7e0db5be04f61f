import type { Context } from 'koa';
import type { House } from '../context.ts';
import { accountById } from '../users/users.ts';
import type { Action, Actor, Operator } from '../users/operators.ts';
import { mayAct, operatorOf, personal } from '../users/operators.ts';
import type { ApiScope, Reach } from '../clients/resource-servers/api-scopes.ts';
import { actionsOfScopes, apiResource, isApiScope } from '../clients/resource-servers/api-scopes.ts';
import { acrOf, levelOf } from '../sessions/assurance.ts';
import { operatorLimits } from '../sessions/session-limits.ts';
import { mayUse } from '../clients/access.ts';
import type { ClientDescription } from '../clients/schema.ts';
import { clientById } from '../clients/clients.ts';
import { signInOf } from '../oidc/grants.ts';
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
  reach: Reach;
  /** When two factors were proved; undefined: nobody signed in. */
  signedInAt: Date | undefined;
}

const { longest, fresh } = operatorLimits;

/** The header says what is wrong (RFC 6750 §3): a request without a token is told nothing more than that it needs one. */
function challenge(ctx: Context, attributes: Record<string, string> = {}): void {
  const parts = Object.entries({ realm: 'Hemma', ...attributes }).map(
    ([name, value]) => `${name}="${value}"`,
  );
  ctx.set('WWW-Authenticate', `Bearer ${parts.join(', ')}`);
}

function invalidToken(ctx: Context, why = 'the token is not valid here'): Problem {
  challenge(ctx, { error: 'invalid_token', error_description: why });
  return { problem: 'invalid-token' };
}

/** The sign-in is too weak or too old: what a new one has to reach (RFC 9470 §3). */
function signInNeeded(ctx: Context, maxAge: number): Problem {
  challenge(ctx, {
    error: 'insufficient_user_authentication',
    error_description: 'a newer sign-in in two steps is needed',
    acr_values: acrOf(2),
    max_age: String(maxAge),
  });
  return { problem: 'sign-in-needed' };
}

/** From the one place where a token may stand (RFC 6750 §2.1): whatever is in body or address is none. */
const tokenIn = (ctx: Context): string | undefined =>
  /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(ctx.get('authorization'))?.[1];

interface Known {
  clientId?: string | undefined;
  aud?: string | string[] | undefined;
  scopes: Set<string>;
}

/** The application of a token that was made for this interface and for nothing else, and what it may still do here. */
async function programOf(house: House, token: Known) {
  if (token.aud !== apiResource(house.settings.HEMMA_ISSUER) || !token.clientId) return undefined;
  const known = await clientById(house.db, token.clientId);
  if (!known?.enabled) return undefined;
  const { client } = known;
  // What was taken out of its description since is gone from its tokens, too.
  const scopes = [...token.scopes].filter(isApiScope).filter((scope) => client.apiScopes.includes(scope));
  return { client, scopes: new Set(scopes) };
}

function machineOf(client: ClientDescription, scopes: ReadonlySet<ApiScope>): Caller {
  const actor = { program: client.id, actions: actionsOfScopes(scopes), group: client.apiGroup };
  const reach = { scopes, group: client.apiGroup, alone: true };
  return { actor, operator: undefined, program: client.id, scopes, reach, signedInAt: undefined };
}

const isPast = (time: Date, seconds: number): boolean => Date.now() - time.getTime() > seconds * 1000;

type PersonsToken = InstanceType<House['provider']['AccessToken']>;

/** Whether a token's session lives is asked here, once; the library's types leave this out. */
const anySession: { ignoreExpiration?: boolean } = { ignoreSessionBinding: true } as object;

/** The operator that a token stands for, by the session that it was given in: both must still be what they were. */
async function operatorFor(house: House, ctx: Context, token: PersonsToken): Promise<Caller | Problem> {
  const session = token.sessionUid ? await house.provider.Session.findByUid(token.sessionUid) : undefined;
  if (!session || session.accountId !== token.accountId) return invalidToken(ctx);
  const found = await programOf(house, token);
  if (!found || session.grantIdFor(found.client.id) !== token.grantId) return invalidToken(ctx);
  const account = await accountById(house.db, token.accountId);
  if (!account || account.disabledAt) return invalidToken(ctx);
  ctx.state.actor = { accountId: account.id };
  const { client, scopes } = found;
  if (client.allowedGroups.length > 0) {
    const compiled = await house.provider.Client.find(client.id);
    if (!(await mayUse(house.db, compiled, account.id))) return invalidToken(ctx);
  }
  const operator = operatorOf(account);
  if (!operator) return { problem: 'not-allowed' };
  // The sign-in that it was given for: one for something else, in the same browser since, makes it no younger.
  const signedInAt = signInOf(token);
  if (levelOf(session.acr) < 2 || isPast(signedInAt, longest)) return signInNeeded(ctx, longest);
  const reach = { scopes, group: operator.group, alone: false };
  return { actor: operator, operator, program: client.id, scopes, reach, signedInAt };
}

async function known(house: House, ctx: Context, value: string): Promise<Caller | Problem> {
  const { provider } = house;
  const ofPerson = await provider.AccessToken.find(value, anySession);
  const ofMachine = ofPerson ? undefined : await provider.ClientCredentials.find(value);
  // Without the proof of its key it is nobody's (RFC 9449 §7.1), and proofs are not read here.
  if ((ofPerson ?? ofMachine)?.jkt !== undefined)
    return invalidToken(ctx, 'tokens that are bound to a key (DPoP) are not taken here');
  if (ofPerson) return operatorFor(house, ctx, ofPerson);
  const found = ofMachine && (await programOf(house, ofMachine));
  if (!found || found.client.type !== 'service') return invalidToken(ctx);
  ctx.state.actor = { program: found.client.id };
  return machineOf(found.client, found.scopes);
}

/**
 * Who asks, by the token in the header. Requests without one that holds are counted for the network that they come from,
 * and after a hundred of them it waits; whoever has a token is not held up by them.
 */
export async function callerOf(house: House, ctx: Context): Promise<Caller | Problem> {
  const value = tokenIn(ctx);
  if (value === undefined) challenge(ctx);
  const caller: Caller | Problem =
    value === undefined ? { problem: 'no-token' } : await known(house, ctx, value);
  if (!('problem' in caller)) {
    ctx.state.origin.program = caller.program;
    return caller;
  }
  if (caller.problem !== 'no-token' && caller.problem !== 'invalid-token') return caller;
  const counted = await countForNetwork(house.db, ctx.state.origin, 'admin-api');
  return counted.allowed ? caller : { problem: 'too-many-requests', seconds: counted.seconds };
}

export interface Needed {
  scope: ApiScope;
  action: Action;
  /** Where one scope alone would tell too much. */
  alsoScope?: ApiScope | undefined;
  /** Whether two factors must have been proved within ten minutes, where somebody stands behind it. */
  fresh?: boolean | undefined;
}

/** Why a caller may not do such a thing at all; what it may be done to is judged beside it. */
export function turnedAway(ctx: Context, caller: Caller, needed: Needed): Problem | undefined {
  const scopes = [needed.scope, ...(needed.alsoScope ? [needed.alsoScope] : [])];
  if (!scopes.every((scope) => caller.scopes.has(scope))) {
    challenge(ctx, { error: 'insufficient_scope', scope: scopes.join(' ') });
    return { problem: 'insufficient-scope' };
  }
  if (!caller.operator && personal.has(needed.action)) return { problem: 'person-needed' };
  if (!mayAct(caller.actor, needed.action)) return { problem: 'not-allowed' };
  const { signedInAt } = caller;
  const old = signedInAt !== undefined && isPast(signedInAt, fresh);
  return needed.fresh && old ? signInNeeded(ctx, fresh) : undefined;
}
