import type { Locale } from '../../src/i18n/phrases.ts';
import type { Frame } from './layout.tsx';

/** What a scope of the house's own opens. */
export interface ScopeLabel {
  scope: string;
  label: Readonly<Record<Locale, string>>;
}

/** Those of some claims by their scopes, each as one text. */
export function customScopeLabels(
  { locale }: Frame,
  customClaims: readonly ScopeLabel[],
): [scope: string, what: string][] {
  const list = new Intl.ListFormat(locale);
  return [...new Set(customClaims.map(({ scope }) => scope))].map((scope) => {
    const labels = customClaims.filter((one) => one.scope === scope).map(({ label }) => label[locale]);
    return [scope, list.format(labels)];
  });
}

/** A scope of the house's own where an administrator chooses: what it opens, and its name. */
export const scopeOption = ([scope, what]: readonly [string, string]): string => `${what} (${scope})`;

/**
 * What an application may do with each scope, in the middle of a sentence: what it may know of the person, and what it may
 * do in their name in the interface for programs.
 */
export function scopePhrases(
  frame: Frame,
  customClaims: readonly ScopeLabel[] = [],
): Readonly<Record<string, string>> {
  const { t } = frame;
  const api = Object.entries(t.clients.choices.apiScopes).map(([scope, words]) => [
    scope,
    words.charAt(0).toLowerCase() + words.slice(1),
  ]);
  const customLabels = customScopeLabels(frame, customClaims).map(([scope, what]) => [
    scope,
    t.ownClaims.sees(what),
  ]);
  // What a person is called has its words already: those of `profile`.
  return { ...Object.fromEntries(customLabels), ...t.consent.scopes, ...Object.fromEntries(api) };
}
