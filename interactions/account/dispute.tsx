import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { z } from 'zod';
import type { DisputeRefusal } from '../../src/help-desk/dispute.ts';
import { disputeCase } from '../../src/help-desk/dispute.ts';
import { isSameOriginRequest } from '../../src/http/request-info.ts';
import { Field, Form, SubmitButton } from '../ui/form.tsx';
import type { Refusal } from '../ui/form.tsx';
import { createFrame } from '../ui/frame.ts';
import type { AppContext } from '../../src/context.ts';
import type { Frame } from '../ui/layout.tsx';
import { Layout, renderPage } from '../ui/layout.tsx';
import { parseForm, parseFormBody } from '../ui/parse-form.ts';
import { translateRefusal } from '../ui/refusal.ts';

const disputePath = '/help-desk/stop';

/** Whoever got a mail about a case that is none of theirs types its code here, in any browser, signed in or not. */
export function DisputePage({ frame, refusal }: { frame: Frame; refusal?: Refusal | undefined }) {
  const t = frame.t.helpDesk.stop;
  return (
    <Layout frame={frame} title={t.title} step="stop" scripts={['waiting-button']}>
      <h1>{t.title}</h1>
      <p class="lead">{t.help}</p>
      <Form action={disputePath} refusal={refusal} fields={['code']}>
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

export function DisputeAcceptedPage({ frame, contact }: { frame: Frame; contact: string }) {
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

function renderRefusal(context: AppContext, ctx: Context, frame: Frame, refused: DisputeRefusal): void {
  ctx.status = refused.code === 'throttled' ? 429 : 422;
  if (refused.code === 'throttled') ctx.set('Retry-After', String(refused.seconds));
  const refusal = translateRefusal(frame, refused, context.settings.HEMMA_HELP_DESK_CONTACT, 'code');
  ctx.body = renderPage(frame, <DisputePage frame={frame} refusal={refusal} />);
}

const disputeForm = z.object({ code: z.string().max(200).default('') });

/** A GET shows the form and changes nothing, whoever follows links in mails; the code is typed, and posted from here. */
export function createDisputeRoutes(context: AppContext): Middleware {
  const router = new Router();
  router.get(disputePath, (ctx) => {
    const frame = createFrame(context, ctx);
    ctx.set('Cache-Control', 'no-store');
    ctx.type = 'html';
    ctx.body = renderPage(frame, <DisputePage frame={frame} />);
  });
  router.post(disputePath, parseFormBody, async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    if (!isSameOriginRequest(ctx, context.settings.HEMMA_ISSUER)) return ctx.throw(403, 'foreign-form');
    const { code } = parseForm(ctx, disputeForm);
    const frame = createFrame(context, ctx);
    ctx.type = 'html';
    const refused = await disputeCase(context.db, context.post, { code, origin: ctx.state.origin });
    if (refused) return renderRefusal(context, ctx, frame, refused);
    const contact = context.settings.HEMMA_HELP_DESK_CONTACT;
    ctx.body = renderPage(frame, <DisputeAcceptedPage frame={frame} contact={contact} />);
    return undefined;
  });
  return router.routes() as unknown as Middleware;
}
