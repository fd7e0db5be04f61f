import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { errors } from 'oidc-provider';
import type { Deed } from '../platform/audit.ts';
import { audit } from '../platform/audit.ts';
import type { Db } from '../platform/database.ts';
import type { Log } from '../platform/log.ts';
import type { RedirectKind } from './refused-redirects.ts';
import { noteRefusedRedirect } from './refused-redirects.ts';
import type { UnitOfWork } from './unit-of-work.ts';

// What a library's error tells beyond its public description; made of our own configuration and the request's names.
const reason = (fault: Error): string => {
  const { error_detail: detail, error_description: description } = fault as Error & {
    error_detail?: string;
    error_description?: string;
  };
  return (detail ?? description ?? fault.message).slice(0, 200);
};

/**
 * Turns the library's events into audit rows and log lines. They fire before this request's writes are committed,
 * so the rows wait until they are.
 */
export function listen(provider: Provider, db: Db, work: UnitOfWork, log: Log): void {
  const record = (ctx: KoaContextWithOIDC, deed: Omit<Deed, 'origin' | 'clientId' | 'accountId'>) => {
    const entities = ctx.oidc?.entities;
    const full: Deed = {
      ...deed,
      origin: ctx.state.origin,
      clientId: ctx.oidc?.client?.clientId,
      accountId: entities?.Account?.accountId ?? ctx.oidc?.session?.accountId,
    };
    work.afterCommit(() => audit(db, full));
  };
  // The person learns nothing of it: it is for whoever looks after the client, to see what they registered wrongly.
  const refusedRedirect = (ctx: KoaContextWithOIDC, kind: RedirectKind, given: unknown) => {
    const { clientId } = ctx.oidc.client ?? {};
    if (clientId === undefined || clientId.startsWith('hemma-') || typeof given !== 'string') return;
    work.afterCommit(() => noteRefusedRedirect(db, clientId, kind, given));
  };
  provider.on('pushed_authorization_request.error', (ctx, fault) => {
    if (/redirect_uri/.test(reason(fault))) refusedRedirect(ctx, 'redirect', ctx.oidc.params?.redirect_uri);
  });
  provider.on('end_session.error', (ctx, fault) => {
    if (/post_logout_redirect_uri/.test(reason(fault)))
      refusedRedirect(ctx, 'post-logout', ctx.oidc.params?.post_logout_redirect_uri);
  });
  provider.on('grant.success', (ctx) => {
    record(ctx, { event: 'token.issued', detail: { grant: String(ctx.oidc.params?.grant_type) } });
  });
  provider.on('grant.error', (ctx, fault) => {
    // Nothing was refused: it is how an application learns the nonce for its proof (RFC 9449 §8).
    if (fault.message === 'use_dpop_nonce') return;
    // A device asks every few seconds until its person has answered: that is no refusal.
    if (fault.message === 'authorization_pending') return;
    const reused = /already (used|consumed)/.test(reason(fault));
    record(ctx, {
      event: reused ? 'token.reused' : 'token.refused',
      detail: { error: fault.message, reason: reason(fault) },
    });
  });
  provider.on('grant.revoked', (ctx) => record(ctx, { event: 'grant.revoked' }));
  provider.on('authorization.error', (ctx, fault) => {
    if (fault instanceof errors.InvalidRedirectUri)
      refusedRedirect(ctx, 'redirect', ctx.oidc.params?.redirect_uri ?? ctx.query.redirect_uri);
    record(ctx, { event: 'sign-in.refused', detail: { error: fault.message, reason: reason(fault) } });
  });
  provider.on('end_session.success', (ctx) => record(ctx, { event: 'sign-out.finished' }));
  provider.on('server_error', (ctx, fault) => {
    // The library has made an answer of it by now; the roof decides whether it is ours to give (see app.ts).
    ctx.state.fault = fault;
    log.error({ request: ctx.state.origin?.request, fault: fault.stack }, 'the provider failed');
  });
}
