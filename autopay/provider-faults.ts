import * as client from 'openid-client';

import type { SignInFailure } from './sign-in-failures.tsx';

export const UNREACHABLE: SignInFailure = {
  status: 502,
  problem: 'unreachable',
  code: 'provider_unreachable',
};

/** What an error on the way back means to the person. The code is the standard's, for support. */
export function toSignInFailure(error: unknown): SignInFailure {
  if (error instanceof client.AuthorizationResponseError) {
    const words = error.error_description ? `${error.error}: ${error.error_description}` : error.error;
    // The parts that the standard allows (RFC 6749 §4.1.2.1), and no more than a line of them.
    const code = words.replace(/[^\x20-\x7e]/g, ' ').slice(0, 160);
    if (error.error === 'access_denied') return { status: 400, problem: 'declined', code };
    const isServerError = error.error === 'server_error' || error.error === 'temporarily_unavailable';
    return isServerError
      ? { status: 502, problem: 'trouble', code }
      : { status: 400, problem: 'refused', code };
  }
  if (error instanceof client.ResponseBodyError) {
    const known = /^[a-z_]{1,40}$/.test(error.error) ? error.error : 'unknown';
    // The code is spent or too old (RFC 6749 §5.2): starting again helps. Anything else is for the operators.
    if (known === 'invalid_grant') return { status: 400, problem: 'lost', code: known };
    return { status: 502, problem: 'trouble', code: known };
  }
  if (error instanceof client.ClientError && error.code !== undefined && error.code !== 'OAUTH_TIMEOUT') {
    return { status: 502, problem: 'trouble', code: error.code };
  }
  return UNREACHABLE;
}

/** One line for the operator. */
export function describeProviderError(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
  const code = 'error' in error && typeof error.error === 'string' ? `, ${error.error}` : '';
  return `${error.name}: ${error.message}${code}${cause}`.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 300);
}
