import type { Configuration, KoaContextWithOIDC } from 'oidc-provider';
import { errors, Provider } from 'oidc-provider';
import { findUserById } from '../users/users.ts';
import { describeUserAgent } from '../users/devices.ts';
import { deviceAuthorizedMail } from '../mail/templates/device.ts';
import type { EnqueueMail } from '../mail/outbox.ts';
import { recordAuditEvent } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { toIpNetwork, isSameOriginRequest } from '../http/request-info.ts';
import { countForNetwork, forgiveForNetwork } from '../security/sliding-budget.ts';
import { countAttempt, undoAttempt } from '../security/throttle.ts';
import { recordDevicePoll, devicePollSeconds } from '../sessions/records.ts';
import type { UnitOfWork } from './storage/unit-of-work.ts';

/**
 * The device flow (RFC 8628): a device without a browser shows a code, its person types that in a browser of theirs,
 * signs in by the ordinary steps and says yes. The known attack is to talk somebody into typing a stranger's code, so a
 * link never acts by itself, and what a code is for is shown before anything is asked.
 */

/** Seconds that a code lives. */
export const deviceCodeSeconds = 600;

/** Why a person's code was not taken; the code is the phrase key. */
export type DeviceRefusal =
  | {
      code:
        | 'missing-user-code'
        | 'wrong-user-code'
        | 'expired-user-code'
        | 'device-sign-in-ended'
        | 'form-expired';
      /** What was typed. */
      typed?: string | undefined;
    }
  | { code: 'throttled'; seconds: number; typed?: undefined };

/** What a person is asked to confirm. */
export interface DeviceConfirmation {
  clientName: string;
  /** As the device shows it. */
  userCode: string;
  /** Where the device asked from, in words of ours, and when. */
  from: { address: string; device: string; at: Date };
  /** The device asked from the person's own network. */
  nearby: boolean;
  /** Whose session this browser has. */
  email: string | undefined;
  uiLocales: string | undefined;
}

/** The pages of the device flow, made where HTML is made. */
export interface DevicePages {
  entry(ctx: KoaContextWithOIDC, refused: DeviceRefusal | undefined): void;
  confirm(ctx: KoaContextWithOIDC, asking: DeviceConfirmation): void;
  allowed(ctx: KoaContextWithOIDC): void;
  notAllowed(ctx: KoaContextWithOIDC): void;
}

/** So many codes were typed that the next one has to wait. */
class TooManyAttemptsError extends errors.OIDCProviderError {
  readonly seconds: number;

  constructor(seconds: number) {
    super(429, 'too_many_requests');
    this.seconds = seconds;
  }
}

/** A form that no page of ours sent. */
class CrossSiteFormError extends errors.OIDCProviderError {
  constructor() {
    super(403, 'foreign-form');
  }
}

/** The library's own faults about a person's code, which it exports under no name. */
const codeByLibraryError: Record<string, 'missing-user-code' | 'wrong-user-code' | 'expired-user-code'> = {
  NoCodeError: 'missing-user-code',
  NotFoundError: 'wrong-user-code',
  // Whether a code was ever good is nobody's business.
  AlreadyUsedError: 'wrong-user-code',
  ExpiredError: 'expired-user-code',
};

function toDeviceRefusal({ oidc }: KoaContextWithOIDC, fault: Error): DeviceRefusal {
  if (fault instanceof TooManyAttemptsError) return { code: 'throttled', seconds: fault.seconds };
  const { userCode: typed } = fault as { userCode?: string };
  const known = codeByLibraryError[fault.name];
  if (known === 'expired-user-code' || (known && oidc.route === 'code_verification'))
    return { code: known, typed };
  const begun = oidc.route === 'device_resume' || oidc.entities.DeviceCode !== undefined;
  return { code: begun ? 'device-sign-in-ended' : 'form-expired' };
}

/** The client that a refused device belongs to. */
function getClientId({ oidc }: KoaContextWithOIDC): string | undefined {
  const { DeviceCode: device, Interaction: interaction } = oidc.entities;
  return device?.clientId ?? (interaction?.params as { client_id?: string } | undefined)?.client_id;
}

async function buildConfirmation(
  db: Db,
  ctx: KoaContextWithOIDC,
  clientName: string,
  userCode: string,
): Promise<DeviceConfirmation> {
  const { DeviceCode: code } = ctx.oidc.entities;
  const { address = '', device = '' } = (code?.deviceInfo ?? {}) as { address?: string; device?: string };
  const { accountId } = ctx.oidc.session ?? {};
  const account = accountId === undefined ? undefined : await findUserById(db, accountId);
  const wish = code?.params?.ui_locales;
  return {
    clientName,
    userCode,
    from: { address, device, at: new Date((code?.iat ?? 0) * 1000) },
    nearby: toIpNetwork(address) === toIpNetwork(ctx.state.origin.address),
    email: account?.disabledAt ? undefined : account?.email,
    uiLocales: typeof wish === 'string' ? wish : undefined,
  };
}

/**
 * Whether this browser brought no session: then there is no form that it could send back. The library would save for the
 * form a session that was never begun, and fail at it.
 */
function lacksSessionCookie({ oidc }: KoaContextWithOIDC): boolean {
  const session = oidc.session as { exp?: number; touched?: boolean } | undefined;
  if (!session || session.exp !== undefined) return false;
  session.touched = false;
  return true;
}

/** The feature as the library is told of it. */
export function configureDeviceFlow(
  db: Db,
  unitOfWork: UnitOfWork,
  pages: {
    device: DevicePages;
    problem(ctx: KoaContextWithOIDC, code: string, description: undefined): void;
  },
): NonNullable<Configuration['features']>['deviceFlow'] {
  return {
    enabled: true,
    charset: 'base-20',
    mask: '****-****',
    deviceInfo: (ctx) => {
      const { address, userAgent } = ctx.state.origin;
      return { address, device: describeUserAgent(userAgent) };
    },
    userCodeInputSource(ctx, _form, out, fault) {
      if (!fault) return pages.device.entry(ctx, undefined);
      if (lacksSessionCookie(ctx)) return pages.problem(ctx, 'sign-in-ended', undefined);
      if (out?.error === 'server_error' || fault instanceof CrossSiteFormError)
        return pages.problem(
          ctx,
          fault instanceof CrossSiteFormError ? 'foreign-form' : 'trouble',
          undefined,
        );
      if (fault.name !== 'AbortedError') return pages.device.entry(ctx, toDeviceRefusal(ctx, fault));
      const accountId = ctx.oidc.session?.accountId;
      const clientId = getClientId(ctx);
      const { origin: requestInfo } = ctx.state;
      unitOfWork.note({ event: 'device.refused', accountId, clientId, origin: requestInfo });
      return pages.device.notAllowed(ctx);
    },
    async userCodeConfirmSource(ctx, _form, client, _info, userCode) {
      pages.device.confirm(
        ctx,
        await buildConfirmation(db, ctx, client.clientName ?? client.clientId, userCode),
      );
    },
    successSource: (ctx) => pages.device.allowed(ctx),
  };
}

/** Counts a typed code for the network and the user that it comes from; returns what takes it back if it was right. */
async function countCodeAttempt(db: Db, { oidc, state }: KoaContextWithOIDC): Promise<() => Promise<void>> {
  const { origin } = state;
  const byNetwork = await countForNetwork(db, origin, 'user-code');
  if (!byNetwork.allowed) throw new TooManyAttemptsError(byNetwork.seconds);
  const subject = oidc.session?.accountId && `account:${oidc.session.accountId}`;
  const byUser = subject ? await countAttempt(db, subject, 'user-code') : undefined;
  if (byUser && !byUser.allowed) throw new TooManyAttemptsError(byUser.seconds);
  return async () => {
    await forgiveForNetwork(db, origin, 'user-code');
    if (subject) await undoAttempt(db, subject, 'user-code');
  };
}

type DeviceCode = NonNullable<Awaited<ReturnType<Provider['DeviceCode']['findByUserCode']>>>;

/**
 * Binds a code to the browser that said yes to it: there it may be typed again, by whoever closed the page half-way, and
 * nowhere else. The library notes only that somebody did.
 */
function bindCodeToSession(code: DeviceCode, session: string): void {
  const held = code as { inFlight?: boolean | string; save: DeviceCode['save'] };
  if (held.inFlight === session) delete held.inFlight;
  const save = code.save.bind(code);
  held.save = () => {
    if (held.inFlight === true) held.inFlight = session;
    return save();
  };
}

/**
 * Guards the one place where a person's code is looked up, whatever address led there: the form is one of our pages', and
 * the attempt is counted, in a committed statement of its own, before the code is looked at (RFC 8628 §5.1).
 */
export function guardUserCodes(provider: Provider, db: Db, issuer: string): void {
  const codes = provider.DeviceCode;
  const find = codes.findByUserCode.bind(codes);
  codes.findByUserCode = async (userCode, options) => {
    const { ctx } = Provider;
    if (!ctx?.oidc.session) return undefined;
    if (!isSameOriginRequest(ctx, issuer)) throw new CrossSiteFormError();
    const forgive = await countCodeAttempt(db, ctx);
    const code = await find(userCode, options);
    const { accountId, uid } = ctx.oidc.session;
    const { origin: requestInfo } = ctx.state;
    if (code) bindCodeToSession(code, uid);
    const good = code && !code.isExpired && !code.error && !code.accountId && !code.inFlight;
    if (good) await forgive();
    else
      await recordAuditEvent(db, {
        event: 'device.wrong-code',
        accountId,
        clientId: code?.clientId,
        origin: requestInfo,
      });
    return code;
  };
}

/** Devices are told how often to ask, and those that ask more often to slow down (RFC 8628 §3.2, §3.5). */
export function enforcePollingInterval(provider: Provider, db: Db): void {
  provider.use(async (ctx, next) => {
    await next();
    const { route, params } = ctx.oidc ?? {};
    const body = ctx.body as Record<string, unknown> | undefined;
    if (route === 'device_authorization' && ctx.status === 200)
      ctx.body = { ...body, interval: devicePollSeconds };
    if (route !== 'token' || body?.error !== 'authorization_pending') return;
    if (await recordDevicePoll(db, String(params?.device_code)))
      ctx.body = {
        error: 'slow_down',
        error_description: 'wait five seconds longer between requests from now on',
      };
  });
}

const deviceRoutes = new Set(['code_verification', 'device_resume']);

/** Records and mails that a device was let in, once that is committed; and what stood in the way of one. */
export function recordDeviceEvents(
  provider: Provider,
  db: Db,
  unitOfWork: UnitOfWork,
  enqueueMail: EnqueueMail,
): void {
  provider.on('authorization.success', (ctx) => {
    const { route, client, session } = ctx.oidc;
    const accountId = session?.accountId;
    if (!deviceRoutes.has(route) || !client || accountId === undefined) return;
    const { origin: requestInfo } = ctx.state;
    unitOfWork.afterCommit(() =>
      db.transaction(async (tx) => {
        await recordAuditEvent(tx, {
          event: 'device.allowed',
          accountId,
          clientId: client.clientId,
          origin: requestInfo,
        });
        const account = await findUserById(tx, accountId);
        if (!account) return;
        const name = client.clientName ?? client.clientId;
        await enqueueMail(tx, account, 'device-allowed', (facts) => deviceAuthorizedMail(facts, name));
      }),
    );
  });
  const refused = (ctx: KoaContextWithOIDC, fault: Error) => {
    const { client, session } = ctx.oidc;
    if (!client) return;
    const { origin: requestInfo } = ctx.state;
    const detail = { error: fault.message };
    const { clientId } = client;
    unitOfWork.note({
      event: 'sign-in.refused',
      accountId: session?.accountId,
      clientId,
      origin: requestInfo,
      detail,
    });
  };
  provider.on('code_verification.error', refused);
  provider.on('device_resume.error', refused);
}
