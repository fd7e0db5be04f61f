import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { DestinationStream } from 'pino';
import type { Settings } from '../../config/settings.ts';
import { assetsOf } from '../../interactions/ui/assets.ts';
import type { House } from '../context.ts';
import { showProblem } from '../../interactions/ui/problem.tsx';
import {
  showAllowed,
  showCodeConfirm,
  showCodeEntry,
  showNotAllowed,
} from '../../interactions/sign-in/device.tsx';
import { showSignOut } from '../../interactions/sign-in/sign-out.tsx';
import { showSignedOut } from '../../interactions/sign-in/signed-out.tsx';
import { migrate } from '../../migrations/index.ts';
import { appOf } from './app.ts';
import { openEnrolment } from '../users/users.ts';
import { forgetDevices } from '../users/devices.ts';
import { voidHelpDeskCode } from '../mfa/recovery-code.ts';
import { closeCase } from '../help-desk/cases.ts';
import { followClaims, followKeys, startChores } from './jobs.ts';
import { showGauges } from './metrics.ts';
import { openClaimBook } from '../oidc/claims/claim-cache.ts';
import { openClientBook } from '../clients/cache.ts';
import { cookieNames } from '../oidc/cookie-names.ts';
import { listenToDevices } from '../oidc/device-flow.ts';
import { listen } from '../oidc/provider-events.ts';
import { keyring } from '../oidc/keys/keyring.ts';
import { loadKeys } from '../oidc/keys/keys.ts';
import { logoutDelivery, takeOverSending } from '../oidc/logout/delivery.ts';
import { logoutTopic } from '../sessions/logout-outbox.ts';
import type { Pages } from '../oidc/provider.ts';
import { providerOf } from '../oidc/provider.ts';
import { weakenSession } from '../sessions/records.ts';
import { endings } from '../oidc/sessions.ts';
import { unitOfWork } from '../oidc/storage/unit-of-work.ts';
import type { Database } from '../db/database.ts';
import { openDatabase } from '../db/database.ts';
import type { Engine } from '../db/engine.ts';
import type { SharedHasher } from '../crypto/argon2.ts';
import { hasherOf } from '../crypto/argon2.ts';
import { hearDeeds } from '../audit/audit-log.ts';
import { refusalCounter } from '../audit/refusal-counter.ts';
import type { Vault } from '../crypto/encryption.ts';
import { vaultOf } from '../crypto/encryption.ts';
import type { Environment, Tracing } from '../telemetry/tracing.ts';
import { watchedEngine } from '../db/instrumented.ts';
import { postFor } from '../mail/enqueue.ts';
import { secretKeys } from '../crypto/secret-keys.ts';
import type { Telemetry } from '../telemetry/index.ts';
import { telemetryOf } from '../telemetry/index.ts';

/** A provider that is up. */
export interface Hemma {
  issuer: string;
  port: number;
  db: Database;
  vault: Vault;
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
const restSeconds = 72;

function serve(server: Server, settings: Settings): Promise<number> {
  server.keepAliveTimeout = restSeconds * 1000;
  return new Promise((ready, failed) => {
    server.once('error', failed);
    server.listen(settings.HEMMA_PORT, settings.HEMMA_HOST, () => ready(settings.HEMMA_PORT));
  });
}

const drainSeconds = 10;

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((done) => server.close(() => done()));
  server.closeIdleConnections();
  // Those that have an answer under way rest once it is given, and would do so for more than a minute.
  const resting = setInterval(() => server.closeIdleConnections(), 50);
  const late = setTimeout(() => server.closeAllConnections(), drainSeconds * 1000);
  await closed;
  clearInterval(resting);
  clearTimeout(late);
}

/** Each slow hash in a span of its own: what it waited for is noted there, and the rest of its time is work. */
const tracedHasher = (hasher: SharedHasher, tracing: Tracing): SharedHasher =>
  tracing.on
    ? {
        ...hasher,
        hash: (secret) => tracing.span('inside', 'hash', {}, () => hasher.hash(secret)),
        verify: (hash, secret) =>
          tracing.span('inside', 'hash verify', {}, () => hasher.verify(hash, secret)),
      }
    : hasher;

/** Wires the house together; every part is handed what it needs, and nothing else. */
async function build(settings: Settings, db: Database, telemetry: Telemetry, stopping: () => boolean) {
  const { log, metrics, tracing } = telemetry;
  const vault = vaultOf(secretKeys(settings));
  await migrate(db);
  const keys = await loadKeys(db, vault);
  const work = unitOfWork(db, cookieNames(settings), (fault) =>
    log.error({ fault: String(fault) }, 'a deed after the commit failed'),
  );
  const pages: Pages = {
    problem: (ctx, code, description) => showProblem(house, ctx, code, description),
    signOut: (ctx, form) => showSignOut(house, ctx, form),
    signedOut: (ctx) => showSignedOut(house, ctx),
    device: {
      entry: (ctx, refused) => showCodeEntry(house, ctx, refused),
      confirm: (ctx, asking) => showCodeConfirm(house, ctx, asking),
      allowed: (ctx) => showAllowed(house, ctx),
      notAllowed: (ctx) => showNotAllowed(house, ctx),
    },
  };
  const book = await openClaimBook(db);
  const clients = openClientBook(db);
  const provider = providerOf({ db, vault, settings, keys, work, pages, book, clients, tracing });
  listen(provider, db, work, log);
  const ring = keyring(provider, db, vault, { signing: keys.signing, days: settings.HEMMA_KEY_DAYS });
  const delivery = logoutDelivery(db, takeOverSending(provider), (fault) =>
    log.error({ fault: String(fault) }, 'a sign-out message was not taken care of'),
  );
  db.hear(logoutTopic, () => void delivery.turn());
  const hasher = await hasherOf(settings.HEMMA_HASH_THREADS, {
    patience: settings.HEMMA_HASH_WAIT,
    observe(seconds) {
      metrics.hashWaited(seconds);
      tracing.note({ 'hemma.hash.wait_seconds': seconds });
    },
  });
  hearDeeds(db, (deed) => metrics.heard(deed));
  showGauges(metrics, { db, hasher, ring });
  const folder = fileURLToPath(new URL('../../interactions/ui/public', import.meta.url));
  const house: House = {
    settings,
    db,
    vault,
    hasher: tracedHasher(hasher, tracing),
    post: postFor(settings, vault),
    aftermath: {
      closeCase,
      voidHelpDeskCode,
      forgetDevices,
      weakenSession,
      openEnrolment,
      ...endings,
    },
    provider,
    work,
    assets: assetsOf(settings, folder),
  };
  listenToDevices(provider, db, work, house.post);
  const refusals = refusalCounter(db, (fault) =>
    log.warn({ fault: String(fault) }, 'refused attempts could not be counted yet'),
  );
  const app = appOf(house, { ring, work, telemetry, refusals, stopping });
  return { house, work, ring, book, delivery, refusals, app };
}

/**
 * Brings the provider up: database, migrations, keys, pages, chores, and at last the network, so that whoever
 * gets an answer gets a right one. Throws when the port is taken or the database cannot be opened. `env`: where the
 * variables of OpenTelemetry stand (OTEL_…); all else that is decided is in the settings.
 */
export async function start(
  settings: Settings,
  logTo?: DestinationStream,
  env: Environment = {},
): Promise<Hemma> {
  const telemetry = await telemetryOf(settings, env, logTo);
  const { log, tracing, requests } = telemetry;
  const watch = (engine: Engine) => watchedEngine(engine, requests, tracing);
  const db = await openDatabase(settings, false, watch).catch(async (fault: unknown) => {
    await telemetry.stop();
    throw fault;
  });
  let stopping = false;
  try {
    const built = await build(settings, db, telemetry, () => stopping);
    const { house, work, ring, book, delivery, refusals, app } = built;
    const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (request, response) => {
      handle(request, response).catch((fault: unknown) =>
        log.error({ fault: String(fault) }, 'a request was lost'),
      );
    });
    const handle = app.callback();
    const port = await serve(server, settings);
    const chores = startChores({ ...house, db }, delivery, log, telemetry);
    const following = [followKeys(db, ring, log, telemetry), followClaims(db, book, log, telemetry)];
    log.info({ issuer: settings.HEMMA_ISSUER, port }, 'Hemma is up');
    return {
      issuer: settings.HEMMA_ISSUER,
      port,
      db,
      vault: house.vault,
      async stop({ drains } = { drains: true }) {
        stopping = true;
        if (drains && settings.HEMMA_DRAIN_SECONDS > 0) await wait(settings.HEMMA_DRAIN_SECONDS * 1000);
        await close(server);
        await Promise.all(following.map((one) => one.stop()));
        await chores.stop();
        await Promise.all([work.settled(), refusals.stop()]);
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
