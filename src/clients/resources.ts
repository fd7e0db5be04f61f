import { z } from 'zod';

/** What an application may ask for at one resource server. */
export interface AllowedResource {
  resource: string;
  scopes: string[];
}

const sortResources = (given: readonly AllowedResource[]): AllowedResource[] =>
  given
    .map(({ resource, scopes }) => ({ resource, scopes: [...new Set(scopes)].toSorted() }))
    .toSorted((one, other) => (one.resource < other.resource ? -1 : 1));

/**
 * The resource servers that an application may have tokens for, and which of their scopes. That these are there is the
 * store's to say. The order means nothing, so one is chosen: what says the same is the same.
 */
export const allowedResourcesSchema = z
  .array(
    z.strictObject({
      resource: z.string().min(1, 'missing').max(500, 'too-long'),
      // A person is asked scope by scope: a token without any would be one that nobody was asked about.
      scopes: z.array(z.string().min(1).max(100, 'too-long')).min(1, 'scopes-missing').max(100, 'too-many'),
    }),
  )
  .max(50, 'too-many')
  .default([])
  .transform(sortResources);

interface ResourceClient {
  type: string;
  resources: readonly AllowedResource[];
  introspects?: string | undefined;
}

/** What no single field can tell. */
export function checkResourceRules(
  { type, resources, introspects }: ResourceClient,
  refuse: (path: (string | number)[], code: string) => void,
): void {
  const ids = resources.map(({ resource }) => resource);
  ids.forEach((id, at) => {
    if (ids.indexOf(id) !== at) refuse(['resources', at, 'resource'], 'resource-twice');
  });
  if (introspects !== undefined && type !== 'service') refuse(['introspects'], 'only-for-a-service');
}
