/** A request that a client pushed (RFC 9126) before it was disabled is not there when the client is enabled again. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setClientEnabled } from '../../src/clients/clients.ts';
import { basicOf, post } from '../protocol/requests.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor } from '../rig/visitor.ts';

let hemma: Hemma;
let client: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma();
  client = await startRelyingParty({ hemma });
}, 60_000);
afterAll(async () => {
  await client.stop();
  await hemma.stop();
});

test('is refused after the client was disabled and enabled', async () => {
  const request = Object.fromEntries(new URL((await client.begin()).url).searchParams);
  const { json } = await post(hemma.url('/request'), request, basicOf(client));
  for (const enabled of [false, true]) await setClientEnabled(hemma.db, client.clientId, enabled, {});
  const query = new URLSearchParams({ client_id: client.clientId, request_uri: String(json['request_uri']) });
  const screen = await newVisitor().visit(hemma.url(`/auth?${query.toString()}`));
  expect(screen.step).toBe('problem');
}, 120_000);
