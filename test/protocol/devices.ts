/** A device without a browser (RFC 8628): it asks for a code, shows it, and asks again and again. */
import type { Hemma } from '../rig/hemma.ts';
import type { RelyingParty } from '../rig/relying-party.ts';
import type { Screen, Visitor } from '../rig/visitor.ts';
import { basicOf, post, type Told } from './requests.ts';

export const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';

export interface Device {
  /** What the device shows. */
  code: string;
  link: string;
  /** What it keeps to itself. */
  secret: string;
  answer: Told;
  /** Asks whether its person has answered. */
  ask(as?: RelyingParty, more?: Record<string, string>): Promise<Told>;
}

/** As a program of this application proves who it is. */
const proof = (party: RelyingParty) =>
  party.clientSecret
    ? { headers: basicOf(party), fields: {} }
    : { headers: {}, fields: { client_id: party.clientId } };

/** Switches a device on: it gets its codes. */
export async function newDevice(
  hemma: Hemma,
  party: RelyingParty,
  asked: Record<string, string> = {},
): Promise<Device> {
  const { headers, fields } = proof(party);
  const wanted = { scope: 'openid profile email', ...asked, ...fields };
  const answer = await post(hemma.url('/device/auth'), wanted, headers);
  const { user_code: code, device_code: secret, verification_uri_complete: link } = answer.json;
  return {
    code: String(code),
    link: String(link),
    secret: String(secret),
    answer,
    ask(as = party, more = {}) {
      const by = proof(as);
      const redeemed = { grant_type: deviceGrant, device_code: String(secret), ...by.fields, ...more };
      return post(hemma.url('/token'), redeemed, by.headers);
    },
  };
}

/** Opens the page and types a code. */
export async function type(hemma: Hemma, visitor: Visitor, code: string): Promise<Screen> {
  await visitor.visit(hemma.url('/device'));
  return visitor.submit({ user_code: code });
}
