import Router from '@koa/router';
import type { Account } from '../../../src/users/users.ts';
import {
  disable,
  enable,
  requireTwoStep,
  resendInvitation,
  signOutEverywhere,
} from '../../../src/users/search.ts';
import type { House } from '../../../src/context.ts';
import type { Deed } from './confirm-action.tsx';
import { deedRoutes } from './confirm-action.tsx';
import type { AdminVisit } from '../require-operator.ts';

/** Who does what to whom, as the domain wants it. */
const toPerson = ({ operator, ctx }: AdminVisit, { id }: Account) => ({
  target: id,
  by: operator,
  origin: ctx.state.origin,
});

/** The deeds that ask nothing but whether they are meant. */
const deeds: readonly Deed[] = [
  {
    name: 'resend-invitation',
    action: 'people.invite',
    typed: false,
    carryOut: (visit, person) => resendInvitation(visit.house.db, visit.house.post, toPerson(visit, person)),
  },
  {
    name: 'disable',
    action: 'people.disable',
    typed: true,
    carryOut: (visit, person) =>
      disable(visit.house.db, visit.house.post, visit.house.aftermath, toPerson(visit, person)),
  },
  {
    name: 'enable',
    action: 'people.disable',
    typed: false,
    carryOut: (visit, person) => enable(visit.house.db, visit.house.post, toPerson(visit, person)),
  },
  {
    name: 'end-sessions',
    action: 'people.end-sessions',
    typed: false,
    carryOut: (visit, person) =>
      signOutEverywhere(visit.house.db, visit.house.post, visit.house.aftermath, toPerson(visit, person)),
  },
  {
    name: 'require-two-step',
    action: 'people.require-two-step',
    typed: false,
    carryOut: (visit, person) => requireTwoStep(visit.house.db, visit.house.post, toPerson(visit, person)),
  },
];

export function routes(house: House): Router {
  const router = new Router();
  for (const deed of deeds) router.use(deedRoutes(house, deed).routes());
  return router;
}
