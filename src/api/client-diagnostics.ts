import { z } from 'zod';
import { findVisibleUser } from '../users/operators.ts';
import { findClientById } from '../clients/clients.ts';
import { previewClaims, accessVerdicts } from '../oidc/claims-preview.ts';
import { clientErrorCauses } from '../oidc/error-causes.ts';
import { listClientErrors, clientErrorEndpoints } from '../oidc/client-errors.ts';
import { clientParams } from './client-shapes.ts';
import type { Endpoint } from './endpoint.ts';
import { defineEndpoint } from './endpoint.ts';
import { exampleClient, exampleUser } from './examples.ts';
import { userId, isoString, instant } from './shapes.ts';

const listClientErrorsEndpoint = defineEndpoint({
  method: 'GET',
  path: '/clients/{id}/refused-requests',
  name: 'listRefusedRequests',
  summary: 'What the application asked for and did not get, the latest first.',
  description: '`error` is what it was told, `detail` why. Address and detail may come from outside.',
  scope: 'clients:read',
  action: 'clients.read',
  params: clientParams,
  answers: {
    status: 200,
    schema: z.object({
      items: z.array(
        z.object({
          endpoint: z.enum(clientErrorEndpoints),
          error: z.string(),
          detail: z.string(),
          cause: z.enum(clientErrorCauses),
          address: z.string().nullable(),
          times: z.int().meta({ description: 'What comes more than once a second is counted once.' }),
          firstAt: instant,
          lastAt: instant,
        }),
      ),
    }),
  },
  refuses: [],
  example: {
    params: { id: exampleClient },
    answer: {
      items: [
        {
          endpoint: 'authorization',
          error: 'invalid_redirect_uri',
          detail: "redirect_uri did not match any of the client's registered redirect_uris",
          cause: 'redirect-address',
          address: 'https://payroll.example/bakc',
          times: 3,
          firstAt: '2026-02-27T14:00:00.000Z',
          lastAt: '2026-03-01T09:00:00.000Z',
        },
      ],
    },
  },
  async handle({ house: context, params: { id } }) {
    if (!(await findClientById(context.db, id))) return { problem: 'not-found' };
    const found = await listClientErrors(context.db, id);
    const items = found.map(({ address = null, firstAt, lastAt, ...row }) => ({
      ...row,
      address,
      firstAt: isoString(firstAt),
      lastAt: isoString(lastAt),
    }));
    return { body: { items } };
  },
});

const previewClaimsEndpoint = defineEndpoint({
  method: 'GET',
  path: '/clients/{id}/claims',
  name: 'previewClaims',
  summary: 'What the application would be told of a person. Nothing is sent to it.',
  description: 'A claim without a value is decided at the sign-in.',
  scope: 'clients:read',
  alsoScope: 'people:read',
  action: 'clients.read',
  params: clientParams,
  query: z.strictObject({ person: z.string().max(254).meta({ description: "The person's address." }) }),
  answers: {
    status: 200,
    schema: z.object({
      person: userId,
      verdicts: z.array(z.enum(accessVerdicts)),
      claims: z.array(
        z.object({
          name: z.string(),
          value: z.unknown().optional(),
          where: z.enum(['id-token', 'userinfo']),
        }),
      ),
    }),
  },
  refuses: ['no-such-person'],
  example: {
    params: { id: exampleClient },
    query: { person: exampleUser.email },
    answer: {
      person: exampleUser.id,
      verdicts: ['allowed'],
      claims: [
        { name: 'iss', value: 'https://home.example', where: 'id-token' },
        { name: 'aud', value: exampleClient, where: 'id-token' },
        { name: 'sub', value: exampleUser.id, where: 'id-token' },
        { name: 'acr', where: 'id-token' },
      ],
    },
  },
  async handle({ house: context, caller, params, query }) {
    const known = await findClientById(context.db, params.id);
    if (!known) return { problem: 'not-found' };
    const preview = await previewClaims(context.db, context.provider, known.client, query.person);
    const visibleUser =
      preview && (await findVisibleUser(context.db, caller.actor, 'people.read', preview.person.id));
    if (!preview || !visibleUser) return { problem: 'no-such-person' };
    return { body: { person: visibleUser.id, verdicts: preview.verdicts, claims: preview.claims } };
  },
});

/** What helps whoever connects an application: what it did not get, and what it would be told. */
export const clientDiagnosticsEndpoints: readonly Endpoint[] = [
  listClientErrorsEndpoint,
  previewClaimsEndpoint,
];
