import type { Context } from 'koa';
import { z } from 'zod';
import { chooseLocale } from '../../src/users/users.ts';
import { forgetDevice } from '../../src/users/devices.ts';
import { disconnect } from '../../src/oidc/connected-applications.ts';
import { endOwnSessions } from '../../src/oidc/sessions.ts';
import { cookieName, sentByOurPage } from '../../src/http/request-info.ts';
import type { House } from '../../src/context.ts';
import { posted } from '../ui/parse-form.ts';
import { download } from './my-data.tsx';
import type { Resident } from './account-session.ts';
import { residentOf, toSignIn } from './account-session.ts';
import type { Notice } from './sections.tsx';

const id = z.string().max(100).optional();

/** One button, one field. An identifier that is none of this account's changes nothing: its SQL names the account. */
const form = z.object({
  token: z.string().max(200),
  locale: z.enum(['sv', 'en']).optional(),
  forget: id,
  endSession: id,
  endOtherSessions: z.literal('yes').optional(),
  disconnect: id,
  download: z.literal('yes').optional(),
});

type Sent = z.output<typeof form>;

/** Carries out what a button asked for and answers what to say about it. */
async function carryOut(
  house: House,
  ctx: Context,
  { account, session }: Resident,
  sent: Sent,
): Promise<Notice | undefined> {
  const { db, settings } = house;
  const { origin } = ctx.state;
  const end = (which: { only: string } | { except: string }) =>
    endOwnSessions(db, { accountId: account.id, which, origin });
  if (sent.forget) await forgetDevice(db, account.id, sent.forget, origin);
  if (sent.endSession && (await end({ only: sent.endSession })) > 0) return 'session-ended';
  if (sent.endOtherSessions && (await end({ except: session })) > 0) return 'others-ended';
  if (sent.disconnect && (await disconnect(db, account.id, sent.disconnect, origin))) return 'disconnected';
  if (!sent.locale) return undefined;
  await chooseLocale(db, account.id, sent.locale, origin);
  // The choice just made is the newest wish; an older click on a page's foot must not outvote it.
  ctx.cookies.set(cookieName(settings, 'language'), null, { path: '/' });
  return 'language-saved';
}

/** Takes a form of My details: from a page of ours, with the token of this very session. */
export async function answer(house: House, ctx: Context): Promise<void> {
  ctx.set('Cache-Control', 'no-store');
  if (!sentByOurPage(ctx, house.settings.HEMMA_ISSUER)) ctx.throw(403, 'foreign-form');
  const resident = await residentOf(house, ctx);
  if (!resident) return toSignIn(house, ctx);
  const sent = posted(ctx, form);
  if (!house.vault.macMatches('account form', resident.session, sent.token)) ctx.throw(403, 'form-expired');
  if (sent.download) return download(house, ctx, resident);
  const notice = await carryOut(house, ctx, resident, sent);
  ctx.status = 303;
  ctx.redirect(notice ? `/account?notice=${notice}` : '/account');
}
