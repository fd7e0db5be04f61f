import { z } from 'zod';
import { apiScopes } from '../clients/resource-servers/api-scopes.ts';
import { assertionAudiences, assertionSigningAlgs } from '../clients/assertion-rules.ts';
import type { ClientDescription } from '../clients/schema.ts';
import {
  authMethods,
  clientIntents,
  clientTypes,
  consentModes,
  identifier,
  requiredAcrs,
  signingAlgs,
} from '../clients/schema.ts';
import type { RegisteredClient } from '../clients/clients.ts';
import { subjectTypes } from '../clients/sector-identifiers.ts';
import { exampleClient, exampleVersion } from './examples.ts';
import { groupId, iso, moment } from './shapes.ts';

export const clientParams = z.object({ id: z.string().regex(identifier) });

const addresses = z.array(z.string());

/** Every field of a description has a place here; one that is forgotten does not compile. */
const shape = {
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
  redirectUris: addresses,
  postLogoutRedirectUris: addresses,
  corsOrigins: addresses,
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
  createdAt: moment,
  updatedAt: moment,
} satisfies Record<keyof ClientDescription, z.ZodType> & Record<string, z.ZodType>;

/** An application as it is answered: its description with every default, and never a secret. */
export const clientAnswer: z.ZodObject<typeof shape> = z.object(shape);

export const shownClient = ({
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
  createdAt: iso(createdAt),
  updatedAt: iso(updatedAt),
});

/** Which version of an application something is about. */
export const etagOf = ({ updatedAt, enabled }: Pick<RegisteredClient, 'updatedAt' | 'enabled'>): string =>
  `"${updatedAt.getTime()}${enabled ? '' : '-off'}"`;

/** Whether If-Match names this version (RFC 9110 §13.1.1). */
export const matches = (header: string, etag: string): boolean =>
  header.trim() === '*' || header.split(',').some((one) => one.trim() === etag);

export const exampleDescription = {
  name: 'Payroll',
  type: 'web',
  redirectUris: ['https://payroll.example/back'],
} as const;

export const exampleAnswer = {
  id: exampleClient,
  ...exampleDescription,
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
  updatedAt: exampleVersion.updatedAt,
};
