import type { Context } from 'koa';
import { errors } from 'oidc-provider';
import type { BrowserTokens } from '../../src/users/devices.ts';
import { beganElsewhere, findRestartPath, findBrowserSession } from '../../src/oidc/interactions/binding.ts';
import {
  hashBindingValue,
  readSignInCookie,
  setSignInCookie,
  createBindingValue,
  presentInteractionCookie,
} from '../../src/oidc/interactions/cookies.ts';
import type { BindingMatch } from '../../src/sessions/records.ts';
import { rebindInteraction } from '../../src/sessions/records.ts';
import { cookieName } from '../../src/http/request-info.ts';
import { createFrame } from '../ui/frame.ts';
import type { AppContext } from '../../src/context.ts';
import type { Frame } from '../ui/layout.tsx';
import type { InteractionRecord, SignInState } from './state.ts';
import { requestedIntent, loadSignInState, deriveSignInState } from './state.ts';
import { isIntentDeclinable } from './steps.ts';
import type { InteractionContext } from './interaction-context.ts';

/** Opens the interaction of a request for the browser that holds it. Any other browser gets a 404. */

/** Every page on the way to an action names it, and the account once that is known: the link may be anybody's. */
function actionTitle(
  { t }: Frame,
  record: InteractionRecord,
  { account: user }: SignInState,
): string | undefined {
  const intent = requestedIntent(record);
  if (!intent) return undefined;
  return user ? `${t.deeds[intent]} · ${user.email}` : t.deeds[intent];
}

/** The same for the same holder of an interaction, so that a finish sent twice names the same browser. */
const readDeviceTokens = (
  { settings, vault: encryption }: AppContext,
  ctx: Context,
  bindingValue: string,
): BrowserTokens => ({
  token: ctx.cookies.get(cookieName(settings, 'device'), { signed: false }),
  next: encryption.mac('device', bindingValue),
});

/** What follows from the value by which a browser holds an interaction. */
function bindingFields(context: AppContext, ctx: Context, uid: string, bindingValue: string) {
  const value = createBindingValue();
  const rebind = rebindInteraction(uid, {
    from: hashBindingValue(bindingValue),
    to: hashBindingValue(value),
  });
  const token = context.vault.mac('sign-in form', bindingValue);
  return {
    bindingValue,
    nextBinding: { value, rebind },
    device: readDeviceTokens(context, ctx, bindingValue),
    token,
  };
}

/** The interaction as oidc-provider has it; undefined where it has ended, or the session that it began in. */
const findInteraction = (context: AppContext, ctx: Context): Promise<InteractionRecord | undefined> =>
  context.provider.interactionDetails(ctx.req, ctx.res).catch((fault: unknown) => {
    if (fault instanceof errors.SessionNotFound) return undefined;
    throw fault;
  });

/**
 * Sends a browser that held the interaction before to a new one, and answers any other with 404. A form that was
 * sent twice leads to the address of the sign-in first: by then the browser may have the value of the first response.
 */
async function offerFreshStart(
  context: AppContext,
  ctx: Context,
  uid: string,
  holder?: BindingMatch,
): Promise<undefined> {
  const alreadyRestarted = ctx.method === 'POST' && holder === 'previous';
  const path = alreadyRestarted ? `/interaction/${uid}` : await findRestartPath(context, ctx, uid, holder);
  if (path === undefined) return ctx.throw(404, 'sign-in-ended');
  ctx.status = 303;
  ctx.redirect(path);
  return undefined;
}

/** What every page shows around its question. */
async function interactionFrame(
  context: AppContext,
  ctx: Context,
  { record, progress: signInState, token }: Pick<InteractionContext, 'record' | 'progress' | 'token'>,
): Promise<Frame> {
  const uiLocales = typeof record.params.ui_locales === 'string' ? record.params.ui_locales : undefined;
  const frame = createFrame(context, ctx, { uiLocales, account: signInState.account?.locale });
  return {
    ...frame,
    deed: actionTitle(frame, record, signInState),
    ...(isIntentDeclinable(signInState.situation) ? { decline: { action: ctx.path, token } } : {}),
  };
}

/**
 * The sign-in of this request's path. Undefined where the browser was sent elsewhere: it held this interaction before
 * its first factor was verified, or the interaction has ended, and it begins again.
 *
 * @throws 404 `sign-in-ended` for a browser that never held it
 */
export async function openInteraction(
  context: AppContext,
  ctx: Context,
): Promise<InteractionContext | undefined> {
  const uid = String(ctx.params.uid);
  const value = /^[\w-]{20,60}$/.test(uid) ? readSignInCookie(context.settings, ctx, uid) : undefined;
  if (value === undefined) return ctx.throw(404, 'sign-in-ended');
  presentInteractionCookie(context.settings, ctx, 'interaction', uid);
  const ownBinding = bindingFields(context, ctx, uid, value);
  // What is known of the sign-in comes from the same snapshot as its holder, or a race would show it to the one before.
  const [session, record, known] = await Promise.all([
    findBrowserSession(context.provider, ctx),
    findInteraction(context, ctx),
    loadSignInState(context.db, uid, hashBindingValue(value), ownBinding.device),
  ]);
  if (!record || known.holder !== 'current' || beganElsewhere(record.session, session))
    return offerFreshStart(context, ctx, uid, known.holder);
  const signInState = deriveSignInState(known, record, session);
  const client = await context.provider.Client.find(String(record.params.client_id));
  return {
    house: context,
    ctx,
    record,
    progress: signInState,
    session,
    ...ownBinding,
    frame: await interactionFrame(context, ctx, { record, progress: signInState, token: ownBinding.token }),
    action: ctx.path,
    clientName: client?.clientName ?? record.params.client_id?.toString() ?? '',
  };
}

/** The same visit by what is known now; undefined where the browser was sent elsewhere. */
export async function reloadInteraction(
  interaction: InteractionContext,
): Promise<InteractionContext | undefined> {
  const { house: context, ctx, record, bindingValue, device, session } = interaction;
  const known = await loadSignInState(context.db, record.uid, hashBindingValue(bindingValue), device);
  if (known.holder !== 'current') return offerFreshStart(context, ctx, record.uid, known.holder);
  return { ...interaction, progress: deriveSignInState(known, record, session) };
}

/** The same visit by what is known now, held by the next value, which this response gives to the browser. */
export function reloadRebound(interaction: InteractionContext): Promise<InteractionContext | undefined> {
  const { house: context, ctx, record, nextBinding } = interaction;
  setSignInCookie(context.settings, ctx, record.uid, nextBinding.value);
  return reloadInteraction({ ...interaction, ...bindingFields(context, ctx, record.uid, nextBinding.value) });
}
