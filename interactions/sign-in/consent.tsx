import { z } from 'zod';
import { findUserById } from '../../src/users/users.ts';
import { isSelfRegistered } from '../../src/clients/metadata.ts';
import type { ClaimDefinition } from '../../src/users/claim-definitions.ts';
import { listClaims } from '../../src/users/claim-definitions.ts';
import { scopesOf } from '../../src/users/claim-scopes.ts';
import { recordAuditEvent } from '../../src/audit/audit-log.ts';
import { sha256 } from '../../src/crypto/encryption.ts';
import type { RequestedResource } from './consent-resources.tsx';
import { requestedResources } from './consent-resources.tsx';
import type { StepPage, InteractionContext } from './interaction-context.ts';
import { Form, SecondaryButton, SubmitButton } from '../ui/form.tsx';
import type { Refusal } from '../ui/form.tsx';
import { Layout } from '../ui/layout.tsx';
import type { Frame } from '../ui/layout.tsx';
import { scopePhrases } from '../ui/scope-words.ts';

type ConsentPageProps = {
  frame: Frame;
  action: string;
  token: string;
  clientName: string;
  email: string;
  scopes: readonly string[];
  /** What of it is about resource servers. */
  resources?: readonly RequestedResource[];
  /** The claims of the house's own, for their words. */
  own?: readonly ClaimDefinition[];
  /** How long the yes lasts; undefined: until it is withdrawn. */
  days?: number | undefined;
  /** Nobody of the house described it: the sentence that says so. */
  itself?: string | undefined;
  /** Stands for all that is asked here: a yes is a yes to this and to nothing more. */
  asked: string;
  refusal?: Refusal | undefined;
};

export function ConsentPage(props: ConsentPageProps) {
  const {
    frame,
    action,
    token,
    clientName,
    email,
    scopes,
    own: customClaims,
    resources = [],
    days,
    itself,
    asked: digest,
    refusal,
  } = props;
  const t = frame.t.consent;
  return (
    <Layout frame={frame} title={t.title(clientName)} step="consent" scripts={['waiting-button']}>
      <h1>{t.title(clientName)}</h1>
      {itself !== undefined && <p data-registered-itself>{itself}</p>}
      <p class="lead">{t.asks(clientName)}</p>
      {(scopes.length > 0 || resources.length === 0) && (
        <ul class="list">
          {scopes.map((scope) => (
            <li key={scope}>{scopeLabel(scope, scopePhrases(frame, customClaims))}</li>
          ))}
        </ul>
      )}
      {resources.map(({ name, scopes: words }) => (
        <div key={name} data-resource={name}>
          <p>{frame.t.resourceServers.client.consent(name)}</p>
          <ul class="list">
            {words.map((one) => (
              <li key={one}>{one}</li>
            ))}
          </ul>
        </div>
      ))}
      <p class="quiet">
        {days === undefined ? t.untilWithdrawn : t.lasts(days)} {t.withdraw}
      </p>
      <Form action={action} token={token} refusal={refusal}>
        <input type="hidden" name="asked" value={digest} />
        <SubmitButton name="choice" value="allow" waiting={t.waiting}>
          {t.allow}
        </SubmitButton>
        <SecondaryButton name="choice" value="deny" waiting={t.waiting}>
          {t.deny}
        </SecondaryButton>
      </Form>
      <p class="whose">{frame.t.form.signingInAs(email)}</p>
    </Layout>
  );
}

/** A scope that nobody has put into words is still shown, by its own name. */
function scopeLabel(scope: string, words: Readonly<Record<string, string>>) {
  return Object.hasOwn(words, scope) ? words[scope] : <span class="code">{scope}</span>;
}

const consentForm = z.object({ choice: z.enum(['allow', 'deny']), asked: z.string().max(100).default('') });

/** What is allowed lasts as long as its grant in the provider. */
const grantDays = 30;

/** For an application that registered itself: where the person goes on to says more than what it calls itself. */
async function thirdPartyAddress({
  house: context,
  record,
  frame,
}: InteractionContext): Promise<string | undefined> {
  const { client_id: id, redirect_uri: address } = record.params;
  if (!isSelfRegistered(await context.provider.Client.find(String(id)))) return undefined;
  const t = frame.t.registration;
  // A device has no address (RFC 8628).
  if (typeof address !== 'string') return t.consentOnDevice;
  const { protocol, host } = new URL(address);
  return t.consent(protocol === 'https:' ? host : `${protocol}${host && `//${host}`}`);
}

const missingFromPrompt = (
  { record }: InteractionContext,
  what: 'missingOIDCScope' | 'missingOIDCClaims',
) => {
  const list = record.prompt.details[what];
  return Array.isArray(list) ? list.filter((entry): entry is string => typeof entry === 'string') : [];
};

/** What is asked of the interface for programs, by its name. */
function missingResourceScopes({ record }: InteractionContext): Record<string, string[]> {
  return (record.prompt.details.missingResourceScopes as Record<string, string[]> | undefined) ?? {};
}

/** Adds what was missing to the person's grant for this application. */
async function grantConsent(interaction: InteractionContext, userId: string): Promise<string> {
  const { provider } = interaction.house;
  const clientId = String(interaction.record.params.client_id);
  const { grantId } = interaction.record as { grantId?: string };
  const known = grantId ? await provider.Grant.find(grantId) : undefined;
  const grant = known ?? new provider.Grant({ accountId: userId, clientId });
  grant.addOIDCScope(missingFromPrompt(interaction, 'missingOIDCScope').join(' '));
  grant.addOIDCClaims(missingFromPrompt(interaction, 'missingOIDCClaims'));
  for (const [resource, scopes] of Object.entries(missingResourceScopes(interaction)))
    grant.addResourceScope(resource, scopes);
  return grant.save();
}

type ConsentRequest = Required<Pick<ConsentPageProps, 'scopes' | 'resources' | 'own'>> &
  Pick<ConsentPageProps, 'itself'>;

/** What the person is asked, as it is at this moment. */
async function loadConsentRequest(interaction: InteractionContext): Promise<ConsentRequest> {
  const { house: context, record } = interaction;
  const requestedScopes = [
    ...missingFromPrompt(interaction, 'missingOIDCScope'),
    ...Object.values(missingResourceScopes(interaction)).flat(),
  ];
  // Claims that are asked for by their own names say the same as the scope that they belong to.
  const customClaims = await listClaims(context.db);
  const claims = scopesOf(missingFromPrompt(interaction, 'missingOIDCClaims'), customClaims);
  const consentAgain = requestedScopes.length + claims.length === 0;
  const scopes = consentAgain
    ? (typeof record.params.scope === 'string' ? record.params.scope : '').split(' ')
    : requestedScopes;
  const { shown: resources, told: describedScopes } = await requestedResources(
    interaction,
    missingResourceScopes(interaction),
    consentAgain,
  );
  const shown = [...new Set([...scopes, ...claims])].filter(
    (scope) => scope !== 'openid' && !describedScopes.has(scope),
  );
  return { scopes: shown, own: customClaims, resources, itself: await thirdPartyAddress(interaction) };
}

/**
 * Stands for what the person reads. An administrator may let a scope open more while the page lies there, and nobody says
 * yes to what came after they read it.
 */
function consentDigest(
  { frame, clientName }: InteractionContext,
  { scopes, own: customClaims, resources, itself }: ConsentRequest,
): string {
  const words = scopePhrases(frame, customClaims);
  const read = [clientName, itself, scopes.map((scope) => [scope, words[scope]]), resources];
  return sha256(JSON.stringify(read)).toString('base64url');
}

export const consentStep: StepPage<z.output<typeof consentForm>> = {
  form: consentForm,
  async show(interaction, refusal) {
    const { house: context, record, frame, action, token, clientName } = interaction;
    const email = (await findUserById(context.db, record.session?.accountId ?? ''))?.email ?? '';
    const question = await loadConsentRequest(interaction);
    const submittedDigest = consentDigest(interaction, question);
    const about = { frame, action, token, clientName, email, days: grantDays };
    return <ConsentPage {...about} {...question} asked={submittedDigest} refusal={refusal} />;
  },
  async answer(interaction, { choice, asked: submittedDigest }) {
    const { house: context, ctx, record } = interaction;
    const userId = record.session?.accountId;
    if (!userId) return { code: 'form-expired' };
    const allowed = choice === 'allow';
    if (allowed && submittedDigest !== consentDigest(interaction, await loadConsentRequest(interaction)))
      return { code: 'consent-changed' };
    await recordAuditEvent(context.db, {
      event: allowed ? 'consent.granted' : 'consent.refused',
      accountId: userId,
      clientId: String(record.params.client_id),
      origin: ctx.state.origin,
    });
    const result = allowed
      ? { consent: { grantId: await grantConsent(interaction, userId) } }
      : { error: 'access_denied', error_description: 'the person did not allow it' };
    ctx.status = 303;
    ctx.redirect(await context.provider.interactionResult(ctx.req, ctx.res, result));
    return 'answered';
  },
};
