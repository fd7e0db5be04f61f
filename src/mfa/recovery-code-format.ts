import { randomInt } from 'node:crypto';

/** Crockford base32: no I, L, O, U, so that nothing is misread aloud or on paper. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** 20 characters, 100 bits, each by rejection sampling (`randomInt`), shown as 5 groups of 4. */
export function generateCode(length = 20): string {
  const characters = Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
  // One that begins with six digits would be sent as those when it is typed where six digits are asked for.
  if (/^\d{6}/.test(characters)) return generateCode(length);
  return (characters.match(/.{4}/g) ?? []).join('-');
}

/** What was typed, as the alphabet has it: case, blanks and hyphens do not matter, O is 0, I and L are 1. */
export const normalizeCode = (typed: string): string =>
  typed
    .normalize('NFKC')
    .toUpperCase()
    .replaceAll(/[\s-]/g, '')
    .replaceAll('O', '0')
    .replaceAll(/[IL]/g, '1');

/** Whether a text can be a recovery code at all: 20 characters of the alphabet. Six digits never are. */
export const looksLikeRecoveryCode = (typed: string): boolean =>
  /^[0-9A-HJKMNP-TV-Z]{20}$/.test(normalizeCode(typed));

/** The eight digits of an emailed code as typed: blanks and hyphens between them do not matter. Anything else is not a code. */
export function eightDigits(typed: string): string | undefined {
  const digits = typed.normalize('NFKC').replaceAll(/[\s-]/g, '');
  return /^\d{8}$/.test(digits) ? digits : undefined;
}
