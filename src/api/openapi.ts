import { z } from 'zod';
import type { ApiScope } from '../clients/resource-servers/api-scopes.ts';
import { apiScopes } from '../clients/resource-servers/api-scopes.ts';
import { phrasesFor } from '../i18n/phrases.ts';
import { resourceServerSchema } from '../clients/resource-servers/schema.ts';
import { definitionSchema } from './claims.ts';
import { descriptionSchema } from './clients.ts';
import type { Endpoint } from './endpoint.ts';
import type { ProblemCode } from './problem.ts';
import { problems, problemSchema, problemType } from './problem.ts';

/** The document of the interface (OpenAPI 3.1), made of the very schemas that judge what comes and build what goes. */

type Json = Record<string, unknown>;

/** A schema as JSON Schema 2020-12, which is what OpenAPI 3.1 speaks. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
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
  }) as Json;
  return json;
}

const capital = (name: string): string => `${name[0]?.toUpperCase() ?? ''}${name.slice(1)}`;

/** What every endpoint may refuse, whatever it is about. */
function refusalsOf(definition: Endpoint): ProblemCode[] {
  const { params, query, body, takes, versioned, refuses, scope } = definition;
  const always: ProblemCode[] = [
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
    ...new Set([...always, ...input, ...refuses, 'too-many-requests', 'trouble', 'unavailable'] as const),
  ];
}

function problemExample(code: ProblemCode): Json {
  const [status, title] = problems[code];
  return { value: { type: problemType(code), title, status, code, reference: '4f2d8a90b1c3' } };
}

/** The refusals by their statuses, each with an example. */
function refusalAnswers(definition: Endpoint): Json {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of refusalsOf(definition)) {
    const [status] = problems[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const answer = (codes: readonly ProblemCode[]) => ({
    description: codes.map((code) => `\`${code}\`: ${problems[code][1]}`).join('\n'),
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/Problem' },
        examples: Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
      },
    },
  });
  const sorted = [...byStatus].toSorted(([one], [other]) => one - other);
  return Object.fromEntries(sorted.map(([status, codes]) => [String(status), answer(codes)]));
}

/** The members of an object's schema as parameters. */
function parametersOf(definition: Endpoint): Json[] {
  const { params, query, versioned, example } = definition;
  const from = (
    schema: z.ZodType | undefined,
    place: 'path' | 'query',
    values: Record<string, string> = {},
  ) => {
    const json = schema ? schemaOf(schema, 'input') : {};
    const required = (json.required ?? []) as string[];
    return Object.entries((json.properties ?? {}) as Record<string, Json>).map(
      ([name, { description, ...rest }]) => ({
        name,
        in: place,
        required: place === 'path' || required.includes(name),
        ...(description === undefined ? {} : { description }),
        schema: rest,
        ...(name in values ? { example: exampleValue(values[name] ?? '', rest) } : {}),
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
    ...from(params, 'path', example.params),
    ...from(query, 'query', example.query),
    ...(versioned ? [version] : []),
  ];
}

const exampleValue = (text: string, { type }: Json): unknown =>
  type === 'integer' || type === 'number' ? Number(text) : text;

function requestBody({ name, body, takes, example }: Endpoint): Json {
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
  const schema = { $ref: `#/components/schemas/${capital(name)}Request` };
  return {
    requestBody: { required: true, content: { 'application/json': { schema, example: example.body } } },
  };
}

const header = (description: string): Json => ({ description, schema: { type: 'string' } });

function goodAnswer({ name, answers, example }: Endpoint): Json {
  const headers = {
    ...(answers.status === 201 ? { Location: header('Where it is read.') } : {}),
    ...(answers.etag ? { ETag: header('Its version.') } : {}),
  };
  const schema = { $ref: `#/components/schemas/${capital(name)}Answer` };
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
  const said = { 200: 'Done.', 201: 'Made.', 204: 'Done; there is nothing to say.' } as const;
  return {
    [answers.status]: {
      description: said[answers.status],
      ...(Object.keys(headers).length > 0 ? { headers } : {}),
      ...content,
    },
  };
}

function operationOf(definition: Endpoint): Json {
  const { name, path, summary, description, scope, alsoScope, fresh } = definition;
  const freshly = fresh
    ? 'Where somebody signed in, two factors must have been proved within ten minutes (RFC 9470).'
    : undefined;
  const more = [description, freshly].filter(Boolean).join(' ');
  const scopes = [scope, ...(alsoScope ? [alsoScope] : [])];
  const parameters = parametersOf(definition);
  return {
    operationId: name,
    tags: [path.split('/')[1]],
    summary,
    ...(more ? { description: more } : {}),
    security: [{ oauth: scopes }],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...requestBody(definition),
    responses: { ...goodAnswer(definition), ...refusalAnswers(definition) },
  };
}

/** What each scope means, in the words of the console. */
function scopesInWords(): Record<ApiScope, string> {
  const words = phrasesFor('en').clients.choices.apiScopes;
  return Object.fromEntries(apiScopes.map((scope) => [scope, words[scope]])) as Record<ApiScope, string>;
}

/**
 * A description as it is made, as it is replaced (its identifier stands in the address, and what only the house changes
 * may stand in it as it was read), and as a list holds it.
 */
function descriptions(): Json {
  const whole = schemaOf(descriptionSchema, 'input');
  const properties = whole.properties as Json;
  const read = Object.fromEntries(
    ['enabled', 'managed', 'registeredWith', 'createdAt', 'updatedAt'].map((name) => [
      name,
      { readOnly: true },
    ]),
  );
  const server = schemaOf(resourceServerSchema, 'input');
  const kept = Object.fromEntries(
    ['number', 'managed', 'createdAt', 'updatedAt'].map((name) => [name, { readOnly: true }]),
  );
  return {
    ResourceServer: server,
    ResourceServerReplacement: {
      ...server,
      properties: { ...(server.properties as Json), ...kept },
      required: ['name', 'scopes'],
    },
    ClientDescription: whole,
    ClientReplacement: { ...whole, properties: { ...properties, ...read }, required: ['name'] },
    ...claimDefinitions(),
    ClientEntry: { ...whole, properties: { ...properties, enabled: { type: 'boolean' } } },
  };
}

/** A claim as it is defined, and as it is described anew: its name stands in the address. */
function claimDefinitions(): Json {
  const whole = schemaOf(definitionSchema, 'input');
  return { ClaimDefinition: whole, ClaimReplacement: { ...whole, required: ['scope', 'label'] } };
}

function schemasOf(endpoints: readonly Endpoint[]): Json {
  const named = endpoints.flatMap(({ name, body, answers }) => [
    ...(body ? [[`${capital(name)}Request`, schemaOf(body, 'input')] as const] : []),
    ...(answers.schema ? [[`${capital(name)}Answer`, schemaOf(answers.schema, 'output')] as const] : []),
  ]);
  return {
    Problem: schemaOf(problemSchema, 'output'),
    ...descriptions(),
    ...Object.fromEntries(named),
  };
}

function pathsOf(endpoints: readonly Endpoint[]): Json {
  const paths: Record<string, Json> = {};
  for (const definition of endpoints) {
    const path = `/api${definition.path}`;
    paths[path] = { ...paths[path], [definition.method.toLowerCase()]: operationOf(definition) };
  }
  return paths;
}

/** The whole document, with the addresses of this issuer. */
export function documentOf(issuer: string, endpoints: readonly Endpoint[]): Json {
  const scopes = scopesInWords();
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
    paths: pathsOf(endpoints),
    components: {
      schemas: schemasOf(endpoints),
      examples: Object.fromEntries(
        (Object.keys(problems) as ProblemCode[]).map((code) => [code, problemExample(code)]),
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
