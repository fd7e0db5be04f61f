/**
 * The phone of the tests: an authenticator app, written from RFC 6238 alone so that the provider's own library
 * is measured against something else than itself.
 */
import { createHmac } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** RFC 4648 §6; spaces and padding of a key that was shown in groups are left out. */
function bytesOf(base32: string): Buffer {
  const letters = base32.toUpperCase().replaceAll(/[\s=-]/g, '');
  const bits = Array.from(letters, (letter) => {
    const value = ALPHABET.indexOf(letter);
    if (value < 0) throw new Error(`${letter} is no letter of base32`);
    return value.toString(2).padStart(5, '0');
  });
  const whole = bits.join('').match(/.{8}/g) ?? [];
  return Buffer.from(whole.map((byte) => Number.parseInt(byte, 2)));
}

/**
 * The six digits that the app shows for a key at a time; `step` −1 is the code before, +1 the one after.
 * RFC 6238 §4.2 with the common parameters: SHA-1, 30 seconds, 6 digits.
 */
export function sixDigits(key: string, { at = Date.now(), step = 0 } = {}): string {
  const counter = Buffer.alloc(8);
  counter.writeBigInt64BE(BigInt(Math.floor(at / 30_000) + step));
  const mac = createHmac('sha1', bytesOf(key)).update(counter).digest();
  // RFC 4226 §5.3: the last four bits say where the number stands.
  const number = mac.readUInt32BE((mac.at(-1) ?? 0) & 0x0f) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

/** Six digits that are wrong for the key at every step near a time. */
export function wrongDigits(key: string, at = Date.now()): string {
  const right = new Set([-3, -2, -1, 0, 1, 2, 3].map((step) => sixDigits(key, { at, step })));
  let guess = 0;
  while (right.has(String(guess).padStart(6, '0'))) guess++;
  return String(guess).padStart(6, '0');
}

/** What a scanned `otpauth:` link says. */
export function scan(link: string): { key: string; issuer: string | null; account: string } {
  const url = new URL(link);
  const key = url.searchParams.get('secret');
  if (url.protocol !== 'otpauth:' || url.host !== 'totp' || !key)
    throw new Error(`${link} is no otpauth link`);
  const account = decodeURIComponent(url.pathname.slice(1)).split(':').at(-1) ?? '';
  return { key, issuer: url.searchParams.get('issuer'), account: account.trim() };
}
