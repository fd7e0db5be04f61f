/** What holds for every phrase in every language, as functions that answer with refusals in words. */

export interface Phrase {
  /** `totp.title` */
  key: string;
  kind: 'text' | 'function';
  /** How many facts a function takes. */
  takes: number;
  /** The phrase itself; what a function is given reads `7`. */
  text: string;
}

/** Every phrase of a language, flat, in the order of the file. */
export function flatten(tree: object, above = ''): Phrase[] {
  return Object.entries(tree).flatMap(([name, value]: [string, unknown]) => {
    const key = above ? `${above}.${name}` : name;
    if (typeof value === 'string') return [{ key, kind: 'text', takes: 0, text: value } satisfies Phrase];
    if (typeof value === 'function') {
      const say = value as (...facts: unknown[]) => unknown;
      const text = String(say(...Array.from({ length: say.length }, () => 7)));
      return [{ key, kind: 'function', takes: say.length, text } satisfies Phrase];
    }
    return typeof value === 'object' && value !== null
      ? flatten(value, key)
      : [{ key, kind: 'text', takes: 0, text: '' }];
  });
}

/** Both languages say the same things, in the same way. */
export function pairRefusals(
  one: readonly Phrase[],
  other: readonly Phrase[],
  sameInBoth: readonly string[],
): string[] {
  const others = new Map(other.map((phrase) => [phrase.key, phrase]));
  const ones = new Set(one.map(({ key }) => key));
  const lost = other
    .filter(({ key }) => !ones.has(key))
    .map(({ key }) => `${key} is missing in the first language`);
  return [
    ...lost,
    ...one.flatMap((phrase) => {
      const { key, kind, takes, text } = phrase;
      const pair = others.get(key);
      if (!pair) return [`${key} is missing in the second language`];
      if (pair.kind !== kind)
        return [`${key} is a ${kind} in the first language and a ${pair.kind} in the second`];
      if (pair.takes !== takes)
        return [`${key} takes ${takes} facts in the first language and ${pair.takes} in the second`];
      if (pair.text === text && !sameInBoth.includes(key)) return [`${key} is not translated: “${text}”`];
      return [];
    }),
  ];
}

/** LOOK.md's own sentences where the plain word is the right one; everywhere else something is being blamed. */
const LOOKS_OWN = ['Något gick fel hos oss', 'Something went wrong on our side'];

const FORBIDDEN: Record<string, RegExp> = {
  sv: /\b(?:ogiltigt?a?|felaktigt?a?|fel|oj|hoppsan|vänligen|observera|ni|er|ert|era)\b/iu,
  en: /\b(?:invalid|errors?|oops|please note|please|illegal|forbidden)\b/iu,
};

/** No empty phrase, no forbidden word, no stray space. */
export function wordRefusals(language: 'sv' | 'en', phrases: readonly Phrase[]): string[] {
  return phrases.flatMap(({ key, text }) => {
    if (text.trim() === '') return [`${language} ${key} is empty`];
    if (text !== text.trim() || text.includes('  '))
      return [`${language} ${key} has stray spaces: “${text}”`];
    const rest = LOOKS_OWN.reduce((left, own) => left.replace(own, ''), text);
    // A Swedish word ends where the next letter is none; \b alone would end one at å, ä and ö.
    const found = FORBIDDEN[language]?.exec(rest.replaceAll(/[åäöÅÄÖ]/g, 'x'))?.[0];
    return found ? [`${language} ${key} says “${found}”: “${text}”`] : [];
  });
}
