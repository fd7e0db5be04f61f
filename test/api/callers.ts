/** Those who call the interface for programs: machines, and people with a role through an application. */
import { clientSchema } from '../../src/clients/schema.ts';
import { discardMail } from '../../src/mail/outbox.ts';
import {
  type ApiScope,
  apiScopes,
  requiresHumanOperator,
} from '../../src/clients/resource-servers/api-scopes.ts';
import { addSecret } from '../../src/clients/secrets.ts';
import { createClient } from '../../src/clients/clients.ts';
import { exchange } from '../rig/exchange.ts';
import type { Hemma } from '../rig/hemma.ts';
import type { RelyingParty } from '../rig/relying-party.ts';
import { basic, basicOf, post, type Told } from '../protocol/requests.ts';
import { newPerson, type Person } from '../protocol/people.ts';
import type { Role } from '../../src/users/users.ts';
import type { Group } from '../../src/users/groups.ts';
import { changeRole } from '../../src/users/operators.ts';

/** What a service may have: all that no person must answer for. */
export const machineScopes: readonly ApiScope[] = apiScopes.filter((scope) => !requiresHumanOperator(scope));

export const resourceOf = ({ issuer }: Pick<Hemma, 'issuer'>): string => `${issuer}/api`;

export interface Service {
  id: string;
  secret: string;
}

/** Registers a service with these scopes, limited to a group or not. */
export async function service(
  hemma: Hemma,
  id: string,
  scopes: readonly ApiScope[],
  group?: string,
): Promise<Service> {
  const described = clientSchema.parse({
    id,
    name: id,
    type: 'service',
    apiScopes: scopes,
    ...(group ? { apiGroup: group } : {}),
  });
  await createClient(hemma.db, described, {});
  return { id, secret: (await addSecret(hemma.db, id, 'test')) ?? '' };
}

/** Asks for a token as the documents say: client credentials, for the resource. */
export const askToken = (
  hemma: Hemma,
  { id, secret }: Service,
  fields: Record<string, string>,
): Promise<Told> =>
  post(hemma.url('/token'), { grant_type: 'client_credentials', ...fields }, basic(id, secret));

export async function machineToken(hemma: Hemma, one: Service, scopes: readonly string[]): Promise<string> {
  const answer = await askToken(hemma, one, { scope: scopes.join(' '), resource: resourceOf(hemma) });
  if (answer.status !== 200) throw new Error(answer.body);
  return String(answer.json['access_token']);
}

/** Signs somebody in to an application for the interface, and redeems the code. */
export async function tokenOf(
  hemma: Hemma,
  party: RelyingParty,
  person: Person,
  scopes: readonly string[],
  more: Record<string, string> = {},
): Promise<string> {
  const resource = resourceOf(hemma);
  const begun = await party.begin({ scope: ['openid', ...scopes].join(' '), resource, ...more });
  const screen = await person.signIn(begun.url);
  const code = screen.url.searchParams.get('code');
  if (!code) throw new Error(`ended at ${screen.url.href}: ${screen.text}`);
  const answer = await post(
    hemma.url('/token'),
    {
      grant_type: 'authorization_code',
      code,
      redirect_uri: party.redirectUri,
      code_verifier: begun.verifier,
      resource,
    },
    basicOf(party),
  );
  if (answer.status !== 200) throw new Error(answer.body);
  return String(answer.json['access_token']);
}

/** Somebody with a role, over everybody or over one group; their phone and browser are theirs. */
export async function somebodyWith(hemma: Hemma, role: Role, over?: Group): Promise<Person> {
  const person = await newPerson(hemma);
  const change = { target: person.account.id, by: 'shell', role, group: over?.id } as const;
  const quiet = {
    endEverything: () => Promise.resolve(),
    voidHelpDeskCode: () => Promise.resolve(false),
  };
  const refused = await changeRole(hemma.db, discardMail, quiet, change);
  if (refused) throw new Error(refused.code);
  return person;
}

export interface Request {
  method?: string;
  token?: string | undefined;
  json?: unknown;
  body?: string;
  headers?: Record<string, string>;
}

/** One request to the interface, from a network of its own where it is not said. */
export async function call(
  hemma: Hemma,
  path: string,
  { method = 'GET', token, json, body, headers = {} }: Request = {},
): Promise<Told> {
  const answer = await exchange(new URL(hemma.url(`/api${path}`)), {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body ?? (json === undefined ? '' : JSON.stringify(json)),
  });
  const isJson = (answer.headers['content-type'] ?? '').includes('json');
  return {
    ...answer,
    json: isJson && answer.body ? (JSON.parse(answer.body) as Record<string, unknown>) : {},
  };
}

/** What a refusal is: problem+json with its status, its code and the number of the request, and nothing else. */
export const isProblem = ({ status, headers, json }: Told, code?: string): boolean =>
  headers['content-type']?.startsWith('application/problem+json') === true &&
  json['status'] === status &&
  json['type'] === `urn:hemma:problem:${String(json['code'])}` &&
  /^[0-9a-f]{12}$/.test(String(json['reference'])) &&
  Object.keys(json).every((key) =>
    ['type', 'title', 'status', 'code', 'reference', 'errors'].includes(key),
  ) &&
  (code === undefined || json['code'] === code);
