import type { Permission } from '../../users/operators.ts';
import { humanOnlyPermissions } from '../../users/operators.ts';

/** The parts of the interface for programs: an application asks for what it needs, and gets what its description lists. */
export const apiScopes = [
  'people:read',
  'people:write',
  'roles:write',
  'groups:write',
  'cases:read',
  'cases:write',
  'audit:read',
  'clients:read',
  'clients:write',
  'accounts:import',
  'accounts:export',
] as const;
export type ApiScope = (typeof apiScopes)[number];

/** What each scope opens: an operator may do of it what their role allows, a program that acts by itself all of it. */
export const actionsByScope: Record<ApiScope, readonly Permission[]> = {
  'people:read': ['people.read', 'groups.read'],
  'people:write': [
    'people.invite',
    'people.disable',
    'people.end-sessions',
    'people.require-two-step',
    'people.groups',
    'people.attributes',
  ],
  'roles:write': ['people.role'],
  'groups:write': ['groups.write'],
  'cases:read': ['cases.read'],
  'cases:write': ['cases.send-code', 'cases.approve'],
  'audit:read': ['audit.read'],
  'clients:read': ['clients.read'],
  'clients:write': ['clients.write'],
  'accounts:import': ['accounts.import'],
  'accounts:export': ['accounts.export'],
};

/** What a set of scopes opens. */
export const getActionsOfScopes = (scopes: Iterable<ApiScope>): Permission[] =>
  [...scopes].flatMap((scope) => [...actionsByScope[scope]]);

export const isApiScope = (text: string): text is ApiScope => apiScopes.some((scope) => scope === text);

/** Whether a scope opens something that only a person can answer for: no service has use for it. */
export const requiresHumanOperator = (scope: ApiScope): boolean =>
  actionsByScope[scope].every((action) => humanOnlyPermissions.has(action));

/** The name of the interface as the one protected resource of this provider (RFC 8707). */
export const getApiResource = (issuer: string): string => `${issuer}/api`;

/** What a program may hand on to applications: what it holds itself. Undefined: no limit, for console and shell. */
export interface DelegationLimit {
  scopes: ReadonlySet<ApiScope>;
  group: string | undefined;
  /** Nobody stands behind it: an application that people come through would lend it their role. */
  alone: boolean;
}

/** What of an application's description gives it rights. */
type ScopedClient = { type: string; apiScopes: readonly ApiScope[]; apiGroup?: string | undefined };

/**
 * Whether one of these descriptions holds more than a program has to give: rights never grow by making, changing or
 * taking over another application.
 */
export const exceedsDelegationLimit = (
  limit: DelegationLimit | undefined,
  ...clients: (ScopedClient | undefined)[]
): boolean =>
  limit !== undefined &&
  clients.some(
    (client) =>
      client !== undefined &&
      client.apiScopes.length > 0 &&
      ((limit.alone && client.type !== 'service') ||
        client.apiScopes.some((scope) => !limit.scopes.has(scope)) ||
        (limit.group !== undefined && client.apiGroup !== limit.group)),
  );
