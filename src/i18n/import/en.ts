import type { ImportPhrases } from './sv.ts';

export const importEn: ImportPhrases = {
  rows: {
    'not-utf8': 'The row is not written in UTF-8. Save the file as UTF-8.',
    'row-too-long': 'The row is longer than 16,384 characters.',
    'wrong-columns': 'The row has not as many cells as the first row.',
    'malformed-row': 'The row cannot be read. Look at quotes and brackets.',
    'cut-off':
      'The file ends in the middle of the row. End it with a line break if it is whole, and close every quote.',
    'unknown-field': 'The row has a field that is not known.',
    'control-character': 'The value has a control character in it.',
    'malformed-value': 'The value cannot be read. Yes and no are written true and false.',
    'malformed-email': 'That does not look like an email address.',
    'missing-email': 'The row has no email address.',
    'missing-name': 'The row has no name.',
    'name-too-long': 'The name is longer than 200 characters.',
    'unknown-locale': 'The language is another than Swedish and English.',
    'privileged-account': 'Only people are imported. Roles are given by hand afterwards.',
    'unknown-hash':
      "The password's hash is of a kind that is not imported: argon2id, bcrypt, PBKDF2 and scrypt are.",
    'malformed-hash': "The password's hash is not whole.",
    'costly-hash': "The password's hash takes too long or too much memory to verify.",
    'no-such-group': 'There is no such group.',
    'attribute-unknown': 'The row names a claim that is not described here.',
    'attribute-single': 'The row has several values for a claim that has one.',
    'attribute-malformed': 'A value is not one line of text without control characters.',
    'attribute-too-long': 'A value is longer than 1000 characters.',
    'attributes-too-many': 'The row has more than 50 values.',
    'repeated-email': 'The address stands earlier in the file.',
    'email-taken': 'The address has an account already, which is left untouched.',
  },
  files: {
    'empty-file': 'The file is empty.',
    'not-utf8': 'The first line is not written in UTF-8.',
    'unknown-column': 'The first line names a column that is not known.',
    'repeated-column': 'The first line names a column twice.',
    'missing-column': 'The first line lacks a column that is needed.',
  },
};
