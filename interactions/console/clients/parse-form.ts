import { z } from 'zod';
import type { ClientDescription, ClientType } from '../../../src/clients/schema.ts';
import { linesOf } from './redirect-uris.ts';
import type { FieldsProps } from './fields.tsx';
import { choicesOf, resourcesChosen } from './resources.tsx';

const text = z.string().max(15_000).default('');
/** Boxes of one name: none, one or several of them. */
const boxes = z
  .union([z.string().max(100), z.array(z.string().max(100)).max(100)])
  .default([])
  .transform((given) => [given].flat());

/** What the form of an application sends; what it means is judged by the description's own schema. */
export const clientForm = z.object({
  id: text,
  name: text,
  description: text,
  contact: text,
  firstParty: text,
  redirectUris: text,
  postLogoutRedirectUris: text,
  corsOrigins: text,
  backchannelLogoutUri: text,
  frontchannelLogoutUri: text,
  launchUrl: text,
  initiateLoginUri: text,
  authMethod: text,
  jwks: text,
  assertionSigningAlg: text,
  assertionAudience: text,
  scopes: boxes,
  consent: text,
  allowedGroups: boxes,
  requiredAcr: text,
  'lifetimes-accessToken': text,
  'lifetimes-idToken': text,
  'lifetimes-refreshToken': text,
  'lifetimes-session': text,
  signingAlg: text,
  allowedIntents: boxes,
  parRequired: text,
  pkceOptional: text,
  dpopRequired: text,
  deviceFlow: text,
  subjectType: text,
  sector: text,
  apiScopes: boxes,
  apiGroup: text,
  resources: z
    .union([z.string().max(700), z.array(z.string().max(700)).max(1000)])
    .default([])
    .transform((chosen) => [chosen].flat()),
  introspects: text,
  /** The state of the application that the form was made from. */
  seen: z.string().max(20).default(''),
});

type Sent = z.output<typeof clientForm>;

const given = (field: string): string | undefined => field.trim() || undefined;

/** A number where it is one; anything else is left for the schema to refuse. */
const number = (field: string): number | string | undefined => {
  const value = given(field);
  return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : value;
};

function json(field: string): unknown {
  const value = given(field);
  if (value === undefined) return undefined;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

function lifetimes(sent: Sent, type: ClientType) {
  const names = type === 'service' ? ['accessToken'] : ['accessToken', 'idToken', 'refreshToken', 'session'];
  const chosen = names.map(
    (name) => [name, number(sent[`lifetimes-${name}` as keyof Sent] as string)] as const,
  );
  return Object.fromEntries(chosen.filter(([, value]) => value !== undefined));
}

/** What was sent as a description, not judged yet; `undefined` members mean the type's default. */
export function described(sent: Sent, type: ClientType, id: string): Record<string, unknown> {
  const about = {
    id,
    type,
    name: sent.name,
    description: given(sent.description),
    contact: given(sent.contact),
    ...(type === 'web' || type === 'service'
      ? {
          authMethod: given(sent.authMethod),
          jwks: json(sent.jwks),
          // The form shows these for every proof; they are of those that sign.
          ...(sent.authMethod === 'private_key_jwt'
            ? { assertionSigningAlg: given(sent.assertionSigningAlg) }
            : {}),
          ...(sent.authMethod === 'secret' ? {} : { assertionAudience: given(sent.assertionAudience) }),
        }
      : {}),
    lifetimes: lifetimes(sent, type),
    dpopRequired: sent.dpopRequired === 'yes',
    apiScopes: sent.apiScopes,
    resources: resourcesChosen(sent.resources),
    ...(type === 'service' ? { apiGroup: given(sent.apiGroup), introspects: given(sent.introspects) } : {}),
  };
  if (type === 'service') return about;
  return {
    ...about,
    firstParty: sent.firstParty === 'yes',
    redirectUris: linesOf(sent.redirectUris),
    postLogoutRedirectUris: linesOf(sent.postLogoutRedirectUris),
    corsOrigins: linesOf(sent.corsOrigins),
    backchannelLogoutUri: given(sent.backchannelLogoutUri),
    frontchannelLogoutUri: given(sent.frontchannelLogoutUri),
    launchUrl: given(sent.launchUrl),
    initiateLoginUri: given(sent.initiateLoginUri),
    scopes: sent.scopes,
    consent: given(sent.consent),
    allowedGroups: sent.allowedGroups,
    requiredAcr: given(sent.requiredAcr),
    signingAlg: given(sent.signingAlg),
    allowedIntents: sent.allowedIntents,
    parRequired: sent.parRequired === 'yes',
    pkceOptional: sent.pkceOptional === 'yes',
    deviceFlow: sent.deviceFlow === 'yes',
    subjectType: given(sent.subjectType),
    sector: given(sent.sector),
  };
}

/** What stands in the form again after a refusal: what was typed, lists as their lines. */
export const valuesSent = ({ resources, ...sent }: Sent): FieldsProps['values'] => ({
  ...sent,
  resourceChoices: resources,
  redirectUris: linesOf(sent.redirectUris),
  postLogoutRedirectUris: linesOf(sent.postLogoutRedirectUris),
  corsOrigins: linesOf(sent.corsOrigins),
  'lifetimes.accessToken': sent['lifetimes-accessToken'],
  'lifetimes.idToken': sent['lifetimes-idToken'],
  'lifetimes.refreshToken': sent['lifetimes-refreshToken'],
  'lifetimes.session': sent['lifetimes-session'],
});

const yes = (value: boolean) => (value ? 'yes' : '');
const digits = (value: number | undefined) => value?.toString() ?? '';

/** An application as the form shows it. */
export function valuesOf(client: ClientDescription): FieldsProps['values'] {
  const {
    lifetimes: lasts,
    jwks,
    firstParty,
    parRequired,
    pkceOptional,
    dpopRequired,
    deviceFlow,
    resources,
    ...rest
  } = client;
  return {
    ...rest,
    resourceChoices: choicesOf(resources),
    firstParty: yes(firstParty),
    parRequired: yes(parRequired),
    pkceOptional: yes(pkceOptional),
    dpopRequired: yes(dpopRequired),
    deviceFlow: yes(deviceFlow),
    jwks: jwks ? JSON.stringify(jwks, null, 2) : '',
    // The default has no name of its own in the form.
    assertionAudience: client.assertionAudience === 'token-endpoint' ? 'token-endpoint' : '',
    'lifetimes.accessToken': digits(lasts.accessToken),
    'lifetimes.idToken': digits(lasts.idToken),
    'lifetimes.refreshToken': digits(lasts.refreshToken),
    'lifetimes.session': digits(lasts.session),
  };
}
