import type { Settings } from '../../config/settings.ts';

/** What cookies of the protocol stand for: a browser's session, and one sign-in of it (two, for two paths). */
export type CookieNames = Record<'session' | 'interaction' | 'resume', string>;

/**
 * The names of the protocol's cookies. `__Host-` demands the path `/`; the other two are bound to one sign-in's path. On
 * http://localhost they are plain: browsers take neither prefix there.
 */
export function cookieNames({ development }: Pick<Settings, 'development'>): CookieNames {
  const name = (prefix: string, plain: string) => (development ? plain : `${prefix}${plain}`);
  return {
    session: name('__Host-', 'hemma-session'),
    interaction: name('__Secure-', 'hemma-interaction'),
    resume: name('__Secure-', 'hemma-resume'),
  };
}
