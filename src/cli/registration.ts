import type { CommandCall, Command } from './command.ts';
import { requireValue, CommandRefusedError, UsageError } from './command.ts';
import { phrasesFor } from '../i18n/phrases.ts';
import {
  createInitialAccessToken,
  listInitialAccessTokens,
  revokeInitialAccessToken,
  getTokenState,
} from '../oidc/registration/initial-access-tokens.ts';

/** What the command line does with initial access tokens, for the help of the whole. */
export const registrationHelp = `  clients initial-access-token create --name N [--days D] [--uses U] [--type T]… [--host H]…
                                     makes a token with which programs register themselves (RFC 7591) and
                                     prints it, once; 1 day and 1 use, where nothing else is said
  clients initial-access-token list    what each is for and how often it was used; never themselves
  clients initial-access-token revoke ID|NAME
                                     ends one; what was registered with it stays`;

function parseNumber(given: string | undefined, what: string): number | undefined {
  if (given === undefined) return undefined;
  if (!/^\d{1,4}$/.test(given)) throw new UsageError(`${what} is a number`);
  return Number(given);
}

const parseList = (given: string | undefined): string[] | undefined => given?.split(',');

async function runTokenCreate({ db, settings, option }: CommandCall): Promise<unknown> {
  const days = parseNumber(option('days'), '--days');
  const made = await createInitialAccessToken(
    db,
    {
      name: requireValue(option('name'), '--name'),
      hours: days === undefined ? undefined : days * 24,
      uses: parseNumber(option('uses'), '--uses'),
      types: parseList(option('type')),
      hosts: parseList(option('host')),
    },
    {},
  );
  if ('refusal' in made) throw new CommandRefusedError(phrasesFor('en').registration.refusals[made.refusal]);
  const { id, name, token, expiresAt: expires } = made;
  return { id, name, token, expires, endpoint: `${settings.HEMMA_ISSUER}/reg` };
}

const runTokenList = async ({ db }: CommandCall): Promise<unknown> =>
  (await listInitialAccessTokens(db)).map((one) => ({
    id: one.id,
    name: one.name,
    state: getTokenState(one),
    uses: one.uses,
    mostUses: one.mostUses,
    created: one.createdAt,
    lastUsed: one.lastUsedAt ?? null,
    expires: one.expiresAt,
    types: one.types,
    hosts: one.hosts,
  }));

async function runTokenRevoke({ db, words }: CommandCall): Promise<unknown> {
  const idOrName = requireValue(words[0], 'the token');
  if (!(await revokeInitialAccessToken(db, idOrName, {})))
    throw new CommandRefusedError(`there is no token ${idOrName}`);
  return { token: idOrName, result: 'revoked' };
}

/** The commands by their words. */
export const registrationCommands: Record<string, Command> = {
  'clients initial-access-token create': {
    takes: ['name', 'days', 'uses', 'type', 'host'],
    run: runTokenCreate,
  },
  'clients initial-access-token list': { takes: [], run: runTokenList },
  'clients initial-access-token revoke': { takes: [], run: runTokenRevoke },
};
