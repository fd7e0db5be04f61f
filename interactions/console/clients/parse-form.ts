import { z } from 'zod';
import type { ClientDescription, ClientType } from '../../../src/clients/schema.ts';
import { splitNonEmptyLines } from './redirect-uris.ts';
import type { FieldsProps } from './fields.tsx';
import { resourceOptions, parseResourceOptions } from './resources.tsx';

const textField = z.string().max(15_000).default('');
/** Boxes of one name: none, one or several of them. */
const checkboxesField = z
  .union([z.string().max(100), z.array(z.string().max(100)).max(100)])
  .default([])
  .transform((given) => [given].flat());

/** What the form of an application sends; what it means is judged by the description's own schema. */
export const clientForm = z.object({
  id: textField,
  name: textField,
  description: textField,
  contact: textField,
  firstParty: textField,
  redirectUris: textField,
  postLogoutRedirectUris: textField,
  corsOrigins: textField,
  backchannelLogoutUri: textField,
  frontchannelLogoutUri: textField,
  launchUrl: textField,
  initiateLoginUri: textField,
  authMethod: textField,
  jwks: textField,
  assertionSigningAlg: textField,
  assertionAudience: textField,
  scopes: checkboxesField,
  consent: textField,
  allowedGroups: checkboxesField,
  requiredAcr: textField,
  'lifetimes-accessToken': textField,
  'lifetimes-idToken': textField,
  'lifetimes-refreshToken': textField,
  'lifetimes-session': textField,
  signingAlg: textField,
  allowedIntents: checkboxesField,
  parRequired: textField,
  pkceOptional: textField,
  dpopRequired: textField,
  deviceFlow: textField,
  subjectType: textField,
  sector: textField,
  apiScopes: checkboxesField,
  apiGroup: textField,
  resources: z
    .union([z.string().max(700), z.array(z.string().max(700)).max(1000)])
    .default([])
    .transform((chosen) => [chosen].flat()),
  introspects: textField,
  /** The state of the application that the form was made from. */
  seen: z.string().max(20).default(''),
});

type ClientFormValues = z.output<typeof clientForm>;

const trimToUndefined = (field: string): string | undefined => field.trim() || undefined;

/** A number where it is one; anything else is left for the schema to refuse. */
const parseNumberField = (field: string): number | string | undefined => {
  const value = trimToUndefined(field);
  return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : value;
};

function parseJsonField(field: string): unknown {
  const value = trimToUndefined(field);
  if (value === undefined) return undefined;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

function parseLifetimes(sent: ClientFormValues, type: ClientType) {
  const names = type === 'service' ? ['accessToken'] : ['accessToken', 'idToken', 'refreshToken', 'session'];
  const chosen = names.map(
    (name) =>
      [name, parseNumberField(sent[`lifetimes-${name}` as keyof ClientFormValues] as string)] as const,
  );
  return Object.fromEntries(chosen.filter(([, value]) => value !== undefined));
}

/** What was sent as a description, not judged yet; `undefined` members mean the type's default. */
export function toClientInput(sent: ClientFormValues, type: ClientType, id: string): Record<string, unknown> {
  const about = {
    id,
    type,
    name: sent.name,
    description: trimToUndefined(sent.description),
    contact: trimToUndefined(sent.contact),
    ...(type === 'web' || type === 'service'
      ? {
          authMethod: trimToUndefined(sent.authMethod),
          jwks: parseJsonField(sent.jwks),
          // The form shows these for every proof; they are of those that sign.
          ...(sent.authMethod === 'private_key_jwt'
            ? { assertionSigningAlg: trimToUndefined(sent.assertionSigningAlg) }
            : {}),
          ...(sent.authMethod === 'secret'
            ? {}
            : { assertionAudience: trimToUndefined(sent.assertionAudience) }),
        }
      : {}),
    lifetimes: parseLifetimes(sent, type),
    dpopRequired: sent.dpopRequired === 'yes',
    apiScopes: sent.apiScopes,
    resources: parseResourceOptions(sent.resources),
    ...(type === 'service'
      ? { apiGroup: trimToUndefined(sent.apiGroup), introspects: trimToUndefined(sent.introspects) }
      : {}),
  };
  if (type === 'service') return about;
  return {
    ...about,
    firstParty: sent.firstParty === 'yes',
    redirectUris: splitNonEmptyLines(sent.redirectUris),
    postLogoutRedirectUris: splitNonEmptyLines(sent.postLogoutRedirectUris),
    corsOrigins: splitNonEmptyLines(sent.corsOrigins),
    backchannelLogoutUri: trimToUndefined(sent.backchannelLogoutUri),
    frontchannelLogoutUri: trimToUndefined(sent.frontchannelLogoutUri),
    launchUrl: trimToUndefined(sent.launchUrl),
    initiateLoginUri: trimToUndefined(sent.initiateLoginUri),
    scopes: sent.scopes,
    consent: trimToUndefined(sent.consent),
    allowedGroups: sent.allowedGroups,
    requiredAcr: trimToUndefined(sent.requiredAcr),
    signingAlg: trimToUndefined(sent.signingAlg),
    allowedIntents: sent.allowedIntents,
    parRequired: sent.parRequired === 'yes',
    pkceOptional: sent.pkceOptional === 'yes',
    deviceFlow: sent.deviceFlow === 'yes',
    subjectType: trimToUndefined(sent.subjectType),
    sector: trimToUndefined(sent.sector),
  };
}

/** What stands in the form again after a refusal: what was typed, lists as their lines. */
export const submittedValues = ({ resources, ...sent }: ClientFormValues): FieldsProps['values'] => ({
  ...sent,
  resourceChoices: resources,
  redirectUris: splitNonEmptyLines(sent.redirectUris),
  postLogoutRedirectUris: splitNonEmptyLines(sent.postLogoutRedirectUris),
  corsOrigins: splitNonEmptyLines(sent.corsOrigins),
  'lifetimes.accessToken': sent['lifetimes-accessToken'],
  'lifetimes.idToken': sent['lifetimes-idToken'],
  'lifetimes.refreshToken': sent['lifetimes-refreshToken'],
  'lifetimes.session': sent['lifetimes-session'],
});

const checkboxValue = (value: boolean) => (value ? 'yes' : '');
const numberValue = (value: number | undefined) => value?.toString() ?? '';

/** An application as the form shows it. */
export function clientFormValues(client: ClientDescription): FieldsProps['values'] {
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
    resourceChoices: resourceOptions(resources),
    firstParty: checkboxValue(firstParty),
    parRequired: checkboxValue(parRequired),
    pkceOptional: checkboxValue(pkceOptional),
    dpopRequired: checkboxValue(dpopRequired),
    deviceFlow: checkboxValue(deviceFlow),
    jwks: jwks ? JSON.stringify(jwks, null, 2) : '',
    // The default has no name of its own in the form.
    assertionAudience: client.assertionAudience === 'token-endpoint' ? 'token-endpoint' : '',
    'lifetimes.accessToken': numberValue(lasts.accessToken),
    'lifetimes.idToken': numberValue(lasts.idToken),
    'lifetimes.refreshToken': numberValue(lasts.refreshToken),
    'lifetimes.session': numberValue(lasts.session),
  };
}
