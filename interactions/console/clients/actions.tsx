import Router from '@koa/router';
import { z } from 'zod';
import { removeClient, signOutAllUsers } from '../../../src/clients/access.ts';
import { removeSecret, listClientSecrets } from '../../../src/clients/secrets.ts';
import type { RegisteredClient } from '../../../src/clients/clients.ts';
import { setClientEnabled } from '../../../src/clients/clients.ts';
import { clearClientErrors } from '../../../src/oidc/client-errors.ts';
import { AlertIcon, Form, SubmitButton, LinkList } from '../../ui/form.tsx';
import type { AppContext } from '../../../src/context.ts';
import { parseFormBody } from '../../ui/parse-form.ts';
import { findClientOr404, clientTabPath } from './tabs.tsx';
import type { ConsoleContext } from '../require-operator.ts';
import {
  requireRecentOperator,
  redirectAfterPost,
  parseConsoleForm,
  sendConsolePage,
} from '../require-operator.ts';
import { ConsolePage } from '../layout.tsx';

type ClientActionName = 'disable' | 'enable' | 'sign-out' | 'remove-secret' | 'delete' | 'forget-refused';

type ClientActionPageProps = {
  visit: ConsoleContext;
  shown: RegisteredClient;
  name: ClientActionName;
  action: string;
  words: { title: string; consequence: string; button: string };
  /** Whether the application's identifier is typed, so that the deed meets what it is meant for. */
  typed: boolean;
  wrong: boolean;
};

/** The last page of a deed: what happens, and a button that names it. Nothing happens before it. */
export function ClientActionPage({
  visit: consoleContext,
  shown: registered,
  name,
  action,
  words,
  typed,
  wrong,
}: ClientActionPageProps) {
  const { frame, token } = consoleContext;
  const t = frame.t.clients;
  const { id } = registered.client;
  return (
    <ConsolePage visit={consoleContext} title={words.title} step={`client-${name}`} part="clients">
      <p class="lead code">{id}</p>
      <p>{words.consequence}</p>
      {typed && registered.managed === 'file' && <p>{t.deeds.delete.consequenceOfFile}</p>}
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
      <LinkList ways={[{ href: clientTabPath(id), label: t.cancel }]} />
    </ConsolePage>
  );
}

const clientActionForm = z.object({ confirm: z.string().max(1000).default('') });

const auditActorOf = ({ operator, ctx }: ConsoleContext) => ({ by: operator.id, origin: ctx.state.origin });

interface ClientActionDefinition {
  name: ClientActionName;
  /** What is below the application's address besides the name. */
  below?: string;
  typed?: boolean;
  words(
    visit: ConsoleContext,
    shown: RegisteredClient,
  ): Promise<ClientActionPageProps['words']> | ClientActionPageProps['words'];
  /** Carries it out and says where to go on. */
  carryOut(visit: ConsoleContext, shown: RegisteredClient): Promise<string>;
}

const actionPhrases = (
  name: 'disable' | 'enable' | 'sign-out' | 'delete',
): ClientActionDefinition['words'] => {
  return ({ frame }, { client }) => {
    const { title, consequence, button } = frame.t.clients.deeds[name];
    return { title: title(client.name), consequence, button };
  };
};

const enableAction = (enabled: boolean): ClientActionDefinition => ({
  name: enabled ? 'enable' : 'disable',
  words: actionPhrases(enabled ? 'enable' : 'disable'),
  async carryOut(consoleContext, { client }) {
    await setClientEnabled(consoleContext.house.db, client.id, enabled, auditActorOf(consoleContext));
    return clientTabPath(client.id, `?notice=${enabled ? 'enabled' : 'disabled'}`);
  },
});

const signOutAction: ClientActionDefinition = {
  name: 'sign-out',
  words: actionPhrases('sign-out'),
  async carryOut(consoleContext, { client }) {
    await signOutAllUsers(consoleContext.house.db, client.id, auditActorOf(consoleContext));
    return clientTabPath(client.id, '?notice=signed-out');
  },
};

const deleteAction: ClientActionDefinition = {
  name: 'delete',
  typed: true,
  words: actionPhrases('delete'),
  async carryOut(consoleContext, { client }) {
    await removeClient(consoleContext.house.db, client.id, auditActorOf(consoleContext));
    return '/admin/clients?notice=removed';
  },
};

async function findSecretOr404({ house: context, ctx }: ConsoleContext, { client }: RegisteredClient) {
  const { secret } = ctx.params as { secret?: string };
  const found = (await listClientSecrets(context.db, client.id)).find(({ id }) => id === secret);
  return found ?? ctx.throw(404, 'not-found');
}

const removeSecretAction: ClientActionDefinition = {
  name: 'remove-secret',
  below: '/:secret',
  async words(consoleContext, registered) {
    const { title, consequence, button } = consoleContext.frame.t.clients.deeds['remove-secret'];
    return { title: title((await findSecretOr404(consoleContext, registered)).name), consequence, button };
  },
  async carryOut(consoleContext, registered) {
    const { id } = await findSecretOr404(consoleContext, registered);
    await removeSecret(consoleContext.house.db, registered.client.id, id, auditActorOf(consoleContext));
    return clientTabPath(registered.client.id, '/secrets?notice=secret-removed');
  },
};

const forgetClientErrorsAction: ClientActionDefinition = {
  name: 'forget-refused',
  words: ({ frame }) => {
    const { forgetTitle, forgetHelp, forget } = frame.t.refusedRequests;
    return { title: forgetTitle, consequence: forgetHelp, button: forget };
  },
  async carryOut({ house: context }, { client }) {
    await clearClientErrors(context.db, client.id);
    return clientTabPath(client.id, '?notice=forgotten');
  },
};

function mountAction(router: Router, context: AppContext, auditEvent: ClientActionDefinition): void {
  const { name, below = '', typed = false } = auditEvent;
  const show = async (consoleContext: ConsoleContext, registered: RegisteredClient, wrong = false) => {
    const words = await auditEvent.words(consoleContext, registered);
    const action = consoleContext.ctx.path;
    sendConsolePage(
      consoleContext,
      <ClientActionPage
        {...{ visit: consoleContext, shown: registered, name, action, words, typed, wrong }}
      />,
      wrong,
    );
  };
  const path = `/admin/clients/:client/${name}${below}`;
  router.get(
    path,
    requireRecentOperator(context, 'clients.write', async (consoleContext) =>
      show(consoleContext, await findClientOr404(consoleContext)),
    ),
  );
  const post = requireRecentOperator(context, 'clients.write', async (consoleContext) => {
    const registered = await findClientOr404(consoleContext);
    const { confirm } = parseConsoleForm(consoleContext, clientActionForm);
    if (typed && confirm.trim() !== registered.client.id) return show(consoleContext, registered, true);
    redirectAfterPost(consoleContext, await auditEvent.carryOut(consoleContext, registered));
  });
  router.post(path, parseFormBody, post);
}

/** What takes something away from an application or its people: each a page of its own, just after a fresh sign-in. */
export function routes(context: AppContext): Router {
  const router = new Router();
  const auditEvents = [
    enableAction(false),
    enableAction(true),
    signOutAction,
    deleteAction,
    removeSecretAction,
    forgetClientErrorsAction,
  ];
  for (const auditEvent of auditEvents) mountAction(router, context, auditEvent);
  return router;
}
