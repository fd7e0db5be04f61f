import type { Client, KoaContextWithOIDC } from 'oidc-provider';
import { errors, interactionPolicy } from 'oidc-provider';
import { accountClientId } from '../../config/built-in-clients.ts';

/**
 * What a ceremony is for, besides signing in: an extra parameter of the authorization request. It is a dangerous
 * link, which anybody can send to anybody, so the list is short, other clients than the provider's own pages need
 * an intent in their registration, and the deed itself is a last POST whose button names it.
 */
export const intents = [
  'deactivate_two_step',
  'activate_two_step',
  'replace_authenticator',
  'new_recovery_code',
  'check_recovery_code',
  'change_password',
  'change_email',
  'change_notice_email',
  'download_data',
  'delete_account',
  'step_up',
] as const;
export type Intent = (typeof intents)[number];

export const isIntent = (value: unknown): value is Intent => intents.some((intent) => intent === value);

const isIntentAllowed = (client: Client, intent: Intent) => {
  if (client.clientId === accountClientId) return true;
  const own = client['urn:hemma:allowed-intents'];
  return Array.isArray(own) && own.includes(intent);
};

/** Refuses an intent that is not on the list, or not in the client's registration. */
export function checkIntent(ctx: KoaContextWithOIDC, value: string | undefined, client: Client): void {
  if (value === undefined) return;
  // Whoever types a device's code came to sign that device in, and to nothing else that it might have asked for.
  if (ctx.oidc.route === 'device_authorization')
    throw new errors.InvalidRequest('a device asks for no intent');
  if (!isIntent(value)) throw new errors.InvalidRequest('the intent is not one of ours');
  if (!isIntentAllowed(client, value))
    throw new errors.InvalidRequest('the intent is not allowed to this client');
}

const { Check } = interactionPolicy;

/** Asks for the interaction until its result says that the intent was carried out or declined. */
export const intentCheck = new Check('intent', 'the intent needs the person', (ctx) => {
  const { intent } = ctx.oidc.params ?? {};
  const result = ctx.oidc.result as { intent?: { name?: string } } | undefined;
  if (!intent || result?.intent?.name === intent) return Check.NO_NEED_TO_PROMPT;
  return Check.REQUEST_PROMPT;
});
