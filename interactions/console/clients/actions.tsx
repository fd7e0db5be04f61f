import Router from '@koa/router';
import { z } from 'zod';
import { removeClient, signOutEveryone } from '../../../src/clients/access.ts';
import { removeSecret, secretsOf } from '../../../src/clients/secrets.ts';
import type { RegisteredClient } from '../../../src/clients/clients.ts';
import { setEnabled } from '../../../src/clients/clients.ts';
import { forgetRefusedRequests } from '../../../src/oidc/client-errors.ts';
import { AlertIcon, Form, SubmitButton, Ways } from '../../ui/form.tsx';
import type { House } from '../../../src/context.ts';
import { readForm } from '../../ui/parse-form.ts';
import { clientOf, pathOf } from './tabs.tsx';
import type { AdminVisit } from '../require-operator.ts';
import { guardedFreshly, onTo, sentForm, showPage } from '../require-operator.ts';
import { ConsolePage } from '../layout.tsx';

type DeedName = 'disable' | 'enable' | 'sign-out' | 'remove-secret' | 'delete' | 'forget-refused';

type DeedPageProps = {
  visit: AdminVisit;
  shown: RegisteredClient;
  name: DeedName;
  action: string;
  words: { title: string; consequence: string; button: string };
  /** Whether the application's identifier is typed, so that the deed meets what it is meant for. */
  typed: boolean;
  wrong: boolean;
};

/** The last page of a deed: what happens, and a button that names it. Nothing happens before it. */
export function DeedPage({ visit, shown, name, action, words, typed, wrong }: DeedPageProps) {
  const { frame, token } = visit;
  const t = frame.t.clients;
  const { id } = shown.client;
  return (
    <ConsolePage visit={visit} title={words.title} step={`client-${name}`} part="clients">
      <p class="lead code">{id}</p>
      <p>{words.consequence}</p>
      {typed && shown.managed === 'file' && <p>{t.deeds.delete.consequenceOfFile}</p>}
      <Form action={action} token={token}>
        {typed && (
          <div class="field">
            <label for="confirm">{t.deeds.delete.type}</label>
            {wrong && (
              <p class="refusal" role="alert" id="confirm-refusal" data-refusal="wrong-client-id">
                <AlertIcon />
                <span>{t.deeds.delete.wrong}</span>
              </p>
            )}
            <input
              id="confirm"
              name="confirm"
              class="input code"
              type="text"
              autocomplete="off"
              autocapitalize="none"
              spellcheck={false}
              aria-invalid={wrong ? 'true' : undefined}
              aria-describedby={wrong ? 'confirm-refusal' : undefined}
              autofocus={wrong}
            />
          </div>
        )}
        <SubmitButton waiting={t.waiting}>{words.button}</SubmitButton>
      </Form>
      <Ways ways={[{ href: pathOf(id), label: t.cancel }]} />
    </ConsolePage>
  );
}

const form = z.object({ confirm: z.string().max(1000).default('') });

const doerOf = ({ operator, ctx }: AdminVisit) => ({ by: operator.id, origin: ctx.state.origin });

interface Deed {
  name: DeedName;
  /** What is below the application's address besides the name. */
  below?: string;
  typed?: boolean;
  words(visit: AdminVisit, shown: RegisteredClient): Promise<DeedPageProps['words']> | DeedPageProps['words'];
  /** Carries it out and says where to go on. */
  carryOut(visit: AdminVisit, shown: RegisteredClient): Promise<string>;
}

const simple = (name: 'disable' | 'enable' | 'sign-out' | 'delete'): Deed['words'] => {
  return ({ frame }, { client }) => {
    const { title, consequence, button } = frame.t.clients.deeds[name];
    return { title: title(client.name), consequence, button };
  };
};

const switching = (enabled: boolean): Deed => ({
  name: enabled ? 'enable' : 'disable',
  words: simple(enabled ? 'enable' : 'disable'),
  async carryOut(visit, { client }) {
    await setEnabled(visit.house.db, client.id, enabled, doerOf(visit));
    return pathOf(client.id, `?notice=${enabled ? 'enabled' : 'disabled'}`);
  },
});

const signingOut: Deed = {
  name: 'sign-out',
  words: simple('sign-out'),
  async carryOut(visit, { client }) {
    await signOutEveryone(visit.house.db, client.id, doerOf(visit));
    return pathOf(client.id, '?notice=signed-out');
  },
};

const deleting: Deed = {
  name: 'delete',
  typed: true,
  words: simple('delete'),
  async carryOut(visit, { client }) {
    await removeClient(visit.house.db, client.id, doerOf(visit));
    return '/admin/clients?notice=removed';
  },
};

async function secretOf({ house, ctx }: AdminVisit, { client }: RegisteredClient) {
  const { secret } = ctx.params as { secret?: string };
  const found = (await secretsOf(house.db, client.id)).find(({ id }) => id === secret);
  return found ?? ctx.throw(404, 'not-found');
}

const removingSecret: Deed = {
  name: 'remove-secret',
  below: '/:secret',
  async words(visit, shown) {
    const { title, consequence, button } = visit.frame.t.clients.deeds['remove-secret'];
    return { title: title((await secretOf(visit, shown)).name), consequence, button };
  },
  async carryOut(visit, shown) {
    const { id } = await secretOf(visit, shown);
    await removeSecret(visit.house.db, shown.client.id, id, doerOf(visit));
    return pathOf(shown.client.id, '/secrets?notice=secret-removed');
  },
};

const forgetting: Deed = {
  name: 'forget-refused',
  words: ({ frame }) => {
    const { forgetTitle, forgetHelp, forget } = frame.t.refusedRequests;
    return { title: forgetTitle, consequence: forgetHelp, button: forget };
  },
  async carryOut({ house }, { client }) {
    await forgetRefusedRequests(house.db, client.id);
    return pathOf(client.id, '?notice=forgotten');
  },
};

function mount(router: Router, house: House, deed: Deed): void {
  const { name, below = '', typed = false } = deed;
  const show = async (visit: AdminVisit, shown: RegisteredClient, wrong = false) => {
    const words = await deed.words(visit, shown);
    const action = visit.ctx.path;
    showPage(visit, <DeedPage {...{ visit, shown, name, action, words, typed, wrong }} />, wrong);
  };
  const path = `/admin/clients/:client/${name}${below}`;
  router.get(
    path,
    guardedFreshly(house, 'clients.write', async (visit) => show(visit, await clientOf(visit))),
  );
  const post = guardedFreshly(house, 'clients.write', async (visit) => {
    const shown = await clientOf(visit);
    const { confirm } = sentForm(visit, form);
    if (typed && confirm.trim() !== shown.client.id) return show(visit, shown, true);
    onTo(visit, await deed.carryOut(visit, shown));
  });
  router.post(path, readForm, post);
}

/** What takes something away from an application or its people: each a page of its own, just after a fresh sign-in. */
export function routes(house: House): Router {
  const router = new Router();
  const deeds = [switching(false), switching(true), signingOut, deleting, removingSecret, forgetting];
  for (const deed of deeds) mount(router, house, deed);
  return router;
}
