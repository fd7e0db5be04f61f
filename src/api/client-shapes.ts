import { z } from 'zod';
import { apiScopes } from '../clients/resource-servers/api-scopes.ts';
import { assertionAudiences, assertionSigningAlgs } from '../clients/assertion-rules.ts';
import type { ClientDescription } from '../clients/schema.ts';
import {
  authMethods,
  clientIntents,
  clientTypes,
  consentModes,
  clientIdPattern,
  requiredAcrs,
  signingAlgs,
} from '../clients/schema.ts';
import type { RegisteredClient } from '../clients/clients.ts';
import { subjectTypes } from '../clients/sector-identifiers.ts';
import { exampleClient, exampleClientVersion } from './examples.ts';
import { groupId, isoString, instant } from './shapes.ts';

export const clientParams = z.object({ id: z.string().regex(clientIdPattern) });

const uriList = z.array(z.string());

/** Every field of a description has a place here; one that is forgotten does not compile. */
const clientShape = {
  id: z.string(),
  name: z.string(),
  description: z.string().optional(),
  contact: z.string().optional(),
  type: z.enum(clientTypes),
  firstParty: z.boolean(),
  authMethod: z.enum(authMethods),
  jwks: z.object({ keys: z.array(z.looseObject({ kty: z.string() })) }).optional(),
  assertionSigningAlg: z
    .enum(assertionSigningAlgs)
    .optional()
    .meta({ description: 'The one algorithm of its assertions; only where it signs them.' }),
  assertionAudience: z
    .enum(assertionAudiences)
    .optional()
    .meta({ description: 'The aud of its assertions, one string; only where it signs them.' }),
  redirectUris: uriList,
  postLogoutRedirectUris: uriList,
  corsOrigins: uriList,
  backchannelLogoutUri: z.string().optional(),
  frontchannelLogoutUri: z.string().optional(),
  launchUrl: z.string().optional(),
  initiateLoginUri: z.string().optional(),
  scopes: z
    .array(z.string())
    .meta({ description: 'profile, email, groups, offline_access, and the scopes of own claims.' }),
  allowedIntents: z.array(z.enum(clientIntents)),
  signingAlg: z.enum(signingAlgs),
  lifetimes: z.object({
    accessToken: z.int().optional(),
    idToken: z.int().optional(),
    refreshToken: z.int().optional(),
    session: z.int().optional(),
  }),
  requiredAcr: z.enum(requiredAcrs).optional(),
  allowedGroups: z.array(groupId),
  consent: z.enum(consentModes),
  parRequired: z.boolean(),
  pkceOptional: z.boolean(),
  dpopRequired: z.boolean(),
  deviceFlow: z.boolean(),
  subjectType: z.enum(subjectTypes),
  sector: z.string().optional(),
  apiScopes: z.array(z.enum(apiScopes)),
  apiGroup: groupId.optional(),
  resources: z.array(z.object({ resource: z.string(), scopes: z.array(z.string()) })),
  introspects: z.string().optional(),
  enabled: z.boolean(),
  managed: z.enum(['file', 'console']).meta({ description: 'Who looks after its description.' }),
  registeredWith: z
    .string()
    .nullable()
    .meta({ description: 'The initial access token with which it registered itself.' }),
  createdAt: instant,
  updatedAt: instant,
} satisfies Record<keyof ClientDescription, z.ZodType> & Record<string, z.ZodType>;

/** An application as it is answered: its description with every default, and never a secret. */
export const clientResponseSchema: z.ZodObject<typeof clientShape> = z.object(clientShape);

export const clientResponse = ({
  client,
  enabled,
  managed,
  registeredWith,
  createdAt,
  updatedAt,
}: RegisteredClient) => ({
  ...client,
  enabled,
  managed,
  registeredWith: registeredWith ?? null,
  createdAt: isoString(createdAt),
  updatedAt: isoString(updatedAt),
});

/** Which version of an application something is about. */
export const clientEtag = ({ updatedAt, enabled }: Pick<RegisteredClient, 'updatedAt' | 'enabled'>): string =>
  `"${updatedAt.getTime()}${enabled ? '' : '-off'}"`;

/** Whether If-Match names this version (RFC 9110 §13.1.1). */
export const matchesEtag = (header: string, etag: string): boolean =>
  header.trim() === '*' || header.split(',').some((one) => one.trim() === etag);

export const exampleClientInput = {
  name: 'Payroll',
  type: 'web',
  redirectUris: ['https://payroll.example/back'],
} as const;

export const exampleClientResponse = {
  id: exampleClient,
  ...exampleClientInput,
  firstParty: false,
  authMethod: 'secret',
  postLogoutRedirectUris: [],
  corsOrigins: [],
  scopes: ['profile', 'email'],
  allowedIntents: [],
  signingAlg: 'ES256',
  lifetimes: {},
  allowedGroups: [],
  consent: 'remembered',
  parRequired: false,
  pkceOptional: false,
  dpopRequired: false,
  deviceFlow: false,
  subjectType: 'public',
  apiScopes: [],
  resources: [],
  enabled: true,
  managed: 'console',
  registeredWith: null,
  createdAt: '2026-03-01T08:00:00.000Z',
  updatedAt: exampleClientVersion.updatedAt,
};
