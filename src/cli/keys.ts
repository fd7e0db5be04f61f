import type { CommandCall, Command } from './command.ts';
import { CommandRefusedError } from './command.ts';
import type { SigningKey } from '../oidc/keys/rotation.ts';
import { algorithmsByKeyType, getKeyState, getKeyType } from '../oidc/keys/rotation.ts';
import { rotateKeys, listSigningKeys } from '../oidc/keys/keys.ts';
import { createEncryption, UnknownSecretKeyError } from '../crypto/encryption.ts';
import { loadSecretKeys } from '../crypto/secret-keys.ts';

/** The public side of a key, with the moments of its life. */
const keyOutput = (key: SigningKey) => ({
  kid: key.id,
  type: getKeyType(key),
  algorithms: algorithmsByKeyType[getKeyType(key)].join(' '),
  state: getKeyState(key, new Date()),
  created: key.createdAt,
  signs: key.signsAt,
  retires: key.retiresAt ?? null,
  gone: key.goneAt ?? null,
});

/** What a shell with another secret key wrote, the processes could not read. */
function rethrowWrongSecretKey(fault: unknown): never {
  if (!(fault instanceof UnknownSecretKeyError)) throw fault;
  throw new CommandRefusedError(`HEMMA_SECRET_KEYS does not fit this database: ${fault.message}`);
}

const runKeysList = async ({ db, settings }: CommandCall) =>
  (await listSigningKeys(db, createEncryption(loadSecretKeys(settings))).catch(rethrowWrongSecretKey)).map(
    keyOutput,
  );

/** What an operator must know who has just exchanged keys that were stolen. */
const rotateNowWarning = `Every key from before stops signing in ten seconds and is withdrawn ten seconds later.
Until applications read the keys anew they may refuse sign-ins, and they believe the stolen key: minutes for most, up
to an hour for mod_auth_openidc, up to twelve for .NET. Restart those that matter.
What the old keys signed is refused from then on: ID tokens that come back as the hint of a sign-out (the person sees an
error, and signs out at the provider).
Sessions, codes and refresh tokens go on. Where more than the keys was stolen, end those too, and exchange
HEMMA_SECRET_KEYS first: the new keys are closed with it.
`;

async function runKeysRotate({ db, settings, option, terminal }: CommandCall) {
  const immediately = option('now') !== undefined;
  const made = await rotateKeys(db, createEncryption(loadSecretKeys(settings)), {
    atOnce: immediately,
  }).catch(rethrowWrongSecretKey);
  if (made.length === 0)
    throw new CommandRefusedError(
      'nothing was made: new keys are published already and sign when their time comes (`keys list` says when)',
    );
  if (immediately) terminal.stderr.write(rotateNowWarning);
  return made.map(keyOutput);
}

export const keysHelp = `  keys list                          the signing keys: pending, signing or retired, and until when
  keys rotate [--now]                publishes new keys, which sign a day later; --now is for stolen keys:
                                     new ones sign in ten seconds, all others are withdrawn`;

/** The commands by their words. */
export const keysCommands: Record<string, Command> = {
  'keys list': { takes: [], run: runKeysList },
  'keys rotate': { takes: ['now'], run: runKeysRotate },
};
