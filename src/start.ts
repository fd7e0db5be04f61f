import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { DestinationStream } from 'pino';
import type { Settings } from '../config/settings.ts';
import { assetsOf } from '../interactions/page/assets.ts';
import type { House } from '../interactions/page/house.ts';
import { showProblem } from '../interactions/page/problem.tsx';
import {
  showAllowed,
  showCodeConfirm,
  showCodeEntry,
  showNotAllowed,
} from '../interactions/sign-in/device.tsx';
import { showSignOut } from '../interactions/sign-in/sign-out.tsx';
import { showSignedOut } from '../interactions/sign-in/signed-out.tsx';
import { migrate } from '../migrations/index.ts';
import { appOf } from './app.ts';
import { openEnrolment } from './accounts/accounts.ts';
import { forgetDevices } from './accounts/devices.ts';
import { voidHelpDeskCode } from './factors/recovery-code.ts';
import { closeCase } from './help-desk/cases.ts';
import { followClaims, followKeys, startChores } from './chores.ts';
import { openClaimBook } from './oidc/claim-book.ts';
import { openClientBook } from './oidc/client-book.ts';
import { listenToDevices } from './oidc/device-flow.ts';
import { listen } from './oidc/events.ts';
import { keyring } from './oidc/keyring.ts';
import { loadKeys } from './oidc/keys.ts';
import { logoutDelivery, takeOverSending } from './oidc/logout-delivery.ts';
import { logoutTopic } from './oidc/logout-outbox.ts';
import type { Pages } from './oidc/provider.ts';
import { providerOf } from './oidc/provider.ts';
import { weakenSession } from './oidc/records.ts';
import { endings } from './oidc/sessions.ts';
import { unitOfWork } from './oidc/unit-of-work.ts';
import type { Database } from './platform/database.ts';
import { openDatabase } from './platform/database.ts';
import { hasherOf } from './platform/hashing.ts';
import { logOf } from './platform/log.ts';
import type { Vault } from './platform/secrets.ts';
import { vaultOf } from './platform/secrets.ts';
import { postFor } from './post.ts';
import { secretKeys } from './secret-keys.ts';

/** A provider that is up. */
export interface Hemma {
  issuer: string;
  port: number;
  db: Database;
  vault: Vault;
  /**
   * Says that it is not ready, takes no new requests after HEMMA_DRAIN_SECONDS, lets those under way finish for up to ten
   * seconds, and closes the database.
   */
  stop(): Promise<void>;
}

function serve(server: Server, settings: Settings): Promise<number> {
  return new Promise((ready, failed) => {
    server.once('error', failed);
    server.listen(settings.HEMMA_PORT, settings.HEMMA_HOST, () => ready(settings.HEMMA_PORT));
  });
}

const drainSeconds = 10;

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((done) => server.close(() => done()));
  server.closeIdleConnections();
  const late = setTimeout(() => server.closeAllConnections(), drainSeconds * 1000);
  await closed;
  clearTimeout(late);
}

/** Wires the house together; every part is handed what it needs, and nothing else. */
async function build(
  settings: Settings,
  db: Database,
  { logTo, leaving }: { logTo: DestinationStream | undefined; leaving: AbortSignal },
) {
  const log = logOf(settings.HEMMA_LOG_LEVEL, logTo);
  const vault = vaultOf(secretKeys(settings));
  await migrate(db);
  const keys = await loadKeys(db, vault);
  const work = unitOfWork(db, (fault) =>
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
  const provider = providerOf({ db, vault, settings, keys, work, pages, book, clients });
  listen(provider, db, work, log);
  const ring = keyring(provider, db, vault, { signing: keys.signing, days: settings.HEMMA_KEY_DAYS });
  const delivery = logoutDelivery(db, takeOverSending(provider), (fault) =>
    log.error({ fault: String(fault) }, 'a sign-out message was not taken care of'),
  );
  db.hear(logoutTopic, () => void delivery.turn());
  const folder = fileURLToPath(new URL('../interactions/page/public', import.meta.url));
  const house: House = {
    settings,
    db,
    vault,
    hasher: await hasherOf(settings.HEMMA_HASH_THREADS),
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
  return {
    house,
    work,
    ring,
    book,
    delivery,
    log,
    app: appOf(house, { keys: keys.cookies, ring, work, log, leaving }),
  };
}

/**
 * Brings the provider up: database, migrations, keys, pages, chores, and at last the network, so that whoever
 * gets an answer gets a right one. Throws when the port is taken or the database cannot be opened.
 */
export async function start(settings: Settings, logTo?: DestinationStream): Promise<Hemma> {
  const db = await openDatabase(settings);
  const leaving = new AbortController();
  try {
    const { house, work, ring, book, delivery, log, app } = await build(settings, db, {
      logTo,
      leaving: leaving.signal,
    });
    const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (request, response) => {
      handle(request, response).catch((fault: unknown) =>
        log.error({ fault: String(fault) }, 'a request was lost'),
      );
    });
    const handle = app.callback();
    const port = await serve(server, settings);
    const chores = startChores({ ...house, db }, delivery, log);
    const following = [followKeys(db, ring, log), followClaims(db, book, log)];
    log.info({ issuer: settings.HEMMA_ISSUER, port }, 'Hemma is up');
    return {
      issuer: settings.HEMMA_ISSUER,
      port,
      db,
      vault: house.vault,
      async stop() {
        leaving.abort();
        if (settings.HEMMA_DRAIN_SECONDS > 0) await wait(settings.HEMMA_DRAIN_SECONDS * 1000);
        await close(server);
        await Promise.all(following.map((one) => one.stop()));
        await chores.stop();
        await work.settled();
        await db.close();
        log.info('Hemma is down');
      },
    };
  } catch (fault) {
    await db.close();
    throw fault;
  }
}
