import Router from '@koa/router';
import type { Middleware } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { z } from 'zod';
import { isSameOriginRequest } from '../../src/http/request-info.ts';
import type { AppContext } from '../../src/context.ts';
import { renderPage } from '../ui/layout.tsx';
import { parseForm, parseFormBody } from '../ui/parse-form.ts';
import { translateRefusal, setRetryAfter } from '../ui/refusal.ts';
import { anotherWay } from './another-way.tsx';
import { renderRateLimitInPlace } from './too-many-requests.tsx';
import { confirmStep } from './confirm.tsx';
import { consentStep } from './consent.tsx';
import { enrollmentStep } from './enrollment.tsx';
import { finishSignIn } from './finish.ts';
import { forgottenPasswordStep } from './forgotten-password.tsx';
import { helpDeskStep } from './help-desk.tsx';
import { mailedCodeStep } from './mailed-code.tsx';
import { newEmailStep } from './new-email.tsx';
import { newPasswordStep } from './new-password.tsx';
import { newRecoveryCodeStep } from './new-recovery-code.tsx';
import { noAccessStep } from './no-access.tsx';
import { otherAccountStep } from './other-account.tsx';
import { passwordStep } from './password.tsx';
import { passwordAndCode } from './password-and-code.tsx';
import { openInteraction, reloadInteraction, reloadRebound } from './open-interaction.ts';
import { recordChoice } from './state.ts';
import { reEnrollmentStep } from './re-enrollment.tsx';
import { recoveryCodeStep } from './recovery-code.tsx';
import type { Step } from './steps.ts';
import { isIntentDeclinable, isStepOpen, currentStep } from './steps.ts';
import { totpStep } from './totp.tsx';
import type { StepRefusal, StepPage, InteractionContext } from './interaction-context.ts';

type AnyStepPage = StepPage<Record<string, unknown>>;
type StepPageName = Step | 'consent' | 'no-access';

const stepPages = {
  password: passwordStep,
  'forgotten-password': forgottenPasswordStep,
  'password-and-code': passwordAndCode,
  'new-password': newPasswordStep,
  'new-email': newEmailStep,
  'other-account': otherAccountStep,
  totp: totpStep,
  'another-way': anotherWay,
  'recovery-code': recoveryCodeStep,
  'help-desk': helpDeskStep,
  're-enrollment': reEnrollmentStep,
  'mailed-code': mailedCodeStep,
  enrollment: enrollmentStep,
  'new-recovery-code': newRecoveryCodeStep,
  confirm: confirmStep,
  consent: consentStep,
  'no-access': noAccessStep,
} as unknown as Record<StepPageName, AnyStepPage>;

/** The last parts of the addresses of these pages. */
export const stepNames: ReadonlySet<string> = new Set(Object.keys(stepPages));

/** Questions that come after it is known who it is: each is an interaction with one page. */
const pageByPrompt: Partial<Record<string, StepPageName>> = { consent: 'consent', access: 'no-access' };

const currentPageName = ({ record, progress: signInState }: InteractionContext): StepPageName | 'finished' =>
  pageByPrompt[record.prompt.name] ?? currentStep(signInState.situation);

/** The page of this address, where it is open; what is not open is neither shown nor taken. */
function requestedPage(interaction: InteractionContext): StepPageName | undefined {
  const { step } = interaction.ctx.params as { step: string };
  const promptPage = pageByPrompt[interaction.record.prompt.name];
  if (promptPage) return step === promptPage ? promptPage : undefined;
  return isStepOpen(interaction.progress.situation, step) ? step : undefined;
}

/** On to the page that is open now, or out of the sign-in. 303: what was posted is not posted again (RFC 9700 §4.12). */
async function redirectToCurrentPage(interaction: InteractionContext): Promise<void> {
  const open = currentPageName(interaction);
  const to =
    open === 'finished' ? await finishSignIn(interaction) : `/interaction/${interaction.record.uid}/${open}`;
  interaction.ctx.status = 303;
  interaction.ctx.redirect(to);
}

const redirectIfOpen = (interaction: InteractionContext | undefined): Promise<void> | undefined =>
  interaction && redirectToCurrentPage(interaction);

async function renderStepPage(
  interaction: InteractionContext,
  page: AnyStepPage,
  refused: StepRefusal,
  typed: Record<string, unknown>,
): Promise<void> {
  const { frame, house: context, ctx } = interaction;
  const refusal =
    refused && translateRefusal(frame, refused, context.settings.HEMMA_HELP_DESK_CONTACT, refused.field);
  ctx.status = refused ? 422 : 200;
  if (refused) setRetryAfter(ctx, refused);
  const element = await page.show(interaction, refusal, typed);
  ctx.type = 'html';
  ctx.body = renderPage(frame, element);
}

/** A page that is not open leads to the one that is; nothing about it is shown or taken. */
function createGetHandler(context: AppContext): Middleware {
  return async (ctx) => {
    const interaction = await openInteraction(context, ctx);
    if (!interaction) return undefined;
    const open = requestedPage(interaction);
    if (!open) return redirectToCurrentPage(interaction);
    return renderStepPage(interaction, stepPages[open], undefined, {});
  };
}

const commonFields = z.object({
  token: z.string().max(200).optional(),
  /** The button that leaves an intent where it is and goes on without. */
  choice: z.string().max(20).optional(),
});

function createPostHandler(context: AppContext): Middleware {
  return async (ctx) => {
    if (!isSameOriginRequest(ctx, context.settings.HEMMA_ISSUER)) return ctx.throw(403, 'foreign-form');
    const interaction = await openInteraction(context, ctx);
    if (!interaction) return undefined;
    const open = requestedPage(interaction);
    if (!open) return redirectToCurrentPage(interaction);
    const page = stepPages[open];
    const { token, choice } = parseForm(ctx, commonFields);
    if (!token || !context.vault.macMatches('sign-in form', interaction.bindingValue, token)) {
      await renderStepPage(interaction, page, { code: 'form-expired' }, {});
      ctx.status = 403;
      ctx.state.refusal = 'form-expired';
      return undefined;
    }
    if (choice === 'decline' && isIntentDeclinable(interaction.progress.situation)) {
      await recordChoice(context.db, interaction.record.uid, 'declined');
      return redirectIfOpen(await reloadInteraction(interaction));
    }
    const form = parseForm(ctx, page.form);
    const refused = await page.answer(interaction, form);
    if (refused === 'answered') return undefined;
    if (refused === 'rebound') return redirectIfOpen(await reloadRebound(interaction));
    const now = await reloadInteraction(interaction);
    // Sent twice at once: the other one may have verified it in between, and this one's refusal is out of date.
    return refused && now && requestedPage(now) === open
      ? renderStepPage(now, page, refused, form)
      : redirectIfOpen(now);
  };
}

/**
 * Sends a browser whose sign-in has just begun to the page that is open then: nothing is proved yet, so nobody need be
 * asked which one that is. The address without a page, which the library leads to, finds it for whoever comes back later.
 */
export const redirectToFirstPage: Middleware = async (ctx, next) => {
  await next();
  const { Interaction: interaction } = (ctx as Partial<KoaContextWithOIDC>).oidc?.entities ?? {};
  const interactionPath = interaction && `/interaction/${interaction.uid}`;
  if (interactionPath && ctx.status === 303 && ctx.response.get('location') === interactionPath)
    ctx.redirect(`${interactionPath}/${pageByPrompt[interaction.prompt.name] ?? 'password'}`);
};

/** All pages of all sign-ins: every ceremony that needs a fresh proof of who is there happens here. */
export function createSignInRoutes(context: AppContext): Middleware {
  const router = new Router({ prefix: '/interaction/:uid' });
  router.use((ctx, next) => {
    ctx.set('Cache-Control', 'no-store');
    return next();
  });
  router.get('/', async (ctx) => redirectIfOpen(await openInteraction(context, ctx)));
  router.get('/:step', createGetHandler(context));
  router.post('/:step', parseFormBody, renderRateLimitInPlace(context, createPostHandler(context)));
  return router.routes() as unknown as Middleware;
}
