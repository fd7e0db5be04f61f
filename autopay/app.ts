import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { bodyParser } from '@koa/bodyparser';
import Koa from 'koa';

import { backChannelLogoutRouter } from './back-channel-logout.ts';
import { usesSecureCookies } from './cookies.ts';
import { createFilesRouter, loadStaticFiles, type StaticFiles } from './files.ts';
import { requireSameOrigin } from './forms.tsx';
import { securityHeaders } from './headers.ts';
import { createPaymentsRouter } from './payments.tsx';
import { createPayslipsRouter } from './payslips.tsx';
import { handleErrors } from './problems.tsx';
import { createProviderFinder } from './provider.ts';
import { createSessionStore } from './sessions.ts';
import type { AutopaySettings } from './settings.ts';
import { createSignInRouter } from './sign-in.tsx';
import { createSignOutRouter } from './sign-out.tsx';
import { createPageContext, type AutopayContext, type PageState } from './visit.ts';

export interface RunningAutopay {
  origin: string;
  stop(): Promise<void>;
}

/** How long requests under way may take once the program stops, in milliseconds. */
const SHUTDOWN_GRACE_MS = 3000;

/**
 * Starts the relying party and resolves when it listens. The provider need not be up. Port 0 takes a free
 * one, which then also becomes the origin's.
 * @param log takes one line at a time for the operator
 * @throws node's own error when the address cannot be listened on (`EADDRINUSE` and the like)
 */
export async function startAutopay(
  settings: AutopaySettings,
  log: (line: string) => void = () => undefined,
): Promise<RunningAutopay> {
  const files = await loadStaticFiles();
  const server = createServer();
  server.listen(settings.port, settings.host);
  await once(server, 'listening');
  const origin = settings.port === 0 ? listeningOrigin(server, settings) : settings.origin;
  const answer = createApp({ ...settings, origin }, files, log).callback();
  server.on('request', (request, response) => void answer(request, response));
  return { origin, stop: () => closeServer(server) };
}

/** What is mounted where, in order. */
function createApp(
  settings: AutopaySettings,
  files: StaticFiles,
  log: (line: string) => void,
): Koa<PageState> {
  const sessions = createSessionStore();
  const findProvider = createProviderFinder(settings);
  const site: AutopayContext = { settings, sessions, findProvider, styleVersion: files.styleVersion, log };

  const app = new Koa<PageState>();
  app.on('error', (error: Error) => log(`connection: ${error.message}`));
  app.use(securityHeaders(settings));
  app.use((ctx, next) => {
    // Behind a proxy that ends TLS the connection itself is plain; what browsers see is the origin.
    ctx.cookies.secure = usesSecureCookies(settings);
    return next();
  });

  app.use(createFilesRouter(settings.app, files).routes());
  // From server to server: before the rule that a POST comes from our own pages.
  app.use(backChannelLogoutRouter(site).routes());

  app.use(createPageContext(site));
  app.use(handleErrors(site));
  app.use(requireSameOrigin(settings.origin));
  app.use(bodyParser({ enableTypes: ['form'], formLimit: '16kb' }));

  const business = settings.app === 'autopay' ? createPaymentsRouter(site) : createPayslipsRouter();
  for (const router of [business, createSignInRouter(site), createSignOutRouter(site)]) {
    app.use(router.routes());
    app.use(router.allowedMethods());
  }
  return app;
}

function listeningOrigin(server: Server, settings: AutopaySettings): string {
  const url = new URL(settings.origin);
  url.port = String((server.address() as AddressInfo).port);
  return url.origin;
}

/** Takes no new requests, lets those under way end, and cuts what is left after a while. */
async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const closeTimer = setTimeout(() => server.closeAllConnections(), SHUTDOWN_GRACE_MS);
  await closed;
  clearTimeout(closeTimer);
}
