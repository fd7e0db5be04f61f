import Router from '@koa/router';
import { z } from 'zod';
import type { GroupSummary } from '../../../src/users/groups.ts';
import { listGroups } from '../../../src/users/groups.ts';
import { hasPermission } from '../../../src/users/operators.ts';
import { inviteUser } from '../../../src/users/search.ts';
import { locales, phrasesFor } from '../../../src/i18n/phrases.ts';
import type { Refusal } from '../../ui/form.tsx';
import { Field, Form, SubmitButton } from '../../ui/form.tsx';
import type { AppContext } from '../../../src/context.ts';
import { parseFormBody } from '../../ui/parse-form.ts';
import { translateRefusal } from '../../ui/refusal.ts';
import type { ConsoleContext } from '../require-operator.ts';
import {
  requireRecentOperator,
  redirectAfterPost,
  parseConsoleForm,
  sendConsolePage,
} from '../require-operator.ts';
import { ConsolePage, Select } from '../layout.tsx';

const inviteForm = z.object({
  email: z.string().max(1000).default(''),
  name: z.string().max(1000).default(''),
  locale: z.enum(['sv', 'en']).optional(),
  group: z.string().max(100).optional(),
});

type InviteFormValues = Partial<z.output<typeof inviteForm>>;
type InvitePageProps = {
  visit: ConsoleContext;
  groups: readonly GroupSummary[];
  typed: InviteFormValues;
  refusal?: Refusal | undefined;
};

export function InvitePage({ visit: consoleContext, groups, typed, refusal }: InvitePageProps) {
  const { frame, token, operator } = consoleContext;
  const t = frame.t.console.invite;
  const languages = locales.map((one) => [one, phrasesFor(one).page.languageName] as const);
  return (
    <ConsolePage visit={consoleContext} title={t.title} step="invite" part="people">
      <p class="lead">
        {t.help} {hasPermission(operator, 'people.role') && t.roleLater}
      </p>
      <Form action="/admin/people/invite" token={token} refusal={refusal} fields={['email', 'name']}>
        <Field name="name" label={t.name} value={typed.name} autocomplete="off" refusal={refusal} />
        <Field
          name="email"
          label={t.email}
          value={typed.email}
          autocomplete="off"
          inputmode="email"
          refusal={refusal}
        />
        <Select name="locale" label={t.language} options={languages} chosen={typed.locale ?? frame.locale} />
        {operator.group === undefined && groups.length > 0 && (
          <Select
            name="group"
            label={t.group}
            options={[['', t.noGroup], ...groups.map(({ id, name }) => [id, name] as const)]}
            chosen={typed.group}
          />
        )}
        <SubmitButton waiting={t.waiting}>{t.submit}</SubmitButton>
      </Form>
    </ConsolePage>
  );
}

async function renderInvite(
  consoleContext: ConsoleContext,
  typed: InviteFormValues = {},
  refusal?: Refusal,
): Promise<void> {
  const groups = consoleContext.operator.group === undefined ? await listGroups(consoleContext.house.db) : [];
  sendConsolePage(
    consoleContext,
    <InvitePage {...{ visit: consoleContext, groups, typed, refusal }} />,
    refusal !== undefined,
  );
}

/** Which field a refusal is about. */
const refusedField = (code: string) =>
  code === 'missing-name' ? 'name' : /email|has-account/.test(code) ? 'email' : undefined;

async function submitInvite(consoleContext: ConsoleContext): Promise<void> {
  const { house: context, ctx, operator, frame } = consoleContext;
  const sent = parseConsoleForm(consoleContext, inviteForm);
  const { db, hasher, post: enqueueMail, settings } = context;
  const made = await inviteUser(db, hasher, settings.HEMMA_BRAND_NAME, enqueueMail, {
    email: sent.email,
    name: sent.name,
    locale: sent.locale,
    group: sent.group || undefined,
    by: operator,
    origin: ctx.state.origin,
  });
  if ('account' in made)
    return redirectAfterPost(consoleContext, `/admin/people/${made.account.id}?notice=resend-invitation`);
  const code = made.refusal;
  if (code === 'not-there') return ctx.throw(404, 'not-found');
  return renderInvite(
    consoleContext,
    sent,
    translateRefusal(frame, { code }, settings.HEMMA_HELP_DESK_CONTACT, refusedField(code)),
  );
}

export function routes(context: AppContext): Router {
  const router = new Router();
  router.get(
    '/admin/people/invite',
    requireRecentOperator(context, 'people.invite', (consoleContext) => renderInvite(consoleContext)),
  );
  router.post(
    '/admin/people/invite',
    parseFormBody,
    requireRecentOperator(context, 'people.invite', submitInvite),
  );
  return router;
}
