import Router from '@koa/router';
import type { Middleware } from 'koa';
import type { AppContext } from '../../src/context.ts';
import { routes as audit } from './audit/list.tsx';
import { routes as auditExport } from './audit/export.ts';
import { routes as bootstrap } from './users/bootstrap.tsx';
import { routes as attributes } from './users/attributes.tsx';
import { routes as cases } from './cases/list.tsx';
import { routes as caseDeeds } from './cases/actions.tsx';
import { routes as caseOf } from './cases/case.tsx';
import { routes as claims } from './claims/list.tsx';
import { routes as claim } from './claims/claim.tsx';
import { routes as clients } from './clients/list.tsx';
import { routes as clientAddresses } from './clients/redirect-uris.ts';
import { routes as clientConnect } from './clients/connect.tsx';
import { routes as clientDeeds } from './clients/actions.tsx';
import { routes as clientEdit } from './clients/edit.tsx';
import { routes as clientLanding } from './clients/created.tsx';
import { routes as clientOverview } from './clients/overview.tsx';
import { routes as clientSecrets } from './clients/secrets.tsx';
import { routes as clientTrial } from './clients/test-sign-in.tsx';
import { routes as deeds } from './users/actions.ts';
import { requireOperator, redirectAfterPost, pathAfterSignIn } from './require-operator.ts';
import { routes as group } from './groups/group.tsx';
import { routes as groups } from './groups/list.tsx';
import { routes as importing } from './import/import.tsx';
import { routes as invite } from './users/invite.tsx';
import { routes as membership } from './users/membership.tsx';
import { routes as people } from './users/list.tsx';
import { routes as person } from './users/user.tsx';
import { routes as initialAccessTokenNew } from './registration/new.tsx';
import { routes as initialAccessTokens } from './registration/list.tsx';
import { routes as resourceServers } from './resource-servers/list.tsx';
import { routes as resourceServerForms } from './resource-servers/form.tsx';
import { routes as role } from './users/role.tsx';

/** The front of the console, where every sign-in comes back to: on to where it was going, or to the people. */
function redirectToFirstPage(context: AppContext): Router {
  const router = new Router();
  router.get(
    '/admin',
    async (ctx, next) => {
      // Without a session the error would lead to a sign-in that may end in the same error, for ever.
      if (ctx.query.error !== undefined) ctx.throw(400, 'sign-in-ended');
      await next();
    },
    requireOperator(context, 'people.read', (consoleContext) =>
      redirectAfterPost(consoleContext, pathAfterSignIn(consoleContext.ctx.query.state)),
    ),
  );
  return router;
}

/** Every page of the console in the order they are tried: what has a name stands before what has a number. */
const pageRoutes = [
  redirectToFirstPage,
  bootstrap,
  cases,
  caseDeeds,
  caseOf,
  people,
  invite,
  importing,
  deeds,
  role,
  membership,
  attributes,
  person,
  groups,
  group,
  auditExport,
  audit,
  clients,
  initialAccessTokens,
  initialAccessTokenNew,
  clientAddresses,
  clientLanding,
  clientEdit,
  clientDeeds,
  clientSecrets,
  clientConnect,
  clientTrial,
  clientOverview,
  resourceServerForms,
  resourceServers,
  claims,
  claim,
];

/** The routes of the console. A test has a row for each of them: whoever adds one says there who may use it. */
export function createConsoleRouter(context: AppContext): Router {
  const router = new Router();
  for (const page of pageRoutes) router.use(page(context).routes());
  return router;
}

export const createAdminConsole = (context: AppContext): Middleware =>
  createConsoleRouter(context).routes() as unknown as Middleware;
