import { errors, interactionPolicy } from 'oidc-provider';
import type { Db } from '../db/database.ts';
import { getApiResource } from '../clients/resource-servers/api-scopes.ts';
import { parseRequiredLevel, parseAcr } from '../sessions/assurance.ts';
import { canUseClient } from '../clients/access.ts';
import { getClientLifetime, getRequiredLevel } from '../clients/metadata.ts';
import { intentCheck } from './intents.ts';

const { Check, Prompt, base } = interactionPolicy;
const { REQUEST_PROMPT, NO_NEED_TO_PROMPT } = Check;

/**
 * The session is too weak for what the application asks: sign in anew, with the factors that reach the level. An
 * essential value that no sign-in here can reach is refused at once and never answered with a lower one
 * (OpenID Connect Core §5.5.1.1).
 */
const acrCheck = new Check(
  'acr',
  'the requested authentication context needs a new sign-in',
  'login_required',
  (ctx) => {
    const level = parseRequiredLevel(ctx.oidc.params ?? {});
    if (level === 'unreachable') {
      throw new errors.UnmetAuthenticationRequirements('the requested acr is not one of ours');
    }
    // A token for the interface for programs opens what the console does: two factors, always.
    const forApi = Object.hasOwn(ctx.oidc.resourceServers ?? {}, getApiResource(ctx.oidc.issuer)) ? 2 : 0;
    // What the client is registered with holds, whatever its requests ask for.
    const needed = Math.max(level, forApi, getRequiredLevel(ctx.oidc.client));
    // Without a session the library asks for one by itself; a sign-in reaches at least level 1.
    return Math.max(1, parseAcr(ctx.oidc.session?.acr)) < needed ? REQUEST_PROMPT : NO_NEED_TO_PROMPT;
  },
);

/** The client chose a shorter day than the house: whoever signed in before that signs in again to reach it. */
const sessionAgeCheck = new Check(
  'session_age',
  'the sign-in is too long ago for this application',
  'login_required',
  ({ oidc }) => {
    const longest = getClientLifetime(oidc.client, 'session');
    if (longest === undefined || !oidc.session?.accountId || oidc.result?.login) return NO_NEED_TO_PROMPT;
    return oidc.session.past(longest) ? REQUEST_PROMPT : NO_NEED_TO_PROMPT;
  },
);

/** The session's account was disabled or deleted: whoever sits there signs in as somebody who exists. */
const userExistsCheck = new Check(
  'account_gone',
  'the signed-in account is no longer there',
  'login_required',
  (ctx) => (ctx.oidc.session?.accountId && !ctx.oidc.entities.Account ? REQUEST_PROMPT : NO_NEED_TO_PROMPT),
);

/** Whoever is in none of the application's groups is told so, and the application that it is not to be. */
const createAccessPrompt = (db: Db) =>
  new Prompt(
    { name: 'access', requestable: false },
    new Check('outside', 'the person may not use this application', 'access_denied', async ({ oidc }) => {
      const { accountId } = oidc.session ?? {};
      if (!accountId) return NO_NEED_TO_PROMPT;
      return (await canUseClient(db, oidc.client, accountId)) ? NO_NEED_TO_PROMPT : REQUEST_PROMPT;
    }),
  );

export function createInteractionPolicy(db: Db) {
  const prompts = base();
  const login = prompts.get('login');
  const consent = prompts.get('consent');
  if (!login || !consent) throw new Error('the library changed its prompts');
  // Its own checks want the very string that was asked for and would ask for ever; ours compares levels.
  login.checks.remove('essential_acrs');
  login.checks.remove('essential_acr');
  login.checks.add(acrCheck);
  login.checks.add(userExistsCheck);
  login.checks.add(intentCheck);
  login.checks.add(sessionAgeCheck);
  // After it is known who it is, and before they are asked what the application may see.
  prompts.add(createAccessPrompt(db), 1);
  return prompts;
}
