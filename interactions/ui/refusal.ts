import type { Context } from 'koa';
import type { Phrases } from '../../src/i18n/sv.ts';
import type { Refusal } from './form.tsx';
import type { Frame } from './layout.tsx';

/** A refusal as the domain gives it: a code, and a number of seconds where one belongs to it. */
export interface DomainRefusal {
  code: keyof Phrases['refusals'];
  seconds?: number;
}

/** The one place where a refusal becomes words: its code is the phrase's key. */
export function translateRefusal(
  frame: Frame,
  refusal: DomainRefusal,
  helpDesk: string,
  field?: string,
): Refusal {
  const phrase = frame.t.refusals[refusal.code] as string | ((fact: number | string) => string);
  const fact = refusal.code === 'authenticator-disabled' ? helpDesk : (refusal.seconds ?? 0);
  const message = typeof phrase === 'string' ? phrase : phrase(fact);
  return { code: refusal.code, message, field };
}

/** Whoever is asked to wait gets a 429, or a 503 where it is not their doing, and is told for how long (RFC 9110 §10.2.3). */
export function setRetryAfter(ctx: Context, { code, seconds }: DomainRefusal): void {
  if (code !== 'throttled' && code !== 'just-sent' && code !== 'busy') return;
  ctx.status = code === 'busy' ? 503 : 429;
  if (code === 'throttled') ctx.state.refusedAttempt = code;
  ctx.set('Retry-After', String(seconds ?? 1));
}
