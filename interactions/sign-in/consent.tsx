import { z } from 'zod';
import { accountById } from '../../src/users/users.ts';
import { registeredItself } from '../../src/clients/metadata.ts';
import type { ClaimDefinition } from '../../src/users/claim-definitions.ts';
import { listClaims } from '../../src/users/claim-definitions.ts';
import { scopesOf } from '../../src/users/claim-scopes.ts';
import { audit } from '../../src/audit/audit-log.ts';
import { sha256 } from '../../src/crypto/encryption.ts';
import type { AskedResource } from './consent-resources.tsx';
import { resourcesAsked } from './consent-resources.tsx';
import type { StepPage, Visit } from './interaction-context.ts';
import { Form, SecondaryButton, SubmitButton } from '../ui/form.tsx';
import type { Refusal } from '../ui/form.tsx';
import { Layout } from '../ui/layout.tsx';
import type { Frame } from '../ui/layout.tsx';
import { scopeWords } from '../ui/scope-words.ts';

type ConsentPageProps = {
  frame: Frame;
  action: string;
  token: string;
  clientName: string;
  email: string;
  scopes: readonly string[];
  /** What of it is about resource servers. */
  resources?: readonly AskedResource[];
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
    own,
    resources = [],
    days,
    itself,
    asked,
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
            <li key={scope}>{inWords(scope, scopeWords(frame, own))}</li>
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
        <input type="hidden" name="asked" value={asked} />
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
function inWords(scope: string, words: Readonly<Record<string, string>>) {
  return Object.hasOwn(words, scope) ? words[scope] : <span class="code">{scope}</span>;
}

const form = z.object({ choice: z.enum(['allow', 'deny']), asked: z.string().max(100).default('') });

/** What is allowed lasts as long as its grant in the provider. */
const grantDays = 30;

/** For an application that registered itself: where the person goes on to says more than what it calls itself. */
async function ofStranger({ house, record, frame }: Visit): Promise<string | undefined> {
  const { client_id: id, redirect_uri: address } = record.params;
  if (!registeredItself(await house.provider.Client.find(String(id)))) return undefined;
  const t = frame.t.registration;
  // A device has no address (RFC 8628).
  if (typeof address !== 'string') return t.consentOnDevice;
  const { protocol, host } = new URL(address);
  return t.consent(protocol === 'https:' ? host : `${protocol}${host && `//${host}`}`);
}

const missing = ({ record }: Visit, what: 'missingOIDCScope' | 'missingOIDCClaims') => {
  const list = record.prompt.details[what];
  return Array.isArray(list) ? list.filter((entry): entry is string => typeof entry === 'string') : [];
};

/** What is asked of the interface for programs, by its name. */
function ofResources({ record }: Visit): Record<string, string[]> {
  return (record.prompt.details.missingResourceScopes as Record<string, string[]> | undefined) ?? {};
}

/** Adds what was missing to the person's grant for this application. */
async function allow(visit: Visit, accountId: string): Promise<string> {
  const { provider } = visit.house;
  const clientId = String(visit.record.params.client_id);
  const { grantId } = visit.record as { grantId?: string };
  const known = grantId ? await provider.Grant.find(grantId) : undefined;
  const grant = known ?? new provider.Grant({ accountId, clientId });
  grant.addOIDCScope(missing(visit, 'missingOIDCScope').join(' '));
  grant.addOIDCClaims(missing(visit, 'missingOIDCClaims'));
  for (const [resource, scopes] of Object.entries(ofResources(visit)))
    grant.addResourceScope(resource, scopes);
  return grant.save();
}

type Question = Required<Pick<ConsentPageProps, 'scopes' | 'resources' | 'own'>> &
  Pick<ConsentPageProps, 'itself'>;

/** What the person is asked, as it is at this moment. */
async function questionOf(visit: Visit): Promise<Question> {
  const { house, record } = visit;
  const asked = [...missing(visit, 'missingOIDCScope'), ...Object.values(ofResources(visit)).flat()];
  // Claims that are asked for by their own names say the same as the scope that they belong to.
  const own = await listClaims(house.db);
  const claims = scopesOf(missing(visit, 'missingOIDCClaims'), own);
  const anew = asked.length + claims.length === 0;
  const scopes = anew
    ? (typeof record.params.scope === 'string' ? record.params.scope : '').split(' ')
    : asked;
  const { shown: resources, told } = await resourcesAsked(visit, ofResources(visit), anew);
  const shown = [...new Set([...scopes, ...claims])].filter(
    (scope) => scope !== 'openid' && !told.has(scope),
  );
  return { scopes: shown, own, resources, itself: await ofStranger(visit) };
}

/**
 * Stands for what the person reads. An administrator may let a scope open more while the page lies there, and nobody says
 * yes to what came after they read it.
 */
function digestOf({ frame, clientName }: Visit, { scopes, own, resources, itself }: Question): string {
  const words = scopeWords(frame, own);
  const read = [clientName, itself, scopes.map((scope) => [scope, words[scope]]), resources];
  return sha256(JSON.stringify(read)).toString('base64url');
}

export const consent: StepPage<z.output<typeof form>> = {
  form,
  async show(visit, refusal) {
    const { house, record, frame, action, token, clientName } = visit;
    const email = (await accountById(house.db, record.session?.accountId ?? ''))?.email ?? '';
    const question = await questionOf(visit);
    const asked = digestOf(visit, question);
    const about = { frame, action, token, clientName, email, days: grantDays };
    return <ConsentPage {...about} {...question} asked={asked} refusal={refusal} />;
  },
  async answer(visit, { choice, asked }) {
    const { house, ctx, record } = visit;
    const accountId = record.session?.accountId;
    if (!accountId) return { code: 'form-expired' };
    const allowed = choice === 'allow';
    if (allowed && asked !== digestOf(visit, await questionOf(visit))) return { code: 'consent-changed' };
    await audit(house.db, {
      event: allowed ? 'consent.granted' : 'consent.refused',
      accountId,
      clientId: String(record.params.client_id),
      origin: ctx.state.origin,
    });
    const result = allowed
      ? { consent: { grantId: await allow(visit, accountId) } }
      : { error: 'access_denied', error_description: 'the person did not allow it' };
    ctx.status = 303;
    ctx.redirect(await house.provider.interactionResult(ctx.req, ctx.res, result));
    return 'answered';
  },
};
