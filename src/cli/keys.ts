import type { Call, Command } from './command.ts';
import { Refused } from './command.ts';
import type { SigningKey } from '../oidc/keys/rotation.ts';
import { algorithmsOf, stateAt, typeOf } from '../oidc/keys/rotation.ts';
import { rotateKeys, signingKeys } from '../oidc/keys/keys.ts';
import { vaultOf, WrongSecretKeys } from '../crypto/encryption.ts';
import { secretKeys } from '../crypto/secret-keys.ts';

/** The public side of a key, with the moments of its life. */
const shown = (key: SigningKey) => ({
  kid: key.id,
  type: typeOf(key),
  algorithms: algorithmsOf[typeOf(key)].join(' '),
  state: stateAt(key, new Date()),
  created: key.createdAt,
  signs: key.signsAt,
  retires: key.retiresAt ?? null,
  gone: key.goneAt ?? null,
});

/** What a shell with another secret key wrote, the processes could not read. */
function refuseForeign(fault: unknown): never {
  if (!(fault instanceof WrongSecretKeys)) throw fault;
  throw new Refused(`HEMMA_SECRET_KEYS does not fit this database: ${fault.message}`);
}

const everyKey = async ({ db, settings }: Call) =>
  (await signingKeys(db, vaultOf(secretKeys(settings))).catch(refuseForeign)).map(shown);

/** What an operator must know who has just exchanged keys that were stolen. */
const brokenByNow = `Every key from before stops signing in ten seconds and is withdrawn ten seconds later.
Until applications read the keys anew they may refuse sign-ins, and they believe the stolen key: minutes for most, up
to an hour for mod_auth_openidc, up to twelve for .NET. Restart those that matter.
What the old keys signed is refused from then on: ID tokens that come back as the hint of a sign-out (the person sees an
error, and signs out at the provider).
Sessions, codes and refresh tokens go on. Where more than the keys was stolen, end those too, and exchange
HEMMA_SECRET_KEYS first: the new keys are closed with it.
`;

async function rotate({ db, settings, option, terminal }: Call) {
  const atOnce = option('now') !== undefined;
  const made = await rotateKeys(db, vaultOf(secretKeys(settings)), { atOnce }).catch(refuseForeign);
  if (made.length === 0)
    throw new Refused(
      'nothing was made: new keys are published already and sign when their time comes (`keys list` says when)',
    );
  if (atOnce) terminal.stderr.write(brokenByNow);
  return made.map(shown);
}

export const keyHelp = `  keys list                          the signing keys: pending, signing or retired, and until when
  keys rotate [--now]                publishes new keys, which sign a day later; --now is for stolen keys:
                                     new ones sign in ten seconds, all others are withdrawn`;

/** The commands by their words. */
export const keyCommands: Record<string, Command> = {
  'keys list': { takes: [], run: everyKey },
  'keys rotate': { takes: ['now'], run: rotate },
};
