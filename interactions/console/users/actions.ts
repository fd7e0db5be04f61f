import Router from '@koa/router';
import type { User } from '../../../src/users/users.ts';
import {
  disableUser,
  enableUser,
  requireMfa,
  resendInvitation,
  signOutEverywhere,
} from '../../../src/users/search.ts';
import type { AppContext } from '../../../src/context.ts';
import type { UserActionDefinition } from './confirm-action.tsx';
import { userActionRoutes } from './confirm-action.tsx';
import type { ConsoleContext } from '../require-operator.ts';

/** Who does what to whom, as the domain wants it. */
const userActionFor = ({ operator, ctx }: ConsoleContext, { id }: User) => ({
  target: id,
  by: operator,
  origin: ctx.state.origin,
});

/** The deeds that ask nothing but whether they are meant. */
const userActions: readonly UserActionDefinition[] = [
  {
    name: 'resend-invitation',
    action: 'people.invite',
    typed: false,
    carryOut: (consoleContext, user) =>
      resendInvitation(
        consoleContext.house.db,
        consoleContext.house.post,
        userActionFor(consoleContext, user),
      ),
  },
  {
    name: 'disable',
    action: 'people.disable',
    typed: true,
    carryOut: (consoleContext, user) =>
      disableUser(
        consoleContext.house.db,
        consoleContext.house.post,
        consoleContext.house.aftermath,
        userActionFor(consoleContext, user),
      ),
  },
  {
    name: 'enable',
    action: 'people.disable',
    typed: false,
    carryOut: (consoleContext, user) =>
      enableUser(consoleContext.house.db, consoleContext.house.post, userActionFor(consoleContext, user)),
  },
  {
    name: 'end-sessions',
    action: 'people.end-sessions',
    typed: false,
    carryOut: (consoleContext, user) =>
      signOutEverywhere(
        consoleContext.house.db,
        consoleContext.house.post,
        consoleContext.house.aftermath,
        userActionFor(consoleContext, user),
      ),
  },
  {
    name: 'require-two-step',
    action: 'people.require-two-step',
    typed: false,
    carryOut: (consoleContext, user) =>
      requireMfa(consoleContext.house.db, consoleContext.house.post, userActionFor(consoleContext, user)),
  },
];

export function routes(context: AppContext): Router {
  const router = new Router();
  for (const auditEvent of userActions) router.use(userActionRoutes(context, auditEvent).routes());
  return router;
}
