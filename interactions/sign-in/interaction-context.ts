import type { Context } from 'koa';
import type { VNode } from 'preact';
import type { ZodType } from 'zod';
import type { User } from '../../src/users/users.ts';
import type { BrowserTokens } from '../../src/users/devices.ts';
import type { BrowserSession } from '../../src/oidc/interactions/binding.ts';
import type { Rebind } from '../../src/security/verified-factors.ts';
import type { AppContext } from '../../src/context.ts';
import type { Frame } from '../ui/layout.tsx';
import type { Refusal } from '../ui/form.tsx';
import type { DomainRefusal } from '../ui/refusal.ts';
import type { InteractionRecord, SignInState } from './state.ts';

/** One request to one page of a sign-in. */
export interface InteractionContext {
  house: AppContext;
  ctx: Context;
  record: InteractionRecord;
  progress: SignInState;
  /** The session of this browser at this moment. */
  session: BrowserSession | undefined;
  /** The value by which this browser holds the interaction. */
  bindingValue: string;
  /** The value that takes its place with the first verified factor, and the gate by which it does. */
  nextBinding: { value: string; rebind: Rebind };
  /** What names this browser. */
  device: BrowserTokens;
  frame: Frame;
  /** Where the page's form posts to. */
  action: string;
  /** Binds the page's form to this interaction. */
  token: string;
  /** The application that the person came from. */
  clientName: string;
}

/** A refusal and the field that it is about. */
export type StepRefusal = (DomainRefusal & { field?: string }) | undefined;

/**
 * One page of the sign-in: what it shows and what it does with an answer. An answer asks one domain function one
 * question; what comes next is decided by the table of steps alone, unless the page
 * `answered` because the sign-in ends there. `rebound`: the first factor was verified, and the interaction
 * is held by the next value from now on.
 */
export interface StepPage<Form> {
  form: ZodType<Form>;
  show(visit: InteractionContext, refusal: Refusal | undefined, typed: Partial<Form>): Promise<VNode> | VNode;
  answer(visit: InteractionContext, form: Form): Promise<StepRefusal | 'answered' | 'rebound'>;
}

/** The account that proved its password; pages behind the password are open for one only. */
export function verifiedUser({ progress: signInState }: InteractionContext): User {
  if (!signInState.account) throw new Error('a page behind the password was opened without one');
  return signInState.account;
}

/** What a factor's verifier needs to know of this request. */
export const attemptContext = (interaction: InteractionContext) => ({
  account: verifiedUser(interaction),
  interaction: interaction.record.uid,
  origin: interaction.ctx.state.origin,
});

/** What a change of factors needs to know besides: whether a claimed code opened this sign-in, the session, and the known browser. */
export const factorChangeContext = (interaction: InteractionContext) => ({
  ...attemptContext(interaction),
  claimed: interaction.progress.situation.claim === 'claimed',
  authenticator: interaction.progress.authenticator?.id,
  session: interaction.record.session?.uid,
  device: interaction.progress.browser,
});
