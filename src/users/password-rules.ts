import { createRequire } from 'node:module';
import type * as Lists from '@zxcvbn-ts/language-common';

export type PasswordFault = 'password-too-short' | 'password-too-long' | 'password-too-common';

const requireModule = createRequire(import.meta.url);

/** Among the passwords that thousands use. The list is loaded when the first password is chosen: it takes some megabytes. */
function isCommon(password: string): boolean {
  const { dictionary } = requireModule('@zxcvbn-ts/language-common') as typeof Lists;
  return dictionary['passwords-common'].includes(password);
}

const maxLength = 256;

/**
 * What is wrong with a new password, if anything (NIST SP 800-63B-4 §3.1.1.2): at least 8 characters beside a
 * second step and 15 alone, counted in code points; no composition rules; not a password that thousands use, nor
 * the address, the name or the product's name (compared whole, letters and digits only).
 */
export function validatePassword(
  password: string,
  { twoStep, context }: { twoStep: boolean; context: readonly string[] },
): PasswordFault | undefined {
  const normal = password.normalize('NFC');
  const length = Array.from(normal).length;
  if (length < (twoStep ? 8 : 15)) return 'password-too-short';
  if (length > maxLength) return 'password-too-long';
  const bare = (text: string) => text.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
  const names = new Set(
    context.flatMap((text) => [bare(text), bare(text.split('@')[0] ?? '')]).filter((name) => name !== ''),
  );
  const lower = normal.toLowerCase();
  const core = bare(normal).replace(/\d{1,4}$/, '');
  if (isCommon(lower) || names.has(bare(normal)) || names.has(core)) return 'password-too-common';
  return undefined;
}
