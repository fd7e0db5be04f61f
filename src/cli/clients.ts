import { readFileSync } from 'node:fs';
import { parse as parseYaml, stringify } from 'yaml';
import type { Call, Command } from './command.ts';
import { needed, Refused, Usage } from './command.ts';
import { phrasesFor } from '../i18n/phrases.ts';
import { removeClient } from '../clients/access.ts';
import type { FileFault, FileResult } from '../oidc/config-as-code/clients.ts';
import { liveSecrets, newSecret, removeSecret, secretsOf } from '../clients/secrets.ts';
import { clientById, listClients, setEnabled } from '../clients/clients.ts';
import { applyFile as applyAll, exportFile as exportAll, readFile } from '../oidc/config-as-code/apply.ts';
import { vaultOf } from '../crypto/encryption.ts';
import { secretKeys } from '../crypto/secret-keys.ts';

/** What the command line does with applications, for the help of the whole. */
export const clientHelp = `  clients apply -f FILE [--dry-run] [--prune] [--adopt]
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

const { clients, ownClaims } = phrasesFor('en');
const faultWords: Record<FileFault['code'], string> = { ...ownClaims.faults, ...clients.faults };

function sentence({ list, at, path, code }: FileFault): string {
  const place = path.replaceAll(/\.(\d+)/g, '[$1]');
  if (at === undefined) return `${place}: ${faultWords[code]}`;
  return `${list ?? ''}[${at}]${place && `.${place}`}: ${faultWords[code]}`;
}

/** One client in words: what happens to it, and under it a line for each field that differs. */
function inLines({ id, result, changes }: FileResult, dryRun: boolean): string[] {
  const verb = { created: 'create', changed: 'change', removed: 'remove' };
  const deed = dryRun && result in verb ? `would ${verb[result as keyof typeof verb]}` : result;
  const lines = changes.map(({ field, before, after }) =>
    before === undefined ? `  + ${field}: ${after}` : `  ~ ${field}: ${before} → ${after ?? 'not set'}`,
  );
  return [`${id}: ${deed}`, ...(dryRun ? lines : [])];
}

async function applyFile({ db, settings, option }: Call): Promise<unknown> {
  const given = parseYaml(readFileSync(needed(option('file'), '-f'), 'utf8')) as unknown;
  const read = await readFile(db, settings.HEMMA_ISSUER, given);
  if ('faults' in read) throw new Refused(read.faults.map(sentence).join('\n'));
  const dryRun = option('dry-run') !== undefined;
  const [prune, adopt] = [option('prune') !== undefined, option('adopt') !== undefined];
  const results = await applyAll(db, read, { dryRun, prune, adopt });
  const foreign = results.filter(({ result }) => result === 'not-ours').map(({ id }) => id);
  if (foreign.length > 0)
    throw new Refused(
      `nothing was changed: the console looks after ${foreign.join(', ')}; --adopt lets the file take over`,
    );
  const used = results.filter(({ result }) => result === 'resource-in-use').map(({ id }) => id);
  if (used.length > 0)
    throw new Refused(`nothing was changed: a client still names what would be gone of ${used.join(', ')}`);
  const refused = results.flatMap(({ id, why }) => (why ? [`${id}: ${faultWords[why]}`] : []));
  if (refused.length > 0) throw new Refused(`nothing was changed: ${refused.join('\n')}`);
  if (option('json') === undefined) return results.flatMap((one) => inLines(one, dryRun));
  return results.map(({ id, result, changes }) => ({ id, result, ...(dryRun ? { changes } : {}) }));
}

async function exportFile({ db, option }: Call): Promise<unknown> {
  const entries = await exportAll(db);
  return option('json') === undefined ? stringify(entries, { lineWidth: 0 }).trimEnd() : entries;
}

async function everyClient({ db }: Call): Promise<unknown> {
  const live = await liveSecrets(db);
  return (await listClients(db)).map(({ client, enabled, managed, registeredWith }) => ({
    ...client,
    enabled,
    managed,
    ...(registeredWith === undefined ? {} : { registeredWith }),
    secrets: live(client),
  }));
}

async function known({ db, words: given }: Call): Promise<string> {
  const id = needed(given[0], 'the client');
  if (!(await clientById(db, id))) throw new Refused(`there is no client ${id}`);
  return id;
}

async function switchTo(call: Call, enabled: boolean): Promise<unknown> {
  const id = await known(call);
  await setEnabled(call.db, id, enabled, {});
  return { id, enabled };
}

async function deleteOne(call: Call): Promise<unknown> {
  const id = await known(call);
  if (needed(call.option('confirm'), '--confirm') !== id)
    throw new Refused(`nothing was removed: --confirm must be ${id}`);
  await removeClient(call.db, id, {});
  return { id, result: 'removed' };
}

function expiry(days: string | undefined): Date | undefined {
  if (days === undefined) return undefined;
  if (!/^[1-9]\d{0,3}$/.test(days)) throw new Usage('--days is a number of days from 1 to 9999');
  return new Date(Date.now() + Number(days) * 86_400_000);
}

async function addSecret({ db, settings, words: given, option }: Call): Promise<unknown> {
  const clientId = needed(given[0], 'the client');
  const name = needed(option('name'), '--name');
  const expiresAt = expiry(option('days'));
  const vault = vaultOf(secretKeys(settings));
  const made = await newSecret(db, { clientId, name, expiresAt, vault }, {});
  if ('refusal' in made) throw new Refused(`${clientId}: ${clients.secrets.refusals[made.refusal]}`);
  return { id: clientId, secret: made.secret };
}

async function listSecrets(call: Call): Promise<unknown> {
  const secrets = await secretsOf(call.db, await known(call));
  return secrets.map(({ name, kept, createdAt, lastUsedAt, expiresAt }) => ({
    name,
    kept,
    created: createdAt,
    lastUsed: lastUsedAt ?? null,
    expires: expiresAt ?? null,
  }));
}

async function forgetSecret(call: Call): Promise<unknown> {
  const id = await known(call);
  const name = needed(call.option('name'), '--name');
  if (!(await removeSecret(call.db, id, name, {}))) throw new Refused(`${id} has no secret called ${name}`);
  return { id, name, result: 'removed' };
}

/** The commands by their words. */
export const clientCommands: Record<string, Command> = {
  'clients apply': { takes: ['file', 'dry-run', 'prune', 'adopt'], run: applyFile },
  'clients export': { takes: [], run: exportFile },
  'clients list': { takes: [], run: everyClient },
  'clients disable': { takes: [], run: (call) => switchTo(call, false) },
  'clients enable': { takes: [], run: (call) => switchTo(call, true) },
  'clients delete': { takes: ['confirm'], run: deleteOne },
  'clients secret': { takes: ['name', 'days'], run: addSecret },
  'clients secrets': { takes: [], run: listSecrets },
  'clients remove-secret': { takes: ['name'], run: forgetSecret },
};
