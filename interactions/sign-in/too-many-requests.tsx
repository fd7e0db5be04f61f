import { setTimeout as delay } from 'node:timers/promises';
import type { Context, Middleware } from 'koa';
import { z } from 'zod';
import { isSameOriginRequest } from '../../src/http/request-info.ts';
import { createFrame } from '../ui/frame.ts';
import { Field, Form, PasswordField, SubmitButton } from '../ui/form.tsx';
import type { Refusal } from '../ui/form.tsx';
import type { AppContext } from '../../src/context.ts';
import { Layout, renderPage } from '../ui/layout.tsx';
import type { Frame } from '../ui/layout.tsx';
import { parseForm } from '../ui/parse-form.ts';
import { translateRefusal, setRetryAfter } from '../ui/refusal.ts';
import type { Step } from './steps.ts';

declare module 'koa' {
  interface DefaultState {
    /** Milliseconds for which the answer is held back (docs/adr/0001-throttling.md). */
    slowDownMs?: number;
  }
}

type TooManyRequestsProps = {
  frame: Frame;
  step: string;
  action: string;
  refusal: Refusal;
  /** What was sent. A password is never sent back. */
  sent: Record<string, string>;
};

export function TooManyRequestsPage({ frame, step, action, refusal, sent }: TooManyRequestsProps) {
  const { t } = frame;
  const { password, email, ...rest } = sent;
  const asksPassword = password !== undefined;
  return (
    <Layout
      frame={frame}
      title={t.problem.kinds.busy.title}
      step={step}
      scripts={['show-password', 'waiting-button']}
    >
      <h1>{t.problem.kinds.busy.title}</h1>
      <Form action={action} refusal={refusal}>
        {Object.entries(rest).map(([name, value]) => (
          <input key={name} type="hidden" name={name} value={value} />
        ))}
        {email !== undefined && (
          <Field
            name="email"
            label={t.password.email}
            value={email}
            autocomplete="username"
            inputmode="email"
          />
        )}
        {asksPassword && (
          <PasswordField
            t={t}
            name="password"
            label={t.password.password}
            autocomplete="current-password"
            autofocus
          />
        )}
        <SubmitButton waiting={t.form.waiting}>{asksPassword ? t.password.submit : t.form.goOn}</SubmitButton>
      </Form>
    </Layout>
  );
}

const anyFields = z.record(z.string().max(30), z.string().max(1000));

/**
 * Turned away before anything was looked up, and so in the language of the browser: the form once more, with what was
 * sent. Whatever stands in it, its token too, is judged when it is sent again.
 */
function renderTooManyRequests(context: AppContext, ctx: Context, seconds: number): void {
  const { step } = ctx.params as { step: string };
  const frame = createFrame(context, ctx);
  const busy = { code: 'busy', seconds } as const;
  const refusal = translateRefusal(frame, busy, context.settings.HEMMA_HELP_DESK_CONTACT);
  setRetryAfter(ctx, busy);
  ctx.state.refusal = busy.code;
  ctx.type = 'html';
  const sent = parseForm(ctx, anyFields);
  ctx.body = renderPage(frame, <TooManyRequestsPage {...{ frame, step, action: ctx.path, refusal, sent }} />);
}

/** Pages that anybody can open, and whose answers take a slow hash. */
const rateLimitedSteps: ReadonlySet<string> = new Set<Step>([
  'password',
  'password-and-code',
  'forgotten-password',
  'mailed-code',
]);

/** Whoever would wait too long is turned away before anything is looked up for them: in a flood that is most of the work. */
export function renderRateLimitInPlace(context: AppContext, handler: Middleware): Middleware {
  return async (ctx, next) => {
    const { step = '' } = ctx.params as { step?: string };
    if (!rateLimitedSteps.has(step) || !isSameOriginRequest(ctx, context.settings.HEMMA_ISSUER))
      return handler(ctx, next);
    const place = context.hasher.takePlace();
    if ('seconds' in place) return renderTooManyRequests(context, ctx, place.seconds);
    try {
      await handler(ctx, next);
    } finally {
      place.leave();
    }
    // The network is close to its limit. The wait holds neither a place nor a connection to the database.
    return ctx.state.slowDownMs ? delay(ctx.state.slowDownMs) : undefined;
  };
}
