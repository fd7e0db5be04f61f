import type { Context } from 'koa';
import { errors } from 'oidc-provider';
import type { BrowserTokens } from '../../src/users/devices.ts';
import { beganElsewhere, restartPath, sessionOf } from '../../src/oidc/interactions/binding.ts';
import {
  bindingHash,
  signInCookie,
  setSignInCookie,
  newBindingValue,
  presentToLibrary,
} from '../../src/oidc/interactions/cookies.ts';
import type { Holder } from '../../src/sessions/records.ts';
import { rebinding } from '../../src/sessions/records.ts';
import { cookieName } from '../../src/http/request-info.ts';
import { frameOf } from '../ui/frame.ts';
import type { House } from '../../src/context.ts';
import type { Frame } from '../ui/layout.tsx';
import type { InteractionRecord, Progress } from './state.ts';
import { intentOf, knownOf, progressFrom } from './state.ts';
import { isDeclinable } from './steps.ts';
import type { Visit } from './interaction-context.ts';

/** Opens the interaction of a request for the browser that holds it. Anybody else learns nothing of it. */

/** Every page on the way to an action names it, and the account once that is known: the link may be anybody's. */
function actionTitle({ t }: Frame, record: InteractionRecord, { account }: Progress): string | undefined {
  const intent = intentOf(record);
  if (!intent) return undefined;
  return account ? `${t.deeds[intent]} · ${account.email}` : t.deeds[intent];
}

/** The same for the same holder of an interaction, so that a finish sent twice names the same browser. */
const tokensOf = ({ settings, vault }: House, ctx: Context, bindingValue: string): BrowserTokens => ({
  token: ctx.cookies.get(cookieName(settings, 'device'), { signed: false }),
  next: vault.mac('device', bindingValue),
});

/** What follows from the value by which a browser holds an interaction. */
function bindingFields(house: House, ctx: Context, uid: string, bindingValue: string) {
  const value = newBindingValue();
  const rebind = rebinding(uid, { from: bindingHash(bindingValue), to: bindingHash(value) });
  const token = house.vault.mac('sign-in form', bindingValue);
  return { bindingValue, nextBinding: { value, rebind }, device: tokensOf(house, ctx, bindingValue), token };
}

/** The interaction as oidc-provider has it; undefined where it has ended, or the session that it began in. */
const detailsOf = (house: House, ctx: Context): Promise<InteractionRecord | undefined> =>
  house.provider.interactionDetails(ctx.req, ctx.res).catch((fault: unknown) => {
    if (fault instanceof errors.SessionNotFound) return undefined;
    throw fault;
  });

/**
 * Sends a browser that held the interaction before to a new one, and answers any other with 404. A form that was
 * sent twice leads to the address of the sign-in first: by then the browser may have the value of the first response.
 */
async function startAgain(house: House, ctx: Context, uid: string, holder?: Holder): Promise<undefined> {
  const twice = ctx.method === 'POST' && holder === 'previous';
  const path = twice ? `/interaction/${uid}` : await restartPath(house, ctx, uid, holder);
  if (path === undefined) return ctx.throw(404, 'sign-in-ended');
  ctx.status = 303;
  ctx.redirect(path);
  return undefined;
}

/** What every page shows around its question. */
async function frameFor(
  house: House,
  ctx: Context,
  { record, progress, token }: Pick<Visit, 'record' | 'progress' | 'token'>,
): Promise<Frame> {
  const uiLocales = typeof record.params.ui_locales === 'string' ? record.params.ui_locales : undefined;
  const frame = frameOf(house, ctx, { uiLocales, account: progress.account?.locale });
  return {
    ...frame,
    deed: actionTitle(frame, record, progress),
    ...(isDeclinable(progress.situation) ? { decline: { action: ctx.path, token } } : {}),
  };
}

/**
 * The sign-in of this request's path. Undefined where the browser was sent elsewhere: it held this interaction before
 * its first factor was verified, or the interaction has ended, and it begins again.
 *
 * @throws 404 `sign-in-ended` for a browser that never held it
 */
export async function openInteraction(house: House, ctx: Context): Promise<Visit | undefined> {
  const uid = String(ctx.params.uid);
  const value = /^[\w-]{20,60}$/.test(uid) ? signInCookie(house.settings, ctx, uid) : undefined;
  if (value === undefined) return ctx.throw(404, 'sign-in-ended');
  presentToLibrary(house.settings, ctx, 'interaction', uid);
  const mine = bindingFields(house, ctx, uid, value);
  // What is known of the sign-in comes from the same snapshot as its holder, or a race would show it to the one before.
  const [session, record, known] = await Promise.all([
    sessionOf(house.provider, ctx),
    detailsOf(house, ctx),
    knownOf(house.db, uid, bindingHash(value), mine.device),
  ]);
  if (!record || known.holder !== 'current' || beganElsewhere(record.session, session))
    return startAgain(house, ctx, uid, known.holder);
  const progress = progressFrom(known, record, session);
  const client = await house.provider.Client.find(String(record.params.client_id));
  return {
    house,
    ctx,
    record,
    progress,
    session,
    ...mine,
    frame: await frameFor(house, ctx, { record, progress, token: mine.token }),
    action: ctx.path,
    clientName: client?.clientName ?? record.params.client_id?.toString() ?? '',
  };
}

/** The same visit by what is known now; undefined where the browser was sent elsewhere. */
export async function reopen(visit: Visit): Promise<Visit | undefined> {
  const { house, ctx, record, bindingValue, device, session } = visit;
  const known = await knownOf(house.db, record.uid, bindingHash(bindingValue), device);
  if (known.holder !== 'current') return startAgain(house, ctx, record.uid, known.holder);
  return { ...visit, progress: progressFrom(known, record, session) };
}

/** The same visit by what is known now, held by the next value, which this response gives to the browser. */
export function reopenRebound(visit: Visit): Promise<Visit | undefined> {
  const { house, ctx, record, nextBinding } = visit;
  setSignInCookie(house.settings, ctx, record.uid, nextBinding.value);
  return reopen({ ...visit, ...bindingFields(house, ctx, record.uid, nextBinding.value) });
}
