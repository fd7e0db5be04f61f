import Router from '@koa/router';
import type { Middleware } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { z } from 'zod';
import { sentByOurPage } from '../../src/http/request-info.ts';
import type { House } from '../../src/context.ts';
import { renderPage } from '../ui/layout.tsx';
import { posted, readForm } from '../ui/parse-form.ts';
import { inWords, sayWhen } from '../ui/refusal.ts';
import { anotherWay } from './another-way.tsx';
import { inPlace } from './too-many-requests.tsx';
import { confirm } from './confirm.tsx';
import { consent } from './consent.tsx';
import { enrollment } from './enrollment.tsx';
import { finish } from './finish.ts';
import { forgottenPassword } from './forgotten-password.tsx';
import { helpDesk } from './help-desk.tsx';
import { mailedCode } from './mailed-code.tsx';
import { newEmail } from './new-email.tsx';
import { newPassword } from './new-password.tsx';
import { newRecoveryCode } from './new-recovery-code.tsx';
import { noAccess } from './no-access.tsx';
import { otherAccount } from './other-account.tsx';
import { password } from './password.tsx';
import { passwordAndCode } from './password-and-code.tsx';
import { openInteraction, reopen, reopenRebound } from './open-interaction.ts';
import { noteChoice } from './state.ts';
import { reEnrollment } from './re-enrollment.tsx';
import { recoveryCode } from './recovery-code.tsx';
import type { Step } from './steps.ts';
import { isDeclinable, isOpen, openStep } from './steps.ts';
import { totp } from './totp.tsx';
import type { Refused, StepPage, Visit } from './interaction-context.ts';

type AnyPage = StepPage<Record<string, unknown>>;
type PageName = Step | 'consent' | 'no-access';

const pages = {
  password,
  'forgotten-password': forgottenPassword,
  'password-and-code': passwordAndCode,
  'new-password': newPassword,
  'new-email': newEmail,
  'other-account': otherAccount,
  totp,
  'another-way': anotherWay,
  'recovery-code': recoveryCode,
  'help-desk': helpDesk,
  're-enrollment': reEnrollment,
  'mailed-code': mailedCode,
  enrollment,
  'new-recovery-code': newRecoveryCode,
  confirm,
  consent,
  'no-access': noAccess,
} as unknown as Record<PageName, AnyPage>;

/** The last parts of the addresses of these pages. */
export const stepNames: ReadonlySet<string> = new Set(Object.keys(pages));

/** Questions that come after it is known who it is: each is an interaction with one page. */
const afterwards: Partial<Record<string, PageName>> = { consent: 'consent', access: 'no-access' };

const openPage = ({ record, progress }: Visit): PageName | 'finished' =>
  afterwards[record.prompt.name] ?? openStep(progress.situation);

/** The page of this address, where it is open; what is not open is neither shown nor taken. */
function asked(visit: Visit): PageName | undefined {
  const { step } = visit.ctx.params as { step: string };
  const only = afterwards[visit.record.prompt.name];
  if (only) return step === only ? only : undefined;
  return isOpen(visit.progress.situation, step) ? step : undefined;
}

/** On to the page that is open now, or out of the sign-in. 303: what was posted is not posted again (RFC 9700 §4.12). */
async function goOn(visit: Visit): Promise<void> {
  const open = openPage(visit);
  const to = open === 'finished' ? await finish(visit) : `/interaction/${visit.record.uid}/${open}`;
  visit.ctx.status = 303;
  visit.ctx.redirect(to);
}

const goOnFrom = (visit: Visit | undefined): Promise<void> | undefined => visit && goOn(visit);

async function show(
  visit: Visit,
  page: AnyPage,
  refused: Refused,
  typed: Record<string, unknown>,
): Promise<void> {
  const { frame, house, ctx } = visit;
  const refusal = refused && inWords(frame, refused, house.settings.HEMMA_HELP_DESK_CONTACT, refused.field);
  ctx.status = refused ? 422 : 200;
  if (refused) sayWhen(ctx, refused);
  const element = await page.show(visit, refusal, typed);
  ctx.type = 'html';
  ctx.body = renderPage(frame, element);
}

/** A page that is not open leads to the one that is; nothing about it is shown or taken. */
function get(house: House): Middleware {
  return async (ctx) => {
    const visit = await openInteraction(house, ctx);
    if (!visit) return undefined;
    const open = asked(visit);
    if (!open) return goOn(visit);
    return show(visit, pages[open], undefined, {});
  };
}

const common = z.object({
  token: z.string().max(200).optional(),
  /** The button that leaves an intent where it is and goes on without. */
  choice: z.string().max(20).optional(),
});

function post(house: House): Middleware {
  return async (ctx) => {
    if (!sentByOurPage(ctx, house.settings.HEMMA_ISSUER)) return ctx.throw(403, 'foreign-form');
    const visit = await openInteraction(house, ctx);
    if (!visit) return undefined;
    const open = asked(visit);
    if (!open) return goOn(visit);
    const page = pages[open];
    const { token, choice } = posted(ctx, common);
    if (!token || !house.vault.macMatches('sign-in form', visit.bindingValue, token)) {
      await show(visit, page, { code: 'form-expired' }, {});
      ctx.status = 403;
      ctx.state.refusal = 'form-expired';
      return undefined;
    }
    if (choice === 'decline' && isDeclinable(visit.progress.situation)) {
      await noteChoice(house.db, visit.record.uid, 'declined');
      return goOnFrom(await reopen(visit));
    }
    const form = posted(ctx, page.form);
    const refused = await page.answer(visit, form);
    if (refused === 'answered') return undefined;
    if (refused === 'rebound') return goOnFrom(await reopenRebound(visit));
    const now = await reopen(visit);
    // Sent twice at once: the other one may have verified it in between, and this one's refusal is out of date.
    return refused && now && asked(now) === open ? show(now, page, refused, form) : goOnFrom(now);
  };
}

/**
 * Sends a browser whose sign-in has just begun to the page that is open then: nothing is proved yet, so nobody need be
 * asked which one that is. The address without a page, which the library leads to, finds it for whoever comes back later.
 */
export const firstPage: Middleware = async (ctx, next) => {
  await next();
  const { Interaction: begun } = (ctx as Partial<KoaContextWithOIDC>).oidc?.entities ?? {};
  const at = begun && `/interaction/${begun.uid}`;
  if (at && ctx.status === 303 && ctx.response.get('location') === at)
    ctx.redirect(`${at}/${afterwards[begun.prompt.name] ?? 'password'}`);
};

/** All pages of all sign-ins: every ceremony that needs a fresh proof of who is there happens here. */
export function signIn(house: House): Middleware {
  const router = new Router({ prefix: '/interaction/:uid' });
  router.use((ctx, next) => {
    ctx.set('Cache-Control', 'no-store');
    return next();
  });
  router.get('/', async (ctx) => goOnFrom(await openInteraction(house, ctx)));
  router.get('/:step', get(house));
  router.post('/:step', readForm, inPlace(house, post(house)));
  return router.routes() as unknown as Middleware;
}
