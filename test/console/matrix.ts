/** Who may use which route of the console. Written by hand, from DESIGN and not from the code that it judges. */

export const actors = [
  'nobody',
  'person',
  'help desk',
  'help desk of North',
  'administrator of North',
  'administrator',
] as const;
export type Actor = (typeof actors)[number];

export const targets = [
  'itself',
  'a person of North',
  'a person elsewhere',
  'a help desk of North',
  'an administrator',
] as const;
export type Target = (typeof targets)[number];

export interface Row {
  to: readonly Actor[];
  /** The address names an account, or the case of one, which must be within the operator's reach. */
  about?: 'a person' | 'a case';
  /** Answers alike to everybody, with one of these. */
  open?: readonly number[];
}

const operators: readonly Actor[] = [
  'help desk',
  'help desk of North',
  'administrator of North',
  'administrator',
];
const administrators: readonly Actor[] = ['administrator of North', 'administrator'];
const unlimited: readonly Actor[] = ['administrator'];

/** A page and its form, alike. */
const both = (path: string, row: Row): Record<string, Row> => ({
  [`GET ${path}`]: row,
  [`POST ${path}`]: row,
});
const person = (deed: string, to: readonly Actor[]) =>
  both(`/admin/people/:id/${deed}`, { to, about: 'a person' });

const ofCase = (deed: string): Record<string, Row> =>
  both(`/admin/cases/:case/${deed}`, { to: operators, about: 'a case' });

const ofClient = (deed: string): Record<string, Row> =>
  both(`/admin/clients/:client/${deed}`, { to: unlimited });

export const rows: Record<string, Row> = {
  'GET /admin/cases': { to: operators },
  'GET /admin/cases/:case': { to: operators, about: 'a case' },
  'POST /admin/cases/:case/checks': { to: operators, about: 'a case' },
  'POST /admin/cases/:case/notes': { to: operators, about: 'a case' },
  ...ofCase('send'),
  ...ofCase('approve'),
  ...ofCase('begin-anew'),
  ...ofCase('close'),
  ...person('case', operators),
  'GET /admin': { to: operators },
  // There is an administrator: the way in for the first one is shut for ever.
  ...both('/admin/bootstrap', { to: [], open: [404] }),
  'GET /admin/people': { to: operators },
  ...both('/admin/people/invite', { to: administrators }),
  ...both('/admin/people/import', { to: unlimited }),
  'POST /admin/people/export': { to: unlimited },
  'GET /admin/people/:id': { to: operators, about: 'a person' },
  ...person('resend-invitation', administrators),
  ...person('disable', administrators),
  ...person('enable', administrators),
  ...person('end-sessions', operators),
  ...person('require-two-step', administrators),
  ...person('role', unlimited),
  ...person('groups', unlimited),
  ...person('attributes', unlimited),
  ...both('/admin/groups', { to: unlimited }),
  ...both('/admin/groups/:group', { to: unlimited }),
  ...both('/admin/groups/:group/delete', { to: unlimited }),
  'GET /admin/clients': { to: unlimited },
  'GET /admin/clients/:client': { to: unlimited },
  'GET /admin/clients/-/new': { to: unlimited },
  ...both('/admin/clients/-/new/:type', { to: unlimited }),
  'POST /admin/clients/-/check-addresses': { to: unlimited },
  // Whoever tried an application lands here, operator or not, with the ticket of the browser that began: none has one.
  'GET /admin/clients/-/test-sign-in': { to: [], open: [404] },
  'GET /admin/clients/-/initial-access-tokens': { to: unlimited },
  ...both('/admin/clients/-/initial-access-tokens/new', { to: unlimited }),
  ...both('/admin/clients/-/revoke-initial-access-token/:token', { to: unlimited }),
  ...ofClient('edit'),
  ...ofClient('disable'),
  ...ofClient('enable'),
  ...ofClient('sign-out'),
  ...ofClient('delete'),
  ...ofClient('forget-refused'),
  ...ofClient('try'),
  ...ofClient('remove-secret/:secret'),
  ...ofClient('secrets/new'),
  'GET /admin/clients/:client/secrets': { to: unlimited },
  'GET /admin/clients/:client/connect': { to: unlimited },
  'GET /admin/resource-servers': { to: unlimited },
  'GET /admin/resource-servers/:server': { to: unlimited },
  ...both('/admin/resource-servers/-/new', { to: unlimited }),
  ...both('/admin/resource-servers/:server/edit', { to: unlimited }),
  ...both('/admin/resource-servers/:server/delete', { to: unlimited }),
  'GET /admin/claims': { to: unlimited },
  ...both('/admin/claims/new', { to: unlimited }),
  ...both('/admin/claims/:claim', { to: unlimited }),
  ...both('/admin/claims/:claim/delete', { to: unlimited }),
  'GET /admin/audit': { to: administrators },
  'POST /admin/audit/export': { to: administrators },
};

/** Whom those who may use a route reach with it (DESIGN §5, issue 4): nobody changes an account of higher standing. */
export function mayReach(route: string, actor: Actor, target: Target): boolean {
  if (actor === 'administrator') return target !== 'itself' || route === 'GET /admin/people/:id';
  if (target === 'a person elsewhere') return actor === 'help desk';
  return target === 'a person of North';
}
