import type { KoaContextWithOIDC } from 'oidc-provider';
import { errors, interactionPolicy } from 'oidc-provider';
import { demandedLevel, levelOf } from './assurance.ts';
import { intentOpen } from './intents.ts';

const { Check, base } = interactionPolicy;
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
    // Without a session the library asks for one by itself; a sign-in reaches at least level 1.
    return Math.max(1, levelOf(ctx.oidc.session?.acr)) < level ? REQUEST_PROMPT : NO_NEED_TO_PROMPT;
  },
);

/** The session's account was disabled or deleted: whoever sits there signs in as somebody who exists. */
const accountGone = new Check(
  'account_gone',
  'the signed-in account is no longer there',
  'login_required',
  (ctx) => (ctx.oidc.session?.accountId && !ctx.oidc.entities.Account ? REQUEST_PROMPT : NO_NEED_TO_PROMPT),
);

/** First-party applications are part of the house: asking their people for consent would teach them to click. */
const firstParty = (ctx: KoaContextWithOIDC) => ctx.oidc.client?.['urn:hemma:first-party'] === true;

export function policy() {
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
  return prompts;
}

export { firstParty };
