import type { EventEmitter } from 'node:events';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { AuditEvent } from '../audit/audit-log.ts';
import { isFirstOfMinute } from '../audit/audit-once.ts';
import type { Db } from '../db/database.ts';
import { DatabaseUnavailableError } from '../db/circuit-breaker.ts';
import type { Log } from '../telemetry/log.ts';
import { isBuiltInClient } from '../../config/built-in-clients.ts';
import { findErrorCause, isExpectedError } from './error-causes.ts';
import type { ClientErrorEndpoint } from './client-errors.ts';
import { recordClientError } from './client-errors.ts';
import type { UnitOfWork } from './storage/unit-of-work.ts';

type LibraryError = Error & { error_detail?: string; error_description?: string; scope?: string };

/**
 * What a library's error tells beyond its public description; made of our own configuration and the request's names.
 * The words of a parser would hold a piece of what it read, which may be anybody's.
 */
const getErrorReason = (fault: Error): string => {
  const {
    error_detail: detail,
    error_description: description = fault.message,
    cause,
  } = fault as LibraryError;
  if (cause instanceof SyntaxError) return description;
  return (
    cause instanceof Error ? `${description} (${detail ?? cause.message})` : (detail ?? description)
  ).slice(0, 200);
};

/** Different refusals of one client and user that the audit log takes in a minute. */
const maxRefusals = 5;

/** The library's event of each endpoint's refusals. */
const endpointByEvent = {
  'authorization.error': 'authorization',
  'pushed_authorization_request.error': 'pushed-request',
  'device_authorization.error': 'device-authorization',
  'grant.error': 'token',
  'introspection.error': 'introspection',
  'revocation.error': 'revocation',
  'userinfo.error': 'userinfo',
  'end_session.error': 'sign-out',
} as const satisfies Record<string, ClientErrorEndpoint>;

/** The address that a refusal is about; where it is about none, none is kept. */
function findErrorUri(ctx: KoaContextWithOIDC, { error, detail }: { error: string; detail: string }) {
  const cause = findErrorCause({ error, detail });
  const { redirect_uri: redirect, post_logout_redirect_uri: after } = ctx.oidc.params ?? {};
  const given = { 'redirect-address': redirect ?? ctx.query.redirect_uri, 'sign-out-address': after };
  const address: unknown = cause in given ? given[cause as keyof typeof given] : undefined;
  return typeof address === 'string' ? address : undefined;
}

/**
 * Turns the library's events into audit rows and log lines. They fire before this request's writes are committed,
 * so the rows wait until they are.
 */
export function recordProviderEvents(provider: Provider, db: Db, unitOfWork: UnitOfWork, log: Log): void {
  const record = (ctx: KoaContextWithOIDC, deed: Omit<AuditEvent, 'origin' | 'clientId' | 'accountId'>) => {
    const entities = ctx.oidc?.entities;
    const full: AuditEvent = {
      ...deed,
      origin: ctx.state.origin,
      clientId: ctx.oidc?.client?.clientId,
      accountId: entities?.Account?.accountId ?? ctx.oidc?.session?.accountId,
    };
    unitOfWork.note(full);
  };
  /**
   * Anybody can cause these refusals, at no cost. Of a client that exists, some different ones are recorded in a minute; all
   * others are only counted (`refused-attempts.ts`).
   */
  const recordRefused = (
    ctx: KoaContextWithOIDC,
    event: 'token.refused' | 'sign-in.refused',
    fault: Error,
  ) => {
    const detail = { error: fault.message, reason: getErrorReason(fault) };
    const { client, session, entities } = ctx.oidc ?? {};
    const accountId = entities?.Account?.accountId ?? session?.accountId ?? '';
    const group = client && `${event} ${client.clientId} ${accountId}`;
    const isFirst = group && isFirstOfMinute(db, group, `${detail.error} ${detail.reason}`, maxRefusals);
    if (isFirst) return record(ctx, { event, detail });
    if (!isExpectedError(fault.message)) ctx.state.refusedAttempt = fault.message;
  };
  // The person learns nothing of it: it is for whoever looks after the application, to see what it does wrongly.
  for (const [event, endpoint] of Object.entries(endpointByEvent)) {
    (provider as EventEmitter).on(event, (ctx: KoaContextWithOIDC, fault: LibraryError) => {
      ctx.state.refusal ??= fault.message;
      const { clientId } = ctx.oidc?.client ?? {};
      const { message: error, scope } = fault;
      if (clientId === undefined || isBuiltInClient(clientId) || isExpectedError(error)) return;
      const detail = scope === undefined ? getErrorReason(fault) : `${getErrorReason(fault)}: ${scope}`;
      const address = findErrorUri(ctx, { error, detail });
      unitOfWork.afterCommit(() => recordClientError(db, clientId, { endpoint, error, detail, address }));
    });
  }
  provider.on('grant.success', (ctx) => {
    record(ctx, { event: 'token.issued', detail: { grant: String(ctx.oidc.params?.grant_type) } });
  });
  provider.on('grant.error', (ctx, fault) => {
    // Nothing was refused: it is how an application learns the nonce for its proof (RFC 9449 §8).
    if (fault.message === 'use_dpop_nonce') return;
    // A device asks every few seconds until its person has answered: that is no refusal.
    if (fault.message === 'authorization_pending') return;
    const reused = /already (used|consumed)/.test(getErrorReason(fault));
    if (!reused) return recordRefused(ctx, 'token.refused', fault);
    record(ctx, { event: 'token.reused', detail: { error: fault.message, reason: getErrorReason(fault) } });
  });
  provider.on('grant.revoked', (ctx) => record(ctx, { event: 'grant.revoked' }));
  provider.on('authorization.error', (ctx, fault) => {
    recordRefused(ctx, 'sign-in.refused', fault);
  });
  provider.on('end_session.success', (ctx) => record(ctx, { event: 'sign-out.finished' }));
  provider.on('server_error', (ctx, fault) => {
    // The library has made an answer of it by now; the roof decides whether it is ours to give (see app.ts).
    ctx.state.fault = fault;
    if (!(fault instanceof DatabaseUnavailableError))
      log.error({ request: ctx.state.origin?.request, fault: fault.stack }, 'the provider failed');
  });
}
