import { accountByEmail } from '../users/users.ts';
import { asWritten, attributesOf, changeAttributes } from '../users/attributes.ts';
import { listClaims } from '../users/claim-definitions.ts';
import type { Call, Command } from './command.ts';
import { needed, Refused, Usage } from './command.ts';
import { phrasesFor } from '../i18n/phrases.ts';
import { removeClaim } from '../oidc/claims/custom-claims.ts';

/** Claims of the house's own, and what people have for them, from a shell. */

const { faults: words } = phrasesFor('en').ownClaims;

/** `name=value` words by their names: the same name again adds to its list, and an empty value takes it away. */
function given(said: readonly string[]): Record<string, string[]> {
  const values: Record<string, string[]> = {};
  for (const one of said) {
    // The name of a claim may be an address, and an address may have an equals sign: the first one after it counts.
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(one) ?? [];
    if (name === undefined || value === undefined) throw new Usage(`${one} is not NAME=VALUE`);
    values[name] = [...(values[name] ?? []), value];
  }
  return values;
}

async function attributesFromShell({ db, words: said }: Call) {
  const found = await accountByEmail(db, needed(said[0], 'the address'));
  if (!found) throw new Refused('there is no account with that address');
  const wanted = given(said.slice(1));
  const refused = await changeAttributes(db, { target: found.id, by: 'shell', given: wanted });
  if (refused && 'faults' in refused)
    throw new Refused(refused.faults.map(({ path, code }) => `${path || 'all'}: ${words[code]}`).join('\n'));
  if (refused) throw new Refused('there is no account with that address');
  return asWritten(await listClaims(db), await attributesOf(db, found.id));
}

async function deleteFromShell({ db, words: said, option }: Call) {
  const name = needed(said[0], 'the claim');
  if (needed(option('confirm'), '--confirm') !== name)
    throw new Refused(`nothing was removed: --confirm must be ${name}`);
  const refused = await removeClaim(db, name, {});
  if (refused === 'no-such-claim') throw new Refused(`there is no claim ${name}`);
  if (refused) throw new Refused(words[refused]);
  return { claim: name, result: 'removed' };
}

export const claimHelp = `  claims list                        every claim of the house's own; they are made by clients apply,
                                     under claims: beside clients: in the file
  claims delete NAME --confirm NAME  removes a claim and everybody's values for it
  accounts attributes E [NAME=VALUE …]
                                     gives a person values for claims, and shows them; the same name again
                                     makes a list, an empty value takes it away`;

export const claimCommands: Record<string, Command> = {
  'claims list': {
    takes: [],
    run: async ({ db }) =>
      (await listClaims(db)).map(({ name, scope, label, multi }) => ({ name, scope, label, multi })),
  },
  'claims delete': { takes: ['confirm'], run: deleteFromShell },
  'accounts attributes': { takes: [], run: attributesFromShell },
};
