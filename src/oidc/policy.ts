import { errors, interactionPolicy } from 'oidc-provider';
import type { Db } from '../db/database.ts';
import { apiResource } from '../clients/resource-servers/api-scopes.ts';
import { demandedLevel, levelOf } from '../sessions/assurance.ts';
import { mayUse } from '../clients/access.ts';
import { lifetimeOf, requiredLevelOf } from '../clients/metadata.ts';
import { intentOpen } from './intents.ts';

const { Check, Prompt, base } = interactionPolicy;
const { REQUEST_PROMPT, NO_NEED_TO_PROMPT } = Check;

/**
 * The session is too weak for what the application asks: sign in anew, with the factors that reach the level. An
 * essential value that no sign-in here can reach is refused at once and never answered with a lower one
 * (OpenID Connect Core §5.5.1.1).
 */
const tooWeak = new Check(
  'acr',
  'the requested authentication context needs a new sign-in',
  'login_required',
  (ctx) => {
    const level = demandedLevel(ctx.oidc.params ?? {});
    if (level === 'unreachable') {
      throw new errors.UnmetAuthenticationRequirements('the requested acr is not one of ours');
    }
    // A token for the interface for programs opens what the console does: two factors, always.
    const forApi = Object.hasOwn(ctx.oidc.resourceServers ?? {}, apiResource(ctx.oidc.issuer)) ? 2 : 0;
    // What the client is registered with holds, whatever its requests ask for.
    const needed = Math.max(level, forApi, requiredLevelOf(ctx.oidc.client));
    // Without a session the library asks for one by itself; a sign-in reaches at least level 1.
    return Math.max(1, levelOf(ctx.oidc.session?.acr)) < needed ? REQUEST_PROMPT : NO_NEED_TO_PROMPT;
  },
);

/** The client chose a shorter day than the house: whoever signed in before that signs in again to reach it. */
const signedInTooLongAgo = new Check(
  'session_age',
  'the sign-in is too long ago for this application',
  'login_required',
  ({ oidc }) => {
    const longest = lifetimeOf(oidc.client, 'session');
    if (longest === undefined || !oidc.session?.accountId || oidc.result?.login) return NO_NEED_TO_PROMPT;
    return oidc.session.past(longest) ? REQUEST_PROMPT : NO_NEED_TO_PROMPT;
  },
);

/** The session's account was disabled or deleted: whoever sits there signs in as somebody who exists. */
const accountGone = new Check(
  'account_gone',
  'the signed-in account is no longer there',
  'login_required',
  (ctx) => (ctx.oidc.session?.accountId && !ctx.oidc.entities.Account ? REQUEST_PROMPT : NO_NEED_TO_PROMPT),
);

/** Whoever is in none of the application's groups is told so, and the application that it is not to be. */
const access = (db: Db) =>
  new Prompt(
    { name: 'access', requestable: false },
    new Check('outside', 'the person may not use this application', 'access_denied', async ({ oidc }) => {
      const { accountId } = oidc.session ?? {};
      if (!accountId) return NO_NEED_TO_PROMPT;
      return (await mayUse(db, oidc.client, accountId)) ? NO_NEED_TO_PROMPT : REQUEST_PROMPT;
    }),
  );

export function policy(db: Db) {
  const prompts = base();
  const login = prompts.get('login');
  const consent = prompts.get('consent');
  if (!login || !consent) throw new Error('the library changed its prompts');
  // Its own checks want the very string that was asked for and would ask for ever; ours compares levels.
  login.checks.remove('essential_acrs');
  login.checks.remove('essential_acr');
  login.checks.add(tooWeak);
  login.checks.add(accountGone);
  login.checks.add(intentOpen);
  login.checks.add(signedInTooLongAgo);
  // After it is known who it is, and before they are asked what the application may see.
  prompts.add(access(db), 1);
  return prompts;
}
