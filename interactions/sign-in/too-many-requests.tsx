import { setTimeout as delay } from 'node:timers/promises';
import type { Context, Middleware } from 'koa';
import { z } from 'zod';
import { sentByOurPage } from '../../src/http/request-info.ts';
import { frameOf } from '../ui/frame.ts';
import { Field, Form, PasswordField, SubmitButton } from '../ui/form.tsx';
import type { Refusal } from '../ui/form.tsx';
import type { House } from '../../src/context.ts';
import { Layout, renderPage } from '../ui/layout.tsx';
import type { Frame } from '../ui/layout.tsx';
import { posted } from '../ui/parse-form.ts';
import { inWords, sayWhen } from '../ui/refusal.ts';
import type { Step } from './steps.ts';

declare module 'koa' {
  interface DefaultState {
    /** Milliseconds for which the answer is held back (docs/adr/0001-throttling.md). */
    slowDownMs?: number;
  }
}

type BusyPageProps = {
  frame: Frame;
  step: string;
  action: string;
  refusal: Refusal;
  /** What was sent. A password is never sent back. */
  sent: Record<string, string>;
};

export function BusyPage({ frame, step, action, refusal, sent }: BusyPageProps) {
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

const anything = z.record(z.string().max(30), z.string().max(1000));

/**
 * Turned away before anything was looked up, and so in the language of the browser: the form once more, with what was
 * sent. Whatever stands in it, its token too, is judged when it is sent again.
 */
function showBusy(house: House, ctx: Context, seconds: number): void {
  const { step } = ctx.params as { step: string };
  const frame = frameOf(house, ctx);
  const busy = { code: 'busy', seconds } as const;
  const refusal = inWords(frame, busy, house.settings.HEMMA_HELP_DESK_CONTACT);
  sayWhen(ctx, busy);
  ctx.state.refusal = busy.code;
  ctx.type = 'html';
  const sent = posted(ctx, anything);
  ctx.body = renderPage(frame, <BusyPage {...{ frame, step, action: ctx.path, refusal, sent }} />);
}

/** Pages that anybody can open, and whose answers take a slow hash. */
const crowded: ReadonlySet<string> = new Set<Step>([
  'password',
  'password-and-code',
  'forgotten-password',
  'mailed-code',
]);

/** Whoever would wait too long is turned away before anything is looked up for them: in a flood that is most of the work. */
export function inPlace(house: House, take: Middleware): Middleware {
  return async (ctx, next) => {
    const { step = '' } = ctx.params as { step?: string };
    if (!crowded.has(step) || !sentByOurPage(ctx, house.settings.HEMMA_ISSUER)) return take(ctx, next);
    const place = house.hasher.takePlace();
    if ('seconds' in place) return showBusy(house, ctx, place.seconds);
    try {
      await take(ctx, next);
    } finally {
      place.leave();
    }
    // The network is close to its limit. The wait holds neither a place nor a connection to the database.
    return ctx.state.slowDownMs ? delay(ctx.state.slowDownMs) : undefined;
  };
}
