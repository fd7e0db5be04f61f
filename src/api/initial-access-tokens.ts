import { z } from 'zod';
import { clientTypes } from '../clients/schema.ts';
import type { RegistrationRefusal, InitialAccessToken } from '../oidc/registration/initial-access-tokens.ts';
import {
  newInitialAccessToken,
  registrationLimits,
  initialAccessTokens as allTokens,
  revokeInitialAccessToken,
  stateOf,
} from '../oidc/registration/initial-access-tokens.ts';
import { inputFault } from './body.ts';
import { doer } from './clients.ts';
import type { Endpoint } from './endpoint.ts';
import { endpoint } from './endpoint.ts';
import { exampleToken } from './examples.ts';
import type { Problem } from './problem.ts';
import { iso, isoOrNull, moment, momentOrNull } from './shapes.ts';

const listed = z.object({
  id: z.uuid(),
  name: z.string(),
  state: z.enum(['live', 'used-up', 'expired']),
  uses: z.int(),
  mostUses: z.int(),
  types: z.array(z.enum(clientTypes)).meta({ description: 'What may be registered with it; none: all.' }),
  hosts: z.array(z.string()).meta({ description: 'Where all addresses of it must be; none: anywhere.' }),
  createdAt: moment,
  lastUsedAt: momentOrNull,
  expiresAt: moment,
});

const shown = (token: InitialAccessToken) => ({
  ...token,
  state: stateOf(token),
  createdAt: iso(token.createdAt),
  lastUsedAt: isoOrNull(token.lastUsedAt),
  expiresAt: iso(token.expiresAt),
});

const list = endpoint({
  method: 'GET',
  path: '/initial-access-tokens',
  name: 'listInitialAccessTokens',
  summary: 'The tokens with which programs register themselves (RFC 7591): how each is used, never itself.',
  scope: 'clients:read',
  action: 'clients.read',
  answers: { status: 200, schema: z.object({ items: z.array(listed) }) },
  refuses: [],
  example: {
    answer: {
      items: [
        {
          id: exampleToken,
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
  handle: async ({ house }) => ({ body: { items: (await allTokens(house.db)).map(shown) } }),
});

const ofRefusal: Record<RegistrationRefusal, Problem> = {
  'name-missing': { problem: 'invalid', errors: [inputFault('name', 'missing')] },
  'name-taken': { problem: 'token-name-taken' },
  'too-many-tokens': { problem: 'too-many-tokens' },
  'lifetime-out-of-range': { problem: 'invalid', errors: [inputFault('hours', 'lifetime-out-of-range')] },
  'uses-out-of-range': { problem: 'invalid', errors: [inputFault('uses', 'malformed')] },
  'type-unknown': { problem: 'invalid', errors: [inputFault('types', 'not-a-choice')] },
  'host-malformed': { problem: 'invalid', errors: [inputFault('hosts', 'malformed')] },
};

const { hours, uses, hosts } = registrationLimits;

const create = endpoint({
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
    schema: z.object({ id: z.uuid(), name: z.string(), token: z.string(), expiresAt: moment }),
  },
  refuses: ['token-name-taken', 'too-many-tokens'],
  example: {
    body: { name: 'The Supplier Ltd', hours: 48, uses: 2, types: ['web'], hosts: ['app.supplier.example'] },
    answer: {
      id: exampleToken,
      name: 'The Supplier Ltd',
      token: 'shown-here-once',
      expiresAt: '2126-03-02T08:00:00.000Z',
    },
  },
  async handle(asked) {
    const { db, settings } = asked.house;
    const { by, origin } = doer(asked);
    const made = await newInitialAccessToken(db, asked.body, { by, origin });
    if ('refusal' in made) return ofRefusal[made.refusal];
    const location = `${settings.HEMMA_ISSUER}/api/initial-access-tokens`;
    return { location, body: { ...made, expiresAt: iso(made.expiresAt) } };
  },
});

const revoke = endpoint({
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
  example: { params: { id: exampleToken } },
  async handle(asked) {
    const { by, origin } = doer(asked);
    const gone = await revokeInitialAccessToken(asked.house.db, asked.params.id, { by, origin });
    return gone ? undefined : { problem: 'not-found' };
  },
});

export const initialAccessTokens: readonly Endpoint[] = [list, create, revoke];
