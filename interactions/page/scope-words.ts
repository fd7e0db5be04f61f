import type { Frame } from './layout.tsx';

/**
 * What an application may do with each scope, in the middle of a sentence: what it may know of the person, and what it may
 * do in their name in the interface for programs.
 */
export function scopeWords({ t }: Frame): Readonly<Record<string, string>> {
  const api = Object.entries(t.clients.choices.apiScopes).map(([scope, words]) => [
    scope,
    words.charAt(0).toLowerCase() + words.slice(1),
  ]);
  return { ...t.consent.scopes, ...Object.fromEntries(api) };
}
