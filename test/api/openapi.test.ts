/** The document of the interface is OpenAPI 3.1, says a tool that knows nothing of us. */
import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from '@jest/globals';
import { endpoints } from '../../src/api/index.ts';
import { createOpenApiDocument } from '../../src/api/openapi.ts';

test('the document of the interface is valid OpenAPI 3.1', async () => {
  const document = JSON.parse(
    JSON.stringify(createOpenApiDocument('https://home.example', endpoints)),
  ) as Record<string, unknown>;
  const validator = new Validator();
  const result = await validator.validate(document);
  expect([validator.version, result.valid, result.valid ? undefined : result.errors]).toEqual([
    '3.1',
    true,
    undefined,
  ]);
});
