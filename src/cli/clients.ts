import { readFileSync } from 'node:fs';
import { parse as parseYaml, stringify } from 'yaml';
import type { CommandCall, Command } from './command.ts';
import { requireValue, CommandRefusedError, UsageError } from './command.ts';
import { phrasesFor } from '../i18n/phrases.ts';
import { removeClient } from '../clients/access.ts';
import type { ConfigFault, ConfigResult } from '../oidc/config-as-code/clients.ts';
import { countActiveSecrets, createSecret, removeSecret, listClientSecrets } from '../clients/secrets.ts';
import { findClientById, listClients, setClientEnabled } from '../clients/clients.ts';
import {
  applyConfig as applyAll,
  exportConfig as exportAll,
  validateConfig,
} from '../oidc/config-as-code/apply.ts';
import { createEncryption } from '../crypto/encryption.ts';
import { loadSecretKeys } from '../crypto/secret-keys.ts';

/** What the command line does with applications, for the help of the whole. */
export const clientsHelp = `  clients apply -f FILE [--dry-run] [--prune] [--adopt]
                                     makes or changes clients (YAML or JSON, one or a list), all or none;
                                     --dry-run shows the difference, --prune removes what an earlier file
                                     made and this one leaves out, --adopt takes over what the console made;
                                     resourceServers: and clients: as members describe both in one file
  clients export                     every client and resource server as such a file, never a secret
  clients list                       every client, a line each
  clients disable|enable ID          switches an application off or on, at once
  clients delete ID --confirm ID     removes it with its secrets and everybody's tokens for it
  clients secret ID --name N [--days D]
                                     adds a secret and prints it, once
  clients secrets ID                 its secrets: name, how they are kept, created, last used, until when;
                                     never themselves
  clients remove-secret ID --name N  removes one`;

const { clients, ownClaims: customClaims } = phrasesFor('en');
const faultMessages: Record<ConfigFault['code'], string> = { ...customClaims.faults, ...clients.faults };

function describeFault({ list, at: index, path, code }: ConfigFault): string {
  const place = path.replaceAll(/\.(\d+)/g, '[$1]');
  if (index === undefined) return `${place}: ${faultMessages[code]}`;
  return `${list ?? ''}[${index}]${place && `.${place}`}: ${faultMessages[code]}`;
}

/** One client in words: what happens to it, and under it a line for each field that differs. */
function formatApplyResult({ id, result, changes }: ConfigResult, dryRun: boolean): string[] {
  const verb = { created: 'create', changed: 'change', removed: 'remove' };
  const userAction = dryRun && result in verb ? `would ${verb[result as keyof typeof verb]}` : result;
  const lines = changes.map(({ field, before, after }) =>
    before === undefined ? `  + ${field}: ${after}` : `  ~ ${field}: ${before} → ${after ?? 'not set'}`,
  );
  return [`${id}: ${userAction}`, ...(dryRun ? lines : [])];
}

async function runClientsApply({ db, settings, option }: CommandCall): Promise<unknown> {
  const given = parseYaml(readFileSync(requireValue(option('file'), '-f'), 'utf8')) as unknown;
  const parsed = await validateConfig(db, settings.HEMMA_ISSUER, given);
  if ('faults' in parsed) throw new CommandRefusedError(parsed.faults.map(describeFault).join('\n'));
  const dryRun = option('dry-run') !== undefined;
  const [prune, adopt] = [option('prune') !== undefined, option('adopt') !== undefined];
  const results = await applyAll(db, parsed, { dryRun, prune, adopt });
  const unmanaged = results.filter(({ result }) => result === 'not-ours').map(({ id }) => id);
  if (unmanaged.length > 0)
    throw new CommandRefusedError(
      `nothing was changed: the console looks after ${unmanaged.join(', ')}; --adopt lets the file take over`,
    );
  const used = results.filter(({ result }) => result === 'resource-in-use').map(({ id }) => id);
  if (used.length > 0)
    throw new CommandRefusedError(
      `nothing was changed: a client still names what would be gone of ${used.join(', ')}`,
    );
  const refused = results.flatMap(({ id, why: reasons }) =>
    reasons ? [`${id}: ${faultMessages[reasons]}`] : [],
  );
  if (refused.length > 0) throw new CommandRefusedError(`nothing was changed: ${refused.join('\n')}`);
  if (option('json') === undefined) return results.flatMap((one) => formatApplyResult(one, dryRun));
  return results.map(({ id, result, changes }) => ({ id, result, ...(dryRun ? { changes } : {}) }));
}

async function runClientsExport({ db, option }: CommandCall): Promise<unknown> {
  const entries = await exportAll(db);
  return option('json') === undefined ? stringify(entries, { lineWidth: 0 }).trimEnd() : entries;
}

async function runClientsList({ db }: CommandCall): Promise<unknown> {
  const activeSecrets = await countActiveSecrets(db);
  return (await listClients(db)).map(({ client, enabled, managed, registeredWith }) => ({
    ...client,
    enabled,
    managed,
    ...(registeredWith === undefined ? {} : { registeredWith }),
    secrets: activeSecrets(client),
  }));
}

async function requireClientId({ db, words: given }: CommandCall): Promise<string> {
  const id = requireValue(given[0], 'the client');
  if (!(await findClientById(db, id))) throw new CommandRefusedError(`there is no client ${id}`);
  return id;
}

async function runClientsToggle(call: CommandCall, enabled: boolean): Promise<unknown> {
  const id = await requireClientId(call);
  await setClientEnabled(call.db, id, enabled, {});
  return { id, enabled };
}

async function runClientsDelete(call: CommandCall): Promise<unknown> {
  const id = await requireClientId(call);
  if (requireValue(call.option('confirm'), '--confirm') !== id)
    throw new CommandRefusedError(`nothing was removed: --confirm must be ${id}`);
  await removeClient(call.db, id, {});
  return { id, result: 'removed' };
}

function parseExpiry(days: string | undefined): Date | undefined {
  if (days === undefined) return undefined;
  if (!/^[1-9]\d{0,3}$/.test(days)) throw new UsageError('--days is a number of days from 1 to 9999');
  return new Date(Date.now() + Number(days) * 86_400_000);
}

async function runClientsSecret({ db, settings, words: given, option }: CommandCall): Promise<unknown> {
  const clientId = requireValue(given[0], 'the client');
  const name = requireValue(option('name'), '--name');
  const expiresAt = parseExpiry(option('days'));
  const encryption = createEncryption(loadSecretKeys(settings));
  const made = await createSecret(db, { clientId, name, expiresAt, vault: encryption }, {});
  if ('refusal' in made)
    throw new CommandRefusedError(`${clientId}: ${clients.secrets.refusals[made.refusal]}`);
  return { id: clientId, secret: made.secret };
}

async function runClientsSecrets(call: CommandCall): Promise<unknown> {
  const secrets = await listClientSecrets(call.db, await requireClientId(call));
  return secrets.map(({ name, kept: storage, createdAt, lastUsedAt, expiresAt }) => ({
    name,
    kept: storage,
    created: createdAt,
    lastUsed: lastUsedAt ?? null,
    expires: expiresAt ?? null,
  }));
}

async function runClientsRemoveSecret(call: CommandCall): Promise<unknown> {
  const id = await requireClientId(call);
  const name = requireValue(call.option('name'), '--name');
  if (!(await removeSecret(call.db, id, name, {})))
    throw new CommandRefusedError(`${id} has no secret called ${name}`);
  return { id, name, result: 'removed' };
}

/** The commands by their words. */
export const clientsCommands: Record<string, Command> = {
  'clients apply': { takes: ['file', 'dry-run', 'prune', 'adopt'], run: runClientsApply },
  'clients export': { takes: [], run: runClientsExport },
  'clients list': { takes: [], run: runClientsList },
  'clients disable': { takes: [], run: (call) => runClientsToggle(call, false) },
  'clients enable': { takes: [], run: (call) => runClientsToggle(call, true) },
  'clients delete': { takes: ['confirm'], run: runClientsDelete },
  'clients secret': { takes: ['name', 'days'], run: runClientsSecret },
  'clients secrets': { takes: [], run: runClientsSecrets },
  'clients remove-secret': { takes: ['name'], run: runClientsRemoveSecret },
};
