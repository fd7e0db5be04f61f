import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { z } from 'zod';
import type { StopRefusal } from '../../src/help-desk/dispute.ts';
import { stopCase } from '../../src/help-desk/dispute.ts';
import { sentByOurPage } from '../../src/http/request-info.ts';
import { Field, Form, SubmitButton } from '../ui/form.tsx';
import type { Refusal } from '../ui/form.tsx';
import { frameOf } from '../ui/frame.ts';
import type { House } from '../../src/context.ts';
import type { Frame } from '../ui/layout.tsx';
import { Layout, renderPage } from '../ui/layout.tsx';
import { posted, readForm } from '../ui/parse-form.ts';
import { inWords } from '../ui/refusal.ts';

const path = '/help-desk/stop';

/** Whoever got a mail about a case that is none of theirs types its code here, in any browser, signed in or not. */
export function StopPage({ frame, refusal }: { frame: Frame; refusal?: Refusal | undefined }) {
  const t = frame.t.helpDesk.stop;
  return (
    <Layout frame={frame} title={t.title} step="stop" scripts={['waiting-button']}>
      <h1>{t.title}</h1>
      <p class="lead">{t.help}</p>
      <Form action={path} refusal={refusal} fields={['code']}>
        <Field
          name="code"
          label={t.code}
          help={t.codeHelp}
          autocomplete="off"
          code
          autofocus
          refusal={refusal}
        />
        <SubmitButton waiting={t.waiting}>{t.submit}</SubmitButton>
      </Form>
    </Layout>
  );
}

export function StoppedPage({ frame, contact }: { frame: Frame; contact: string }) {
  const t = frame.t.helpDesk.stop;
  return (
    <Layout frame={frame} title={t.doneTitle} step="stopped">
      <h1>{t.doneTitle}</h1>
      <p class="lead">{t.done}</p>
      <p>{t.next(contact)}</p>
      <div class="actions">
        <a class="button" href="/account">
          {t.changePassword}
        </a>
      </div>
    </Layout>
  );
}

function refuse(house: House, ctx: Context, frame: Frame, refused: StopRefusal): void {
  ctx.status = refused.code === 'throttled' ? 429 : 422;
  if (refused.code === 'throttled') ctx.set('Retry-After', String(refused.seconds));
  const refusal = inWords(frame, refused, house.settings.HEMMA_HELP_DESK_CONTACT, 'code');
  ctx.body = renderPage(frame, <StopPage frame={frame} refusal={refusal} />);
}

const form = z.object({ code: z.string().max(200).default('') });

/** A GET shows the form and changes nothing, whoever follows links in mails; the code is typed, and posted from here. */
export function stop(house: House): Middleware {
  const router = new Router();
  router.get(path, (ctx) => {
    const frame = frameOf(house, ctx);
    ctx.set('Cache-Control', 'no-store');
    ctx.type = 'html';
    ctx.body = renderPage(frame, <StopPage frame={frame} />);
  });
  router.post(path, readForm, async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    if (!sentByOurPage(ctx, house.settings.HEMMA_ISSUER)) return ctx.throw(403, 'foreign-form');
    const { code } = posted(ctx, form);
    const frame = frameOf(house, ctx);
    ctx.type = 'html';
    const refused = await stopCase(house.db, house.post, { code, origin: ctx.state.origin });
    if (refused) return refuse(house, ctx, frame, refused);
    const contact = house.settings.HEMMA_HELP_DESK_CONTACT;
    ctx.body = renderPage(frame, <StoppedPage frame={frame} contact={contact} />);
    return undefined;
  });
  return router.routes() as unknown as Middleware;
}
