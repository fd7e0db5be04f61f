import type { Context, Middleware } from 'koa';
import { isOnLocalhost } from '../../../config/settings.ts';
import type { Origin } from '../../http/request-info.ts';
import type { Db } from '../../db/database.ts';
import { readBodyBytes, isStorable, parseJsonBytes } from '../../http/storable-json.ts';
import { countForNetwork } from '../../security/sliding-budget.ts';
import { createSecret } from '../../clients/secrets.ts';
import { findClientById, createClient } from '../../clients/clients.ts';
import { buildRegistrationResponse } from './response.ts';
import type { RejectedRegistration } from './metadata.ts';
import { parseRegistration } from './metadata.ts';
import type { InitialAccessToken } from './initial-access-tokens.ts';
import { findActiveToken, consumeTokenUse } from './initial-access-tokens.ts';

const path = '/reg';

/** Where programs register themselves with a token from an administrator; discovery says so. */
export const getRegistrationEndpoint = (issuer: string): string => `${issuer}${path}`;

/** Bytes: fifty addresses and ten keys have room in them. */
const maxBodyBytes = 64 * 1024;

/**
 * Registers what a program says of itself (RFC 7591), with its secret where it keeps one, and counts the token's use, all
 * in one transaction: were a later step to fail, the secret would be lost. It is never part of the house, has no rights in the interface for programs, and from now on the console looks after it:
 * there is no RFC 7592. Undefined: the token's last use was gone meanwhile.
 */
async function registerClient(
  db: Db,
  token: InitialAccessToken,
  given: unknown,
  { origin: requestInfo, issuer }: { origin: Origin; issuer: string },
): Promise<{ registered: Record<string, unknown> } | RejectedRegistration | undefined> {
  const described = parseRegistration(given, token, { loopback: isOnLocalhost(issuer) });
  if ('error' in described) return described;
  const { client, method } = described;
  return db.transaction(async (tx) => {
    if (!(await consumeTokenUse(tx, token.id))) return undefined;
    const fault = await createClient(tx, client, { origin: requestInfo, registeredWith: token.name });
    // What is thrown gives the use back. The identifier is ours, of 96 random bits.
    if (fault) throw new Error(`${client.id} could not be registered: ${fault.fault.code}`);
    const wanted = { clientId: client.id, name: 'registration' };
    const made =
      client.authMethod === 'secret' ? await createSecret(tx, wanted, { origin: requestInfo }) : undefined;
    if (made && 'refusal' in made) throw new Error(`${client.id} got no secret: ${made.refusal}`);
    const registered = await findClientById(tx, client.id);
    if (!registered) throw new Error(`${client.id} is not there`);
    return { registered: buildRegistrationResponse(registered, method, made?.secret) };
  });
}

function respond(ctx: Context, status: number, body: Record<string, unknown>): void {
  ctx.status = status;
  ctx.body = body;
}

const respondError = (ctx: Context, status: number, error: string, description: string): void =>
  respond(ctx, status, { error, error_description: description });

/** RFC 6750 §3: one answer to a token that is wrong, used up, over or revoked, so that nobody learns which. */
function respondInvalidToken(ctx: Context, presented: boolean): void {
  ctx.set('WWW-Authenticate', `Bearer realm="Hemma"${presented ? ', error="invalid_token"' : ''}`);
  respondError(
    ctx,
    401,
    'invalid_token',
    'an initial access token from an administrator is needed that still holds',
  );
}

/** What the body says; undefined: it has been answered. */
async function readBody(ctx: Context): Promise<{ json: unknown } | undefined> {
  const malformed = (why: string, status = 400) => {
    respondError(ctx, status, 'invalid_client_metadata', why);
    return undefined;
  };
  if (!ctx.is('application/json') || ctx.get('content-encoding') !== '')
    return malformed('the body must be application/json');
  const bytes = await readBodyBytes(ctx, maxBodyBytes);
  if (!bytes) return malformed('that is more than anybody needs', 413);
  const read = parseJsonBytes(bytes);
  return read && isStorable(read.json) ? read : malformed('the body must be JSON that can be kept');
}

/** Refuses a request without a valid token, which is counted for the network that it comes from. */
async function countRefusal(db: Db, ctx: Context): Promise<void> {
  const counted = await countForNetwork(db, ctx.state.origin, 'registration');
  if (counted.allowed) return respondInvalidToken(ctx, ctx.get('authorization') !== '');
  ctx.set('Retry-After', String(counted.seconds));
  return respondError(ctx, 429, 'temporarily_unavailable', 'too many requests came from this network');
}

/** Answers one request. */
async function handleRegistration(db: Db, ctx: Context, issuer: string): Promise<void> {
  const presented = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(ctx.get('authorization'))?.[1];
  const token = presented === undefined ? undefined : await findActiveToken(db, presented);
  const body = token && (await readBody(ctx));
  const result =
    token && body && (await registerClient(db, token, body.json, { origin: ctx.state.origin, issuer }));
  if (!token || (body && !result)) await countRefusal(db, ctx);
  else if (result && 'error' in result) respondError(ctx, 400, result.error, result.description);
  else if (result) respond(ctx, 201, result.registered);
}

/**
 * The registration endpoint. Requests without a valid token are counted for the network that they come from. A valid one,
 * 256 random bits that cannot be guessed, is never held up by a neighbor's script. There is no CORS: no page of a browser has
 * such a token.
 */
export function createRegistrationMiddleware(db: Db, issuer: string): Middleware {
  return async (ctx, next) => {
    if (ctx.path !== path) return next();
    ctx.set('Cache-Control', 'no-store');
    if (ctx.method !== 'POST') {
      ctx.set('Allow', 'POST');
      return respondError(ctx, 405, 'invalid_request', 'registrations are posted');
    }
    return handleRegistration(db, ctx, issuer);
  };
}
