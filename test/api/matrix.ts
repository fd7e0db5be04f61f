/** Who may use which endpoint. Written by hand, from the issue and not from the code that it judges. */

export const actors = [
  'nobody',
  'an ordinary token',
  'a person',
  'help desk',
  'administrator of North',
  'administrator',
  'machine',
  'machine without the scope',
  'machine of North',
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
  scope: string;
  to: readonly Actor[];
  /** The address names an account, or the case of one, which must be within the caller's reach. */
  about?: 'a person' | 'a case';
  /** Where somebody signed in, only just after that. */
  fresh?: true;
}

const operators: readonly Actor[] = ['help desk', 'administrator of North', 'administrator'];
const machines: readonly Actor[] = ['machine', 'machine of North'];
const everybody = [...operators, ...machines];
const administrators: readonly Actor[] = ['administrator of North', 'administrator', ...machines];
const unlimited: readonly Actor[] = ['administrator', 'machine'];

const deed = (name: string, to: readonly Actor[]): Record<string, Row> => ({
  [`POST /people/{id}/${name}`]: { scope: 'people:write', to, about: 'a person', fresh: true },
});
/** A person answers for it: no machine, whatever its scopes. */
const ofCase = (name: string, fresh?: true): Record<string, Row> => ({
  [`POST /cases/{number}/${name}`]: {
    scope: 'cases:write',
    to: operators,
    about: 'a case',
    ...(fresh ? { fresh } : {}),
  },
});
const reads = (path: string): Record<string, Row> => ({
  [`GET /clients${path}`]: { scope: 'clients:read', to: unlimited },
});
const writes = (method: string, path: string): Record<string, Row> => ({
  [`${method} /clients${path}`]: { scope: 'clients:write', to: unlimited, fresh: true },
});

export const rows: Record<string, Row> = {
  'GET /people': { scope: 'people:read', to: everybody },
  'POST /people': { scope: 'people:write', to: administrators, fresh: true },
  'GET /people/{id}': { scope: 'people:read', to: everybody, about: 'a person' },
  'GET /people/{id}/events': { scope: 'people:read', to: everybody, about: 'a person' },
  ...deed('disable', administrators),
  ...deed('enable', administrators),
  ...deed('end-sessions', everybody),
  ...deed('require-two-step', administrators),
  ...deed('resend-invitation', administrators),
  'PUT /people/{id}/role': { scope: 'roles:write', to: unlimited, about: 'a person', fresh: true },
  'PUT /people/{id}/groups/{group}': { scope: 'people:write', to: unlimited, about: 'a person', fresh: true },
  'DELETE /people/{id}/groups/{group}': {
    scope: 'people:write',
    to: unlimited,
    about: 'a person',
    fresh: true,
  },
  'PATCH /people/{id}': { scope: 'people:write', to: unlimited, about: 'a person', fresh: true },
  'GET /groups': { scope: 'people:read', to: unlimited },
  'POST /groups': { scope: 'groups:write', to: unlimited, fresh: true },
  'PUT /groups/{group}': { scope: 'groups:write', to: unlimited, fresh: true },
  'DELETE /groups/{group}': { scope: 'groups:write', to: unlimited, fresh: true },
  'GET /cases': { scope: 'cases:read', to: everybody },
  'GET /cases/{number}': { scope: 'cases:read', to: everybody, about: 'a case' },
  'POST /cases': { scope: 'cases:write', to: operators, fresh: true },
  ...ofCase('checks'),
  ...ofCase('notes'),
  ...ofCase('send-code', true),
  ...ofCase('begin-anew', true),
  ...ofCase('approve', true),
  ...ofCase('close', true),
  'GET /audit': { scope: 'audit:read', to: administrators },
  ...reads(''),
  ...reads('/{id}'),
  ...reads('/{id}/secrets'),
  ...reads('/{id}/refused-requests'),
  ...reads('/{id}/claims'),
  ...writes('POST', ''),
  ...writes('PUT', '/{id}'),
  ...writes('DELETE', '/{id}'),
  ...writes('POST', '/{id}/enable'),
  ...writes('POST', '/{id}/disable'),
  ...writes('POST', '/{id}/sign-out-everyone'),
  ...writes('POST', '/{id}/secrets'),
  ...writes('DELETE', '/{id}/secrets/{secret}'),
  ...writes('POST', '/apply'),
  'GET /initial-access-tokens': { scope: 'clients:read', to: unlimited },
  'POST /initial-access-tokens': { scope: 'clients:write', to: unlimited, fresh: true },
  'DELETE /initial-access-tokens/{id}': { scope: 'clients:write', to: unlimited, fresh: true },
  'GET /resource-servers': { scope: 'clients:read', to: unlimited },
  'GET /resource-servers/{server}': { scope: 'clients:read', to: unlimited },
  'POST /resource-servers': { scope: 'clients:write', to: unlimited, fresh: true },
  'PUT /resource-servers/{server}': { scope: 'clients:write', to: unlimited, fresh: true },
  'DELETE /resource-servers/{server}': { scope: 'clients:write', to: unlimited, fresh: true },
  'GET /claims': { scope: 'clients:read', to: unlimited },
  'POST /claims': { scope: 'clients:write', to: unlimited, fresh: true },
  'PUT /claims/{name}': { scope: 'clients:write', to: unlimited, fresh: true },
  'DELETE /claims/{name}': { scope: 'clients:write', to: unlimited, fresh: true },
  'POST /accounts/import': { scope: 'accounts:import', to: unlimited, fresh: true },
  'GET /accounts/export': { scope: 'accounts:export', to: unlimited, fresh: true },
};

/** Whom those who may use an endpoint reach with it; the machine of this table holds `roles:write`. */
export function mayReach(route: string, actor: Actor, target: Target): boolean {
  const reading = route === 'GET /people/{id}' || route === 'GET /people/{id}/events';
  if (target === 'itself') return actor === 'administrator' && reading;
  if (actor === 'administrator' || actor === 'machine') return true;
  if (target === 'a person elsewhere') return actor === 'help desk';
  return target === 'a person of North';
}
