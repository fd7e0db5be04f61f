import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { bodyParser } from '@koa/bodyparser';
import Koa from 'koa';

import { backChannelLogoutRouter } from './back-channel-logout.ts';
import { isSecure } from './cookies.ts';
import { filesRouter, readFiles, type Files } from './files.ts';
import { fromOwnPages } from './forms.tsx';
import { headers } from './headers.ts';
import { paymentsRouter } from './payments.tsx';
import { payslipsRouter } from './payslips.tsx';
import { problems } from './problems.tsx';
import { providerFinder } from './provider.ts';
import { openSessions } from './sessions.ts';
import type { Settings } from './settings.ts';
import { signInRouter } from './sign-in.tsx';
import { signOutRouter } from './sign-out.tsx';
import { visits, type Site, type VisitState } from './visit.ts';

export interface RunningAutopay {
  origin: string;
  stop(): Promise<void>;
}

/** How long requests under way may take once the program stops, in milliseconds. */
const GRACE = 3000;

/**
 * Starts the relying party and resolves when it listens. The provider need not be up. Port 0 takes a free
 * one, which then also becomes the origin's.
 * @param log takes one line at a time for the operator
 * @throws node's own error when the address cannot be listened on (`EADDRINUSE` and the like)
 */
export async function startAutopay(
  settings: Settings,
  log: (line: string) => void = () => undefined,
): Promise<RunningAutopay> {
  const files = await readFiles();
  const server = createServer();
  server.listen(settings.port, settings.host);
  await once(server, 'listening');
  const origin = settings.port === 0 ? originAt(server, settings) : settings.origin;
  const answer = mount({ ...settings, origin }, files, log).callback();
  server.on('request', (request, response) => void answer(request, response));
  return { origin, stop: () => stop(server) };
}

/** What is mounted where, in order. */
function mount(settings: Settings, files: Files, log: (line: string) => void): Koa<VisitState> {
  const sessions = openSessions();
  const findProvider = providerFinder(settings);
  const site: Site = { settings, sessions, findProvider, styleVersion: files.styleVersion, log };

  const app = new Koa<VisitState>();
  app.on('error', (error: Error) => log(`connection: ${error.message}`));
  app.use(headers(settings));
  app.use((ctx, next) => {
    // Behind a proxy that ends TLS the connection itself is plain; what browsers see is the origin.
    ctx.cookies.secure = isSecure(settings);
    return next();
  });

  app.use(filesRouter(settings.app, files).routes());
  // From server to server: before the rule that a POST comes from our own pages.
  app.use(backChannelLogoutRouter(site).routes());

  app.use(visits(site));
  app.use(problems(site));
  app.use(fromOwnPages(settings.origin));
  app.use(bodyParser({ enableTypes: ['form'], formLimit: '16kb' }));

  const business = settings.app === 'autopay' ? paymentsRouter(site) : payslipsRouter();
  for (const router of [business, signInRouter(site), signOutRouter(site)]) {
    app.use(router.routes());
    app.use(router.allowedMethods());
  }
  return app;
}

function originAt(server: Server, settings: Settings): string {
  const url = new URL(settings.origin);
  url.port = String((server.address() as AddressInfo).port);
  return url.origin;
}

/** Takes no new requests, lets those under way end, and cuts what is left after a while. */
async function stop(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), GRACE);
  await closed;
  clearTimeout(cut);
}
