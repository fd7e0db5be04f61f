import Router from '@koa/router';
import type { ComponentChildren } from 'preact';
import { z } from 'zod';
import type { User } from '../../../src/users/users.ts';
import { normalizeEmail } from '../../../src/users/users.ts';
import type { Permission } from '../../../src/users/operators.ts';
import type { Refusal } from '../../ui/form.tsx';
import { Field, Form, SubmitButton, LinkList } from '../../ui/form.tsx';
import type { AppContext } from '../../../src/context.ts';
import { parseFormBody } from '../../ui/parse-form.ts';
import type { DomainRefusal } from '../../ui/refusal.ts';
import { translateRefusal } from '../../ui/refusal.ts';
import type { ConsoleContext } from '../require-operator.ts';
import {
  requireRecentOperator,
  redirectAfterPost,
  findUserOr404,
  parseConsoleForm,
  sendConsolePage,
} from '../require-operator.ts';
import { ConsolePage } from '../layout.tsx';

/** What a deed is called, and what comes of it. */
export interface UserActionPhrases {
  title: string;
  consequence: string;
  button: string;
}

type UserActionPageProps = {
  visit: ConsoleContext;
  name: string;
  person: User;
  words: UserActionPhrases;
  /** Whether the person's address is typed, so that the deed meets whom it is meant for. */
  typed: boolean;
  refusal?: Refusal | undefined;
  children?: ComponentChildren;
};

/** The last page of a deed: whom it is about, what happens, and a button that names it. Nothing happens before it. */
export function UserActionPage({
  visit: consoleContext,
  name,
  person: user,
  words,
  typed,
  refusal,
  children,
}: UserActionPageProps) {
  const { frame, token } = consoleContext;
  const t = frame.t.console.deeds;
  const back = `/admin/people/${user.id}`;
  return (
    <ConsolePage visit={consoleContext} title={words.title} step={name} part="people">
      <p class="lead" data-about={user.id}>
        {t.who(user.name, user.email)}
      </p>
      <p>{words.consequence}</p>
      <Form action={`${back}/${name}`} token={token} refusal={refusal} fields={typed ? ['email'] : []}>
        {children}
        {typed && (
          <Field name="email" label={t.typeEmail} autocomplete="off" inputmode="email" refusal={refusal} />
        )}
        <SubmitButton waiting={t.waiting}>{words.button}</SubmitButton>
      </Form>
      <LinkList ways={[{ href: back, label: frame.t.console.cancel }]} />
    </ConsolePage>
  );
}

/** Why a deed was not done; `not-there` is a page of its own. */
export type ConfirmActionRefusal = DomainRefusal | { code: 'not-there' } | undefined;

/** Shows the refused form again, in words, or leaves for the person's page, which says what was done. */
export async function redirectOrRender(
  consoleContext: ConsoleContext,
  user: User,
  refused: (ConfirmActionRefusal & { field?: string }) | undefined,
  done: string,
  again: (refusal: Refusal) => Promise<void> | void,
): Promise<void> {
  if (!refused) return redirectAfterPost(consoleContext, `/admin/people/${user.id}?notice=${done}`);
  if (refused.code === 'not-there') return consoleContext.ctx.throw(404, 'not-found');
  const contact = consoleContext.house.settings.HEMMA_HELP_DESK_CONTACT;
  return again(translateRefusal(consoleContext.frame, refused, contact, refused.field));
}

/** Whether the typed address is this person's. */
export const matchesUserEmail = (user: User, email: string): boolean =>
  normalizeEmail(email) === normalizeEmail(user.email);

export interface UserActionDefinition {
  /** The last part of its address, and of its words. */
  name: keyof Pick<
    ConsoleContext['frame']['t']['console']['deeds'],
    'resend-invitation' | 'disable' | 'enable' | 'end-sessions' | 'require-two-step'
  >;
  action: Permission;
  typed: boolean;
  carryOut: (visit: ConsoleContext, person: User) => Promise<ConfirmActionRefusal>;
}

const userActionForm = z.object({ email: z.string().max(1000).default('') });

/** A deed that asks nothing but whether it is meant: a page and its form, both just after a fresh sign-in. */
export function userActionRoutes(
  context: AppContext,
  { name, action: permission, typed, carryOut }: UserActionDefinition,
): Router {
  const show = (consoleContext: ConsoleContext, user: User, refusal?: Refusal) => {
    const words = consoleContext.frame.t.console.deeds[name];
    sendConsolePage(
      consoleContext,
      <UserActionPage {...{ visit: consoleContext, name, person: user, words, typed, refusal }} />,
      refusal !== undefined,
    );
  };
  const router = new Router();
  const path = `/admin/people/:id/${name}`;
  const handleGet = requireRecentOperator(context, permission, async (consoleContext) =>
    show(consoleContext, await findUserOr404(consoleContext, permission)),
  );
  const handlePost = requireRecentOperator(context, permission, async (consoleContext) => {
    const user = await findUserOr404(consoleContext, permission);
    const { email } = parseConsoleForm(consoleContext, userActionForm);
    const refused =
      typed && !matchesUserEmail(user, email)
        ? ({ code: 'wrong-email', field: 'email' } as const)
        : await carryOut(consoleContext, user);
    await redirectOrRender(consoleContext, user, refused, name, (refusal) =>
      show(consoleContext, user, refusal),
    );
  });
  router.get(path, handleGet);
  router.post(path, parseFormBody, handlePost);
  return router;
}
