import { findUserByEmail } from '../users/users.ts';
import { serializeAttributes, findAttributes, changeAttributes } from '../users/attributes.ts';
import { listClaims } from '../users/claim-definitions.ts';
import type { CommandCall, Command } from './command.ts';
import { requireValue, CommandRefusedError, UsageError } from './command.ts';
import { phrasesFor } from '../i18n/phrases.ts';
import { removeCustomClaim } from '../oidc/claims/custom-claims.ts';

/** Claims of the house's own, and what people have for them, from a shell. */

const { faults: faultMessages } = phrasesFor('en').ownClaims;

/** `name=value` words by their names: the same name again adds to its list, and an empty value takes it away. */
function parseAssignments(assignments: readonly string[]): Record<string, string[]> {
  const values: Record<string, string[]> = {};
  for (const one of assignments) {
    // The name of a claim may be an address, and an address may have an equals sign: the first one after it counts.
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(one) ?? [];
    if (name === undefined || value === undefined) throw new UsageError(`${one} is not NAME=VALUE`);
    values[name] = [...(values[name] ?? []), value];
  }
  return values;
}

async function runUserAttributes({ db, words: args }: CommandCall) {
  const found = await findUserByEmail(db, requireValue(args[0], 'the address'));
  if (!found) throw new CommandRefusedError('there is no account with that address');
  const changes = parseAssignments(args.slice(1));
  const refused = await changeAttributes(db, { target: found.id, by: 'shell', given: changes });
  if (refused && 'faults' in refused)
    throw new CommandRefusedError(
      refused.faults.map(({ path, code }) => `${path || 'all'}: ${faultMessages[code]}`).join('\n'),
    );
  if (refused) throw new CommandRefusedError('there is no account with that address');
  return serializeAttributes(await listClaims(db), await findAttributes(db, found.id));
}

async function runClaimsDelete({ db, words: args, option }: CommandCall) {
  const name = requireValue(args[0], 'the claim');
  if (requireValue(option('confirm'), '--confirm') !== name)
    throw new CommandRefusedError(`nothing was removed: --confirm must be ${name}`);
  const refused = await removeCustomClaim(db, name, {});
  if (refused === 'no-such-claim') throw new CommandRefusedError(`there is no claim ${name}`);
  if (refused) throw new CommandRefusedError(faultMessages[refused]);
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
  'claims delete': { takes: ['confirm'], run: runClaimsDelete },
  'accounts attributes': { takes: [], run: runUserAttributes },
};
