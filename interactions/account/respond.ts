import type { Context } from 'koa';
import { z } from 'zod';
import { setLocale } from '../../src/users/users.ts';
import { forgetTrustedDevice } from '../../src/users/devices.ts';
import { disconnectApplication } from '../../src/oidc/connected-applications.ts';
import { endUserSessions } from '../../src/oidc/sessions.ts';
import { cookieName, isSameOriginRequest } from '../../src/http/request-info.ts';
import type { AppContext } from '../../src/context.ts';
import { parseForm } from '../ui/parse-form.ts';
import { downloadUserData } from './my-data.tsx';
import type { AccountSession } from './account-session.ts';
import { findAccountSession, redirectToSignIn } from './account-session.ts';
import type { MyDetailsNotice } from './sections.tsx';

const idField = z.string().max(100).optional();

/** One button, one field. An identifier that is none of this account's changes nothing: its SQL names the account. */
const myDetailsForm = z.object({
  token: z.string().max(200),
  locale: z.enum(['sv', 'en']).optional(),
  forget: idField,
  endSession: idField,
  endOtherSessions: z.literal('yes').optional(),
  disconnect: idField,
  download: z.literal('yes').optional(),
});

type MyDetailsForm = z.output<typeof myDetailsForm>;

/** Carries out what a button asked for and answers what to say about it. */
async function executeFormAction(
  context: AppContext,
  ctx: Context,
  { account: user, session }: AccountSession,
  sent: MyDetailsForm,
): Promise<MyDetailsNotice | undefined> {
  const { db, settings } = context;
  const { origin: requestInfo } = ctx.state;
  const end = (which: { only: string } | { except: string }) =>
    endUserSessions(db, { accountId: user.id, which, origin: requestInfo });
  if (sent.forget) await forgetTrustedDevice(db, user.id, sent.forget, requestInfo);
  if (sent.endSession && (await end({ only: sent.endSession })) > 0) return 'session-ended';
  if (sent.endOtherSessions && (await end({ except: session })) > 0) return 'others-ended';
  if (sent.disconnect && (await disconnectApplication(db, user.id, sent.disconnect, requestInfo)))
    return 'disconnected';
  if (!sent.locale) return undefined;
  await setLocale(db, user.id, sent.locale, requestInfo);
  // The choice just made is the newest wish; an older click on a page's foot must not outvote it.
  ctx.cookies.set(cookieName(settings, 'language'), null, { path: '/' });
  return 'language-saved';
}

/** Takes a form of My details: from a page of ours, with the token of this very session. */
export async function submitMyDetails(context: AppContext, ctx: Context): Promise<void> {
  ctx.set('Cache-Control', 'no-store');
  if (!isSameOriginRequest(ctx, context.settings.HEMMA_ISSUER)) ctx.throw(403, 'foreign-form');
  const resident = await findAccountSession(context, ctx);
  if (!resident) return redirectToSignIn(context, ctx);
  const sent = parseForm(ctx, myDetailsForm);
  if (!context.vault.macMatches('account form', resident.session, sent.token)) ctx.throw(403, 'form-expired');
  if (sent.download) return downloadUserData(context, ctx, resident);
  const notice = await executeFormAction(context, ctx, resident, sent);
  ctx.status = 303;
  ctx.redirect(notice ? `/account?notice=${notice}` : '/account');
}
