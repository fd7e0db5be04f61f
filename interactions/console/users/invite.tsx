import Router from '@koa/router';
import { z } from 'zod';
import type { ListedGroup } from '../../../src/users/groups.ts';
import { listGroups } from '../../../src/users/groups.ts';
import { mayAct } from '../../../src/users/operators.ts';
import { invite } from '../../../src/users/search.ts';
import { locales, phrasesFor } from '../../../src/i18n/phrases.ts';
import type { Refusal } from '../../ui/form.tsx';
import { Field, Form, SubmitButton } from '../../ui/form.tsx';
import type { House } from '../../../src/context.ts';
import { readForm } from '../../ui/parse-form.ts';
import { inWords } from '../../ui/refusal.ts';
import type { AdminVisit } from '../require-operator.ts';
import { guardedFreshly, onTo, sentForm, showPage } from '../require-operator.ts';
import { ConsolePage, Select } from '../layout.tsx';

const form = z.object({
  email: z.string().max(1000).default(''),
  name: z.string().max(1000).default(''),
  locale: z.enum(['sv', 'en']).optional(),
  group: z.string().max(100).optional(),
});

type Typed = Partial<z.output<typeof form>>;
type InvitePageProps = {
  visit: AdminVisit;
  groups: readonly ListedGroup[];
  typed: Typed;
  refusal?: Refusal | undefined;
};

export function InvitePage({ visit, groups, typed, refusal }: InvitePageProps) {
  const { frame, token, operator } = visit;
  const t = frame.t.console.invite;
  const languages = locales.map((one) => [one, phrasesFor(one).page.languageName] as const);
  return (
    <ConsolePage visit={visit} title={t.title} step="invite" part="people">
      <p class="lead">
        {t.help} {mayAct(operator, 'people.role') && t.roleLater}
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

async function show(visit: AdminVisit, typed: Typed = {}, refusal?: Refusal): Promise<void> {
  const groups = visit.operator.group === undefined ? await listGroups(visit.house.db) : [];
  showPage(visit, <InvitePage {...{ visit, groups, typed, refusal }} />, refusal !== undefined);
}

/** Which field a refusal is about. */
const fieldOf = (code: string) =>
  code === 'missing-name' ? 'name' : /email|has-account/.test(code) ? 'email' : undefined;

async function answer(visit: AdminVisit): Promise<void> {
  const { house, ctx, operator, frame } = visit;
  const sent = sentForm(visit, form);
  const { db, hasher, post, settings } = house;
  const made = await invite(db, hasher, settings.HEMMA_BRAND_NAME, post, {
    email: sent.email,
    name: sent.name,
    locale: sent.locale,
    group: sent.group || undefined,
    by: operator,
    origin: ctx.state.origin,
  });
  if ('account' in made) return onTo(visit, `/admin/people/${made.account.id}?notice=resend-invitation`);
  const code = made.refusal;
  if (code === 'not-there') return ctx.throw(404, 'not-found');
  return show(visit, sent, inWords(frame, { code }, settings.HEMMA_HELP_DESK_CONTACT, fieldOf(code)));
}

export function routes(house: House): Router {
  const router = new Router();
  router.get(
    '/admin/people/invite',
    guardedFreshly(house, 'people.invite', (visit) => show(visit)),
  );
  router.post('/admin/people/invite', readForm, guardedFreshly(house, 'people.invite', answer));
  return router;
}
