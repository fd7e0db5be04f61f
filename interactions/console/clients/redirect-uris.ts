import Router from '@koa/router';
import { z } from 'zod';
import { isOnLocalhost } from '../../../config/settings.ts';
import type { UriPurpose } from '../../../src/clients/redirect-uris.ts';
import { findUriFault, findUriHint, uriPurposes, loopbackFault } from '../../../src/clients/redirect-uris.ts';
import type { ClientType } from '../../../src/clients/schema.ts';
import { clientTypes } from '../../../src/clients/schema.ts';
import type { AppContext } from '../../../src/context.ts';
import { parseFormBody } from '../../ui/parse-form.ts';
import type { ConsoleContext } from '../require-operator.ts';
import { requireOperator, parseConsoleForm } from '../require-operator.ts';

/** The addresses of a text field, one on each line. */
export const splitNonEmptyLines = (text: string): string[] =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(Boolean);

const redirectUriCheckForm = z.object({
  use: z.enum(uriPurposes),
  type: z.enum(clientTypes),
  addresses: z.string().max(15_000),
});

/** What is to be said of one address, by the same judge who decides when the form is sent. */
function describeRedirectUri(
  { house, frame: { t } }: ConsoleContext,
  address: string,
  use: UriPurpose,
  type: ClientType,
) {
  const loopback = isOnLocalhost(house.settings.HEMMA_ISSUER);
  const fault =
    findUriFault(address, use, type) ?? (loopback ? undefined : loopbackFault(address, use, type));
  if (fault) return { address, code: fault, message: t.clients.faults[fault] };
  const hint = findUriHint(address, type);
  return { address, code: hint, message: hint ? t.clients.hints[hint] : t.clients.addressFine };
}

function checkRedirectUris(consoleContext: ConsoleContext): void {
  const { use, type, addresses } = parseConsoleForm(consoleContext, redirectUriCheckForm);
  const lines = splitNonEmptyLines(addresses).slice(0, 50);
  consoleContext.ctx.body = {
    lines: lines.map((address) => describeRedirectUri(consoleContext, address, use, type)),
  };
}

/** Whether addresses may be registered, while they are typed: an answer for the form's script, in the page's language. */
export function routes(context: AppContext): Router {
  const router = new Router();
  router.post(
    '/admin/clients/-/check-addresses',
    parseFormBody,
    requireOperator(context, 'clients.write', checkRedirectUris),
  );
  return router;
}
