import type { Call, Command } from './command.ts';
import { needed, Refused, Usage } from './command.ts';
import { phrasesFor } from '../i18n/phrases.ts';
import {
  newInitialAccessToken,
  initialAccessTokens,
  revokeInitialAccessToken,
  stateOf,
} from '../oidc/registration/initial-access-tokens.ts';

/** What the command line does with initial access tokens, for the help of the whole. */
export const registrationHelp = `  clients initial-access-token create --name N [--days D] [--uses U] [--type T]… [--host H]…
                                     makes a token with which programs register themselves (RFC 7591) and
                                     prints it, once; 1 day and 1 use, where nothing else is said
  clients initial-access-token list    what each is for and how often it was used; never themselves
  clients initial-access-token revoke ID|NAME
                                     ends one; what was registered with it stays`;

function number(given: string | undefined, what: string): number | undefined {
  if (given === undefined) return undefined;
  if (!/^\d{1,4}$/.test(given)) throw new Usage(`${what} is a number`);
  return Number(given);
}

const list = (given: string | undefined): string[] | undefined => given?.split(',');

async function create({ db, settings, option }: Call): Promise<unknown> {
  const days = number(option('days'), '--days');
  const made = await newInitialAccessToken(
    db,
    {
      name: needed(option('name'), '--name'),
      hours: days === undefined ? undefined : days * 24,
      uses: number(option('uses'), '--uses'),
      types: list(option('type')),
      hosts: list(option('host')),
    },
    {},
  );
  if ('refusal' in made) throw new Refused(phrasesFor('en').registration.refusals[made.refusal]);
  const { id, name, token, expiresAt: expires } = made;
  return { id, name, token, expires, endpoint: `${settings.HEMMA_ISSUER}/reg` };
}

const every = async ({ db }: Call): Promise<unknown> =>
  (await initialAccessTokens(db)).map((one) => ({
    id: one.id,
    name: one.name,
    state: stateOf(one),
    uses: one.uses,
    mostUses: one.mostUses,
    created: one.createdAt,
    lastUsed: one.lastUsedAt ?? null,
    expires: one.expiresAt,
    types: one.types,
    hosts: one.hosts,
  }));

async function revoke({ db, words }: Call): Promise<unknown> {
  const which = needed(words[0], 'the token');
  if (!(await revokeInitialAccessToken(db, which, {}))) throw new Refused(`there is no token ${which}`);
  return { token: which, result: 'revoked' };
}

/** The commands by their words. */
export const registrationCommands: Record<string, Command> = {
  'clients initial-access-token create': { takes: ['name', 'days', 'uses', 'type', 'host'], run: create },
  'clients initial-access-token list': { takes: [], run: every },
  'clients initial-access-token revoke': { takes: [], run: revoke },
};
