/** Swedish and English say the same things, and neither blames anybody (LOOK.md, "Words"). */
import { describe, expect, test } from '@jest/globals';
import { en } from '../../src/i18n/en.ts';
import { sv } from '../../src/i18n/sv.ts';
import { flatten, pairRefusals, wordRefusals } from './phrases.ts';

const swedish = flatten(sv);
const english = flatten(en);

/** Names and words that are spelt alike in both languages. */
const SAME_IN_BOTH: readonly string[] = [];

describe('the phrases of the house', () => {
  test('are many', () => expect(swedish.length).toBeGreaterThan(100));
  test('stand in both languages', () => expect(pairRefusals(swedish, english, SAME_IN_BOTH)).toEqual([]));
  test('are well spoken in Swedish', () => expect(wordRefusals('sv', swedish)).toEqual([]));
  test('are well spoken in English', () => expect(wordRefusals('en', english)).toEqual([]));
});

describe('the checker refuses', () => {
  const one = flatten({ a: 'Hej', b: { c: (name: string) => `Hej ${name}` }, d: 'Konto', e: 'Bara här' });
  const other = flatten({ a: (_n: number) => 'Hi', b: { c: () => 'Hi' }, d: 'Konto', f: 'Only here' });

  test('what is missing, of another kind, takes other facts, or is not translated', () => {
    expect(pairRefusals(one, other, [])).toEqual([
      'f is missing in the first language',
      'a is a text in the first language and a function in the second',
      'b.c takes 1 facts in the first language and 0 in the second',
      'd is not translated: “Konto”',
      'e is missing in the second language',
    ]);
    expect(pairRefusals(flatten({ d: 'Konto' }), flatten({ d: 'Konto' }), ['d'])).toEqual([]);
  });

  test.each([
    ['sv', 'Det blev fel kod.', 'fel'],
    ['sv', 'Ogiltig kod.', 'Ogiltig'],
    ['sv', 'Ange ert lösenord.', 'ert'],
    ['en', 'Invalid code.', 'Invalid'],
    ['en', 'An error occurred.', 'error'],
    ['en', 'Please note this.', 'Please note'],
  ] as const)('%s: %s', (language, text, word) =>
    expect(wordRefusals(language, flatten({ a: text }))).toEqual([`${language} a says “${word}”: “${text}”`]),
  );

  test('nothing that LOOK.md itself says, and no word that only looks like one', () => {
    const swedish = {
      a: 'Något gick fel hos oss. Försök igen.',
      b: 'Adressen kan vara felskriven, eller så är ängeln här.',
    };
    const english = { a: 'Something went wrong on our side. Try again.', b: 'Mirrors and terrors.' };
    expect(wordRefusals('sv', flatten(swedish))).toEqual([]);
    expect(wordRefusals('en', flatten(english))).toEqual([]);
  });

  test('the empty and the ragged', () => {
    expect(wordRefusals('sv', flatten({ a: ' ', b: 'Två  ord', c: 'Ord ' }))).toHaveLength(3);
  });
});
