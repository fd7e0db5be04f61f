import type { Settings } from '../../config/settings.ts';

/** The cookies that oidc-provider knows: a browser's session, and an interaction on its pages and where it is resumed. */
export type CookieNames = Record<'session' | 'interaction' | 'resume', string>;

/**
 * The names of oidc-provider's cookies. Only the session's is a cookie of browsers; on http://localhost it is plain, since
 * browsers take no prefix there. The other two are set by this process alone, within a request (interactions/cookies.ts).
 */
export const getCookieNames = ({ development }: Pick<Settings, 'development'>): CookieNames => ({
  session: development ? 'hemma-session' : '__Host-hemma-session',
  interaction: 'hemma-interaction',
  resume: 'hemma-resume',
});
