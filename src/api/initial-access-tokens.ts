import { z } from 'zod';
import { clientTypes } from '../clients/schema.ts';
import type { InitialTokenRefusal, InitialAccessToken } from '../oidc/registration/initial-access-tokens.ts';
import {
  createInitialAccessToken,
  registrationLimits,
  listInitialAccessTokens as allTokens,
  revokeInitialAccessToken,
  getTokenState,
} from '../oidc/registration/initial-access-tokens.ts';
import { inputError } from './body.ts';
import { auditActorOf } from './clients.ts';
import type { Endpoint } from './endpoint.ts';
import { defineEndpoint } from './endpoint.ts';
import { exampleInitialAccessToken } from './examples.ts';
import type { Problem } from './problem.ts';
import { isoString, isoStringOrNull, instant, instantOrNull } from './shapes.ts';

const tokenSummary = z.object({
  id: z.uuid(),
  name: z.string(),
  state: z.enum(['live', 'used-up', 'expired']),
  uses: z.int(),
  mostUses: z.int(),
  types: z.array(z.enum(clientTypes)).meta({ description: 'What may be registered with it; none: all.' }),
  hosts: z.array(z.string()).meta({ description: 'Where all addresses of it must be; none: anywhere.' }),
  createdAt: instant,
  lastUsedAt: instantOrNull,
  expiresAt: instant,
});

const tokenResponse = (token: InitialAccessToken) => ({
  ...token,
  state: getTokenState(token),
  createdAt: isoString(token.createdAt),
  lastUsedAt: isoStringOrNull(token.lastUsedAt),
  expiresAt: isoString(token.expiresAt),
});

const listTokensEndpoint = defineEndpoint({
  method: 'GET',
  path: '/initial-access-tokens',
  name: 'listInitialAccessTokens',
  summary: 'The tokens with which programs register themselves (RFC 7591): how each is used, never itself.',
  scope: 'clients:read',
  action: 'clients.read',
  answers: { status: 200, schema: z.object({ items: z.array(tokenSummary) }) },
  refuses: [],
  example: {
    answer: {
      items: [
        {
          id: exampleInitialAccessToken,
          name: 'The Supplier Ltd',
          state: 'live',
          uses: 0,
          mostUses: 1,
          types: ['web'],
          hosts: ['app.supplier.example'],
          createdAt: '2026-03-01T08:00:00.000Z',
          lastUsedAt: null,
          expiresAt: '2126-03-02T08:00:00.000Z',
        },
      ],
    },
  },
  handle: async ({ house: context }) => ({
    body: { items: (await allTokens(context.db)).map(tokenResponse) },
  }),
});

const refusalProblems: Record<InitialTokenRefusal, Problem> = {
  'name-missing': { problem: 'invalid', errors: [inputError('name', 'missing')] },
  'name-taken': { problem: 'token-name-taken' },
  'too-many-tokens': { problem: 'too-many-tokens' },
  'lifetime-out-of-range': { problem: 'invalid', errors: [inputError('hours', 'lifetime-out-of-range')] },
  'uses-out-of-range': { problem: 'invalid', errors: [inputError('uses', 'malformed')] },
  'type-unknown': { problem: 'invalid', errors: [inputError('types', 'not-a-choice')] },
  'host-malformed': { problem: 'invalid', errors: [inputError('hosts', 'malformed')] },
};

const { hours, uses, hosts } = registrationLimits;

const createTokenEndpoint = defineEndpoint({
  method: 'POST',
  path: '/initial-access-tokens',
  name: 'createInitialAccessToken',
  summary: 'Make an initial access token. It stands in this answer, once, and nowhere else.',
  description: 'It lets a program register itself at `/reg`, as often as `uses` says.',
  scope: 'clients:write',
  action: 'clients.write',
  fresh: true,
  body: z.strictObject({
    name: z.string().min(1).max(80),
    hours: z
      .int()
      .min(1, 'lifetime-out-of-range')
      .max(hours.most, 'lifetime-out-of-range')
      .default(hours.usual),
    uses: z.int().min(1).max(uses.most).default(uses.usual),
    types: z.array(z.enum(clientTypes)).max(clientTypes.length, 'too-many').default([]),
    hosts: z.array(z.string().max(253)).max(hosts, 'too-many').default([]),
  }),
  answers: {
    status: 201,
    schema: z.object({ id: z.uuid(), name: z.string(), token: z.string(), expiresAt: instant }),
  },
  refuses: ['token-name-taken', 'too-many-tokens'],
  example: {
    body: { name: 'The Supplier Ltd', hours: 48, uses: 2, types: ['web'], hosts: ['app.supplier.example'] },
    answer: {
      id: exampleInitialAccessToken,
      name: 'The Supplier Ltd',
      token: 'shown-here-once',
      expiresAt: '2126-03-02T08:00:00.000Z',
    },
  },
  async handle(request) {
    const { db, settings } = request.house;
    const { by, origin: requestInfo } = auditActorOf(request);
    const made = await createInitialAccessToken(db, request.body, { by, origin: requestInfo });
    if ('refusal' in made) return refusalProblems[made.refusal];
    const location = `${settings.HEMMA_ISSUER}/api/initial-access-tokens`;
    return { location, body: { ...made, expiresAt: isoString(made.expiresAt) } };
  },
});

const revokeTokenEndpoint = defineEndpoint({
  method: 'DELETE',
  path: '/initial-access-tokens/{id}',
  name: 'revokeInitialAccessToken',
  summary: 'Revoke an initial access token at once. What was registered with it stays.',
  scope: 'clients:write',
  action: 'clients.write',
  fresh: true,
  params: z.object({ id: z.uuid() }),
  answers: { status: 204 },
  refuses: [],
  example: { params: { id: exampleInitialAccessToken } },
  async handle(request) {
    const { by, origin: requestInfo } = auditActorOf(request);
    const gone = await revokeInitialAccessToken(request.house.db, request.params.id, {
      by,
      origin: requestInfo,
    });
    return gone ? undefined : { problem: 'not-found' };
  },
});

export const initialAccessTokenEndpoints: readonly Endpoint[] = [
  listTokensEndpoint,
  createTokenEndpoint,
  revokeTokenEndpoint,
];
