import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { DestinationStream } from 'pino';
import type { Settings } from '../../config/settings.ts';
import { loadAssets } from '../../interactions/ui/assets.ts';
import type { AppContext } from '../context.ts';
import { renderProblem } from '../../interactions/ui/problem.tsx';
import {
  renderDeviceAllowed,
  renderCodeConfirm,
  renderCodeEntry,
  renderDeviceNotAllowed,
} from '../../interactions/sign-in/device.tsx';
import { renderSignOut } from '../../interactions/sign-in/sign-out.tsx';
import { renderSignedOut } from '../../interactions/sign-in/signed-out.tsx';
import { migrate } from '../../migrations/index.ts';
import { createApp } from './app.ts';
import { openEnrollment } from '../users/users.ts';
import { forgetTrustedDevices } from '../users/devices.ts';
import { revokeHelpDeskCode } from '../mfa/recovery-code.ts';
import { closeOpenCase } from '../help-desk/cases.ts';
import { startClaimRefresh, startKeyRefresh, startBackgroundJobs } from './jobs.ts';
import { registerMetrics } from './metrics.ts';
import { createClaimCache } from '../oidc/claims/claim-cache.ts';
import { createClientCache } from '../clients/cache.ts';
import { getCookieNames } from '../oidc/cookie-names.ts';
import { recordDeviceEvents } from '../oidc/device-flow.ts';
import { recordProviderEvents } from '../oidc/provider-events.ts';
import { createKeyring } from '../oidc/keys/keyring.ts';
import { loadKeys } from '../oidc/keys/keys.ts';
import { createLogoutDelivery, createLogoutSender } from '../oidc/logout/delivery.ts';
import { logoutTopic } from '../sessions/logout-outbox.ts';
import type { ProviderPages } from '../oidc/provider-dependencies.ts';
import { createProvider } from '../oidc/provider.ts';
import { downgradeSession } from '../sessions/records.ts';
import { sessionHooks } from '../oidc/sessions.ts';
import { createUnitOfWork } from '../oidc/storage/unit-of-work.ts';
import type { Database } from '../db/database.ts';
import { openDatabase } from '../db/database.ts';
import type { Engine } from '../db/engine.ts';
import type { SharedHasher } from '../crypto/argon2.ts';
import { createHasher } from '../crypto/argon2.ts';
import { subscribeToAuditEvents } from '../audit/audit-log.ts';
import { refusalCounter } from '../audit/refusal-counter.ts';
import type { Encryption } from '../crypto/encryption.ts';
import { createEncryption } from '../crypto/encryption.ts';
import type { Environment, Tracing } from '../telemetry/tracing.ts';
import { instrumentEngine } from '../db/instrumented.ts';
import { createEnqueueMail } from '../mail/enqueue.ts';
import { loadSecretKeys } from '../crypto/secret-keys.ts';
import type { Telemetry } from '../telemetry/index.ts';
import { createTelemetry } from '../telemetry/index.ts';

/** A provider that is up. */
export interface Hemma {
  issuer: string;
  port: number;
  db: Database;
  vault: Encryption;
  /**
   * Says that it is not ready, takes no new requests after HEMMA_DRAIN_SECONDS (at once unless it `drains`), lets those
   * under way finish for up to ten seconds, and closes the database.
   */
  stop(how?: { drains: boolean }): Promise<void>;
}

/**
 * A connection rests for longer than the proxies in front keep theirs, which is a minute: of the two that sends must be the
 * one to hang up, or a request goes into a line that was closed that very moment.
 */
const keepAliveTimeoutSeconds = 72;

function listenOnPort(server: Server, settings: Settings): Promise<number> {
  server.keepAliveTimeout = keepAliveTimeoutSeconds * 1000;
  return new Promise((ready, failed) => {
    server.once('error', failed);
    server.listen(settings.HEMMA_PORT, settings.HEMMA_HOST, () => ready(settings.HEMMA_PORT));
  });
}

const shutdownTimeoutSeconds = 10;

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((done) => server.close(() => done()));
  server.closeIdleConnections();
  // Those that have an answer under way rest once it is given, and would do so for more than a minute.
  const idleTimer = setInterval(() => server.closeIdleConnections(), 50);
  const forceCloseTimer = setTimeout(() => server.closeAllConnections(), shutdownTimeoutSeconds * 1000);
  await closed;
  clearInterval(idleTimer);
  clearTimeout(forceCloseTimer);
}

/** Each slow hash in a span of its own: what it waited for is noted there, and the rest of its time is work. */
const traceHasher = (hasher: SharedHasher, tracing: Tracing): SharedHasher =>
  tracing.on
    ? {
        ...hasher,
        hash: (secret) => tracing.span('inside', 'hash', {}, () => hasher.hash(secret)),
        verify: (hash, secret) =>
          tracing.span('inside', 'hash verify', {}, () => hasher.verify(hash, secret)),
      }
    : hasher;

/** Wires the house together; every part is handed what it needs, and nothing else. */
async function createDependencies(
  settings: Settings,
  db: Database,
  telemetry: Telemetry,
  stopping: () => boolean,
) {
  const { log, metrics, tracing } = telemetry;
  const encryption = createEncryption(loadSecretKeys(settings));
  await migrate(db);
  const keys = await loadKeys(db, encryption);
  const requestUnitOfWork = createUnitOfWork(db, getCookieNames(settings), (fault) =>
    log.error({ fault: String(fault) }, 'a deed after the commit failed'),
  );
  const pages: ProviderPages = {
    problem: (ctx, code, description) => renderProblem(context, ctx, code, description),
    signOut: (ctx, form) => renderSignOut(context, ctx, form),
    signedOut: (ctx) => renderSignedOut(context, ctx),
    device: {
      entry: (ctx, refused) => renderCodeEntry(context, ctx, refused),
      confirm: (ctx, deviceRequest) => renderCodeConfirm(context, ctx, deviceRequest),
      allowed: (ctx) => renderDeviceAllowed(context, ctx),
      notAllowed: (ctx) => renderDeviceNotAllowed(context, ctx),
    },
  };
  const claimCache = await createClaimCache(db);
  const clients = createClientCache(db);
  const provider = createProvider({
    db,
    vault: encryption,
    settings,
    keys,
    work: requestUnitOfWork,
    pages,
    book: claimCache,
    clients,
    tracing,
  });
  recordProviderEvents(provider, db, requestUnitOfWork, log);
  const loadedKeyring = createKeyring(provider, db, encryption, {
    signing: keys.signing,
    days: settings.HEMMA_KEY_DAYS,
  });
  const delivery = createLogoutDelivery(db, createLogoutSender(provider), (fault) =>
    log.error({ fault: String(fault) }, 'a sign-out message was not taken care of'),
  );
  db.hear(logoutTopic, () => void delivery.turn());
  const hasher = await createHasher(settings.HEMMA_HASH_THREADS, {
    patience: settings.HEMMA_HASH_WAIT,
    observe(seconds) {
      metrics.hashWaited(seconds);
      tracing.note({ 'hemma.hash.wait_seconds': seconds });
    },
  });
  subscribeToAuditEvents(db, (auditEvent) => metrics.heard(auditEvent));
  registerMetrics(metrics, { db, hasher, ring: loadedKeyring });
  const assetFolder = fileURLToPath(new URL('../../interactions/ui/public', import.meta.url));
  const context: AppContext = {
    settings,
    db,
    vault: encryption,
    hasher: traceHasher(hasher, tracing),
    post: createEnqueueMail(settings, encryption),
    aftermath: {
      closeCase: closeOpenCase,
      voidHelpDeskCode: revokeHelpDeskCode,
      forgetDevices: forgetTrustedDevices,
      weakenSession: downgradeSession,
      openEnrolment: openEnrollment,
      ...sessionHooks,
    },
    provider,
    work: requestUnitOfWork,
    assets: loadAssets(settings, assetFolder),
  };
  recordDeviceEvents(provider, db, requestUnitOfWork, context.post);
  const refusals = refusalCounter(db, (fault) =>
    log.warn({ fault: String(fault) }, 'refused attempts could not be counted yet'),
  );
  const app = createApp(context, {
    ring: loadedKeyring,
    work: requestUnitOfWork,
    telemetry,
    refusals,
    stopping,
  });
  return {
    house: context,
    work: requestUnitOfWork,
    ring: loadedKeyring,
    book: claimCache,
    delivery,
    refusals,
    app,
  };
}

/**
 * Brings the provider up: database, migrations, keys, pages, chores, and at last the network, so that whoever
 * gets an answer gets a right one. Throws when the port is taken or the database cannot be opened. `env`: where the
 * variables of OpenTelemetry stand (OTEL_…); all else that is decided is in the settings.
 */
export async function startServer(
  settings: Settings,
  logTo?: DestinationStream,
  env: Environment = {},
): Promise<Hemma> {
  const telemetry = await createTelemetry(settings, env, logTo);
  const { log, tracing, requests } = telemetry;
  const watch = (engine: Engine) => instrumentEngine(engine, requests, tracing);
  const db = await openDatabase(settings, false, watch).catch(async (fault: unknown) => {
    await telemetry.stop();
    throw fault;
  });
  let stopping = false;
  try {
    const built = await createDependencies(settings, db, telemetry, () => stopping);
    const {
      house: context,
      work: requestUnitOfWork,
      ring: loadedKeyring,
      book: claimCache,
      delivery,
      refusals,
      app,
    } = built;
    const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (request, response) => {
      handle(request, response).catch((fault: unknown) =>
        log.error({ fault: String(fault) }, 'a request was lost'),
      );
    });
    const handle = app.callback();
    const port = await listenOnPort(server, settings);
    const backgroundJobs = startBackgroundJobs({ ...context, db }, delivery, log, telemetry);
    const refreshJobs = [
      startKeyRefresh(db, loadedKeyring, log, telemetry),
      startClaimRefresh(db, claimCache, log, telemetry),
    ];
    log.info({ issuer: settings.HEMMA_ISSUER, port }, 'Hemma is up');
    return {
      issuer: settings.HEMMA_ISSUER,
      port,
      db,
      vault: context.vault,
      async stop({ drains: shouldDrain } = { drains: true }) {
        stopping = true;
        if (shouldDrain && settings.HEMMA_DRAIN_SECONDS > 0) await wait(settings.HEMMA_DRAIN_SECONDS * 1000);
        await closeServer(server);
        await Promise.all(refreshJobs.map((one) => one.stop()));
        await backgroundJobs.stop();
        await Promise.all([requestUnitOfWork.settled(), refusals.stop()]);
        await db.close();
        await telemetry.stop();
        log.info('Hemma is down');
      },
    };
  } catch (fault) {
    await db.close();
    await telemetry.stop();
    throw fault;
  }
}
