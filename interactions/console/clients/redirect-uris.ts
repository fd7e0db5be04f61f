import Router from '@koa/router';
import { z } from 'zod';
import { isOnLocalhost } from '../../../config/settings.ts';
import type { AddressUse } from '../../../src/clients/redirect-uris.ts';
import { addressFault, addressHint, addressUses, loopbackFault } from '../../../src/clients/redirect-uris.ts';
import type { ClientType } from '../../../src/clients/schema.ts';
import { clientTypes } from '../../../src/clients/schema.ts';
import type { House } from '../../../src/context.ts';
import { readForm } from '../../ui/parse-form.ts';
import type { AdminVisit } from '../require-operator.ts';
import { guarded, sentForm } from '../require-operator.ts';

/** The addresses of a text field, one on each line. */
export const linesOf = (text: string): string[] =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(Boolean);

const form = z.object({
  use: z.enum(addressUses),
  type: z.enum(clientTypes),
  addresses: z.string().max(15_000),
});

/** What is to be said of one address, by the same judge who decides when the form is sent. */
function verdict({ house, frame: { t } }: AdminVisit, address: string, use: AddressUse, type: ClientType) {
  const loopback = isOnLocalhost(house.settings.HEMMA_ISSUER);
  const fault =
    addressFault(address, use, type) ?? (loopback ? undefined : loopbackFault(address, use, type));
  if (fault) return { address, code: fault, message: t.clients.faults[fault] };
  const hint = addressHint(address, type);
  return { address, code: hint, message: hint ? t.clients.hints[hint] : t.clients.addressFine };
}

function check(visit: AdminVisit): void {
  const { use, type, addresses } = sentForm(visit, form);
  const lines = linesOf(addresses).slice(0, 50);
  visit.ctx.body = { lines: lines.map((address) => verdict(visit, address, use, type)) };
}

/** Whether addresses may be registered, while they are typed: an answer for the form's script, in the page's language. */
export function routes(house: House): Router {
  const router = new Router();
  router.post('/admin/clients/-/check-addresses', readForm, guarded(house, 'clients.write', check));
  return router;
}
