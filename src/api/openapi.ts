import { z } from 'zod';
import type { ApiScope } from '../clients/resource-servers/api-scopes.ts';
import { apiScopes } from '../clients/resource-servers/api-scopes.ts';
import { phrasesFor } from '../i18n/phrases.ts';
import { resourceServerSchema } from '../clients/resource-servers/schema.ts';
import { claimDefinitionSchema } from './claims.ts';
import { clientDescriptionSchema } from './clients.ts';
import type { Endpoint } from './endpoint.ts';
import type { ProblemCode } from './problem.ts';
import { problemTypes, problemSchema, problemType } from './problem.ts';

/** The document of the interface (OpenAPI 3.1), made of the very schemas that judge what comes and build what goes. */

type JsonObject = Record<string, unknown>;

/** A schema as JSON Schema 2020-12, which is what OpenAPI 3.1 speaks. */
function toJsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
  const { $schema: _draft, ...json } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override({ jsonSchema }) {
      // The one place where a body is judged by more than its own schema.
      const { described } = jsonSchema;
      if (typeof described !== 'string') return;
      for (const key of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, key);
      jsonSchema.$ref = `#/components/schemas/${described}`;
    },
  }) as JsonObject;
  return json;
}

const capitalize = (name: string): string => `${name[0]?.toUpperCase() ?? ''}${name.slice(1)}`;

/** What every endpoint may refuse, whatever it is about. */
function possibleProblems(definition: Endpoint): ProblemCode[] {
  const { params, query, body, takes, versioned, refuses, scope } = definition;
  const commonProblems: ProblemCode[] = [
    'no-token',
    'invalid-token',
    'sign-in-needed',
    'insufficient-scope',
    'not-allowed',
  ];
  const input: ProblemCode[] = [
    ...(params ? (['not-found'] as const) : []),
    ...(query || body ? (['malformed-request', 'invalid'] as const) : []),
    ...(body ? (['malformed-json'] as const) : []),
    ...(body || takes ? (['unsupported-media-type', 'too-large'] as const) : []),
    ...(versioned ? (['version-needed'] as const) : []),
    ...(scope === 'cases:write' ? (['person-needed', 'not-found'] as const) : []),
  ];
  return [
    ...new Set([
      ...commonProblems,
      ...input,
      ...refuses,
      'too-many-requests',
      'trouble',
      'unavailable',
    ] as const),
  ];
}

function problemExample(code: ProblemCode): JsonObject {
  const [status, title] = problemTypes[code];
  return { value: { type: problemType(code), title, status, code, reference: '4f2d8a90b1c3' } };
}

/** The refusals by their statuses, each with an example. */
function problemResponses(definition: Endpoint): JsonObject {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of possibleProblems(definition)) {
    const [status] = problemTypes[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const response = (codes: readonly ProblemCode[]) => ({
    description: codes.map((code) => `\`${code}\`: ${problemTypes[code][1]}`).join('\n'),
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/Problem' },
        examples: Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
      },
    },
  });
  const sorted = [...byStatus].toSorted(([one], [other]) => one - other);
  return Object.fromEntries(sorted.map(([status, codes]) => [String(status), response(codes)]));
}

/** The members of an object's schema as parameters. */
function parameterObjects(definition: Endpoint): JsonObject[] {
  const { params, query, versioned, example } = definition;
  const toParameters = (
    schema: z.ZodType | undefined,
    location: 'path' | 'query',
    values: Record<string, string> = {},
  ) => {
    const json = schema ? toJsonSchema(schema, 'input') : {};
    const required = (json.required ?? []) as string[];
    return Object.entries((json.properties ?? {}) as Record<string, JsonObject>).map(
      ([name, { description, ...rest }]) => ({
        name,
        in: location,
        required: location === 'path' || required.includes(name),
        ...(description === undefined ? {} : { description }),
        schema: rest,
        ...(name in values ? { example: parseExampleValue(values[name] ?? '', rest) } : {}),
      }),
    );
  };
  const version = {
    name: 'If-Match',
    in: 'header',
    // Its absence has a refusal of its own (428).
    required: true,
    description: 'The ETag of the version that is meant.',
    schema: { type: 'string' },
    example: example.headers?.['If-Match'],
  };
  return [
    ...toParameters(params, 'path', example.params),
    ...toParameters(query, 'query', example.query),
    ...(versioned ? [version] : []),
  ];
}

const parseExampleValue = (text: string, { type }: JsonObject): unknown =>
  type === 'integer' || type === 'number' ? Number(text) : text;

function requestBody({ name, body, takes, example }: Endpoint): JsonObject {
  if (takes)
    return {
      requestBody: {
        required: true,
        content: Object.fromEntries(
          takes.types.map((type) => [
            type,
            type === 'application/json'
              ? { schema: { type: 'array', items: { type: 'object' } }, example: example.body }
              : { schema: { type: 'string' } },
          ]),
        ),
      },
    };
  if (!body) return {};
  const schema = { $ref: `#/components/schemas/${capitalize(name)}Request` };
  return {
    requestBody: { required: true, content: { 'application/json': { schema, example: example.body } } },
  };
}

const headerObject = (description: string): JsonObject => ({ description, schema: { type: 'string' } });

function successResponse({ name, answers, example }: Endpoint): JsonObject {
  const headers = {
    ...(answers.status === 201 ? { Location: headerObject('Where it is read.') } : {}),
    ...(answers.etag ? { ETag: headerObject('Its version.') } : {}),
  };
  const schema = { $ref: `#/components/schemas/${capitalize(name)}Answer` };
  const content = answers.schema
    ? { content: { 'application/json': { schema, example: example.answer } } }
    : answers.status === 200
      ? {
          content: {
            'application/json': { schema: { type: 'array', items: { type: 'object' } } },
            'text/csv': { schema: { type: 'string' } },
          },
        }
      : {};
  const defaultDescriptions = { 200: 'Done.', 201: 'Made.', 204: 'Done; there is nothing to say.' } as const;
  return {
    [answers.status]: {
      description: defaultDescriptions[answers.status],
      ...(Object.keys(headers).length > 0 ? { headers } : {}),
      ...content,
    },
  };
}

function operationObject(definition: Endpoint): JsonObject {
  const { name, path, summary, description, scope, alsoScope, fresh } = definition;
  const stepUpNote = fresh
    ? 'Where somebody signed in, two factors must have been proved within ten minutes (RFC 9470).'
    : undefined;
  const descriptionParts = [description, stepUpNote].filter(Boolean).join(' ');
  const scopes = [scope, ...(alsoScope ? [alsoScope] : [])];
  const parameters = parameterObjects(definition);
  return {
    operationId: name,
    tags: [path.split('/')[1]],
    summary,
    ...(descriptionParts ? { description: descriptionParts } : {}),
    security: [{ oauth: scopes }],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...requestBody(definition),
    responses: { ...successResponse(definition), ...problemResponses(definition) },
  };
}

/** What each scope means, in the words of the console. */
function scopeDescriptions(): Record<ApiScope, string> {
  const words = phrasesFor('en').clients.choices.apiScopes;
  return Object.fromEntries(apiScopes.map((scope) => [scope, words[scope]])) as Record<ApiScope, string>;
}

/**
 * A description as it is made, as it is replaced (its identifier stands in the address, and what only the house changes
 * may stand in it as it was read), and as a list holds it.
 */
function clientSchemas(): JsonObject {
  const fullSchema = toJsonSchema(clientDescriptionSchema, 'input');
  const properties = fullSchema.properties as JsonObject;
  const read = Object.fromEntries(
    ['enabled', 'managed', 'registeredWith', 'createdAt', 'updatedAt'].map((name) => [
      name,
      { readOnly: true },
    ]),
  );
  const server = toJsonSchema(resourceServerSchema, 'input');
  const replacementProperties = Object.fromEntries(
    ['number', 'managed', 'createdAt', 'updatedAt'].map((name) => [name, { readOnly: true }]),
  );
  return {
    ResourceServer: server,
    ResourceServerReplacement: {
      ...server,
      properties: { ...(server.properties as JsonObject), ...replacementProperties },
      required: ['name', 'scopes'],
    },
    ClientDescription: fullSchema,
    ClientReplacement: { ...fullSchema, properties: { ...properties, ...read }, required: ['name'] },
    ...claimSchemas(),
    ClientEntry: { ...fullSchema, properties: { ...properties, enabled: { type: 'boolean' } } },
  };
}

/** A claim as it is defined, and as it is described anew: its name stands in the address. */
function claimSchemas(): JsonObject {
  const fullSchema = toJsonSchema(claimDefinitionSchema, 'input');
  return { ClaimDefinition: fullSchema, ClaimReplacement: { ...fullSchema, required: ['scope', 'label'] } };
}

function componentSchemas(endpoints: readonly Endpoint[]): JsonObject {
  const named = endpoints.flatMap(({ name, body, answers }) => [
    ...(body ? [[`${capitalize(name)}Request`, toJsonSchema(body, 'input')] as const] : []),
    ...(answers.schema
      ? [[`${capitalize(name)}Answer`, toJsonSchema(answers.schema, 'output')] as const]
      : []),
  ]);
  return {
    Problem: toJsonSchema(problemSchema, 'output'),
    ...clientSchemas(),
    ...Object.fromEntries(named),
  };
}

function pathItems(endpoints: readonly Endpoint[]): JsonObject {
  const paths: Record<string, JsonObject> = {};
  for (const definition of endpoints) {
    const path = `/api${definition.path}`;
    paths[path] = { ...paths[path], [definition.method.toLowerCase()]: operationObject(definition) };
  }
  return paths;
}

/** The whole document, with the addresses of this issuer. */
export function createOpenApiDocument(issuer: string, endpoints: readonly Endpoint[]): JsonObject {
  const scopes = scopeDescriptions();
  const tokenUrl = `${issuer}/token`;
  return {
    openapi: '3.1.0',
    info: {
      title: 'Hemma: people, help desk, audit and applications',
      version: '1',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description: `Access tokens are for this resource alone: send \`resource=${issuer}/api\` with both requests (RFC 8707). Refusals are problem documents (RFC 9457).`,
    },
    servers: [{ url: issuer }],
    paths: pathItems(endpoints),
    components: {
      schemas: componentSchemas(endpoints),
      examples: Object.fromEntries(
        (Object.keys(problemTypes) as ProblemCode[]).map((code) => [code, problemExample(code)]),
      ),
      securitySchemes: {
        oauth: {
          type: 'oauth2',
          description: 'A person with a role by the code flow, or a service by itself.',
          flows: {
            authorizationCode: { authorizationUrl: `${issuer}/auth`, tokenUrl, refreshUrl: tokenUrl, scopes },
            clientCredentials: { tokenUrl, scopes },
          },
        },
      },
    },
  };
}
