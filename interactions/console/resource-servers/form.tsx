import Router from '@koa/router';
import { z } from 'zod';
import type { ClientFault } from '../../../src/clients/connectivity-check.ts';
import { signingAlgs } from '../../../src/clients/schema.ts';
import { namesResource } from '../../../src/clients/clients.ts';
import type { ResourceServer } from '../../../src/clients/resource-servers/schema.ts';
import { tokenFormats } from '../../../src/clients/resource-servers/schema.ts';
import type { RegisteredResource } from '../../../src/clients/resource-servers/resource-servers.ts';
import {
  changeResourceServer,
  createResourceServer,
  readResourceServer,
  removeResourceServer,
} from '../../../src/clients/resource-servers/resource-servers.ts';
import { Form, SubmitButton, Ways } from '../../ui/form.tsx';
import type { House } from '../../../src/context.ts';
import { readForm } from '../../ui/parse-form.ts';
import { linesOf } from '../clients/redirect-uris.ts';
import type { FieldsProps } from '../clients/fields.tsx';
import { Choose, Line, Lines } from '../clients/fields.tsx';
import { Faults } from '../clients/form.tsx';
import type { AdminVisit } from '../require-operator.ts';
import { guardedFreshly, onTo, sentForm, showPage } from '../require-operator.ts';
import { ConsolePage } from '../layout.tsx';
import { pathOf, resourceOf, Users, usersOf } from './list.tsx';

type FormPageProps = {
  visit: AdminVisit;
  /** The one that is changed; a new one, where undefined. */
  editing: RegisteredResource | undefined;
  values: FieldsProps['values'];
  faults: readonly ClientFault[];
};

export function ResourceServerFormPage({ visit, editing, values, faults }: FormPageProps) {
  const { frame, token } = visit;
  const t = frame.t.resourceServers;
  const part: FieldsProps = { frame, values, faults, words: t.fields };
  return (
    <ConsolePage
      visit={visit}
      title={editing ? t.editTitle(editing.server.name) : t.newTitle}
      step={editing ? 'resource-server-edit' : 'resource-server-new'}
      part="clients"
    >
      <form
        method="post"
        action={editing ? pathOf(editing.number, '/edit') : pathOf('-', '/new')}
        novalidate
        class="form client"
      >
        <input type="hidden" name="token" value={token} />
        {editing && <input type="hidden" name="seen" value={String(editing.updatedAt.getTime())} />}
        <Faults {...part} />
        <Line {...part} name="name" />
        {editing ? <p class="lead code">{editing.server.id}</p> : <Line {...part} name="id" code />}
        <Lines {...part} name="scopes" rows={5} />
        <Choose
          {...part}
          name="tokenFormat"
          options={tokenFormats.map((format) => [format, t.formats[format]])}
        />
        <Choose {...part} name="signingAlg" options={signingAlgs.map((alg) => [alg, alg])} />
        <Line {...part} name="lifetime" code />
        <SubmitButton waiting={t.waiting}>{editing ? t.submit : t.submitNew}</SubmitButton>
      </form>
      <Ways
        ways={[{ href: editing ? pathOf(editing.number) : '/admin/resource-servers', label: t.cancel }]}
      />
    </ConsolePage>
  );
}

const text = z.string().max(15_000).default('');
const form = z.object({
  id: text,
  name: text,
  scopes: text,
  tokenFormat: text,
  signingAlg: text,
  lifetime: text,
  /** The state that the form was made from. */
  seen: z.string().max(20).default(''),
});
type Sent = z.output<typeof form>;

/** A line is the scope's name, a blank, and its words. */
function scopeOf(line: string): { name: string; description: string } {
  const [name = '', ...words] = line.split(/\s+/);
  return { name, description: words.join(' ') };
}

/** What was sent as a description, not judged yet; an empty lifetime is the usual one. */
const described = ({ tokenFormat, signingAlg, lifetime, ...sent }: Sent, id: string) => ({
  id,
  name: sent.name,
  scopes: linesOf(sent.scopes).map(scopeOf),
  tokenFormat,
  // What the choice of the format makes meaningless is not a mistake of whoever left the other one standing.
  ...(tokenFormat === 'jwt' ? { signingAlg } : {}),
  ...(lifetime.trim() === ''
    ? {}
    : { lifetime: /^\s*\d{1,9}\s*$/.test(lifetime) ? Number(lifetime) : lifetime }),
});

const valuesSent = (sent: Sent): FieldsProps['values'] => ({ ...sent, scopes: linesOf(sent.scopes) });

const valuesOf = ({ scopes, lifetime, ...server }: ResourceServer): FieldsProps['values'] => ({
  ...server,
  lifetime: String(lifetime),
  scopes: scopes.map(({ name, description }) => `${name} ${description}`),
});

const beginning: FieldsProps['values'] = { tokenFormat: 'jwt', signingAlg: 'ES256', lifetime: '600' };

const doerOf = ({ operator, ctx }: AdminVisit) => ({ by: operator.id, origin: ctx.state.origin });

const show = (
  visit: AdminVisit,
  shown: Omit<FormPageProps, 'visit' | 'faults'>,
  faults: ClientFault[] = [],
) => showPage(visit, <ResourceServerFormPage {...{ visit, ...shown, faults }} />, faults.length > 0);

async function create(visit: AdminVisit): Promise<void> {
  const { db, settings } = visit.house;
  const sent = sentForm(visit, form);
  const read = await readResourceServer(
    { db, issuer: settings.HEMMA_ISSUER },
    described(sent, sent.id.trim()),
  );
  const made = 'server' in read ? await createResourceServer(db, read.server, doerOf(visit)) : read;
  if ('number' in made) return onTo(visit, pathOf(made.number, '?notice=created'));
  const faults = 'faults' in made ? made.faults : [made.fault];
  return show(visit, { editing: undefined, values: valuesSent(sent) }, faults);
}

/** What a file looks after is read here and changed there. */
async function editable(visit: AdminVisit): Promise<RegisteredResource> {
  const shown = await resourceOf(visit);
  if (shown.managed === 'file') visit.ctx.throw(403, 'managed-by-file');
  return shown;
}

async function edit(visit: AdminVisit): Promise<void> {
  const { db, settings } = visit.house;
  const editing = await editable(visit);
  const { number } = editing;
  const sent = sentForm(visit, form);
  const read = await readResourceServer(
    { db, issuer: settings.HEMMA_ISSUER },
    described(sent, editing.server.id),
  );
  const seen = new Date(Number(sent.seen) || 0);
  const done =
    'server' in read
      ? await changeResourceServer(db, { number, server: read.server, seen }, namesResource, doerOf(visit))
      : read;
  if ('changes' in done)
    return onTo(visit, pathOf(number, `?notice=${done.changes.length > 0 ? 'changed' : 'unchanged'}`));
  const faults = 'faults' in done ? done.faults : [done.fault];
  return show(visit, { editing, values: valuesSent(sent) }, faults);
}

/** The last page of a removal: what happens, or who has to let go first. */
async function showRemoval(visit: AdminVisit, shown: RegisteredResource, refused = false): Promise<void> {
  const { frame, token } = visit;
  const t = frame.t.resourceServers;
  const users = await usersOf(visit, shown);
  const page = (
    <ConsolePage
      visit={visit}
      title={t.remove.title(shown.server.name)}
      step="resource-server-delete"
      part="clients"
    >
      <p class="lead code">{shown.server.id}</p>
      {users.length > 0 ? (
        <>
          <p data-refusal="resource-in-use">{t.remove.inUse}</p>
          <Users users={users} />
        </>
      ) : (
        <>
          <p>{t.remove.consequence}</p>
          <Form action={pathOf(shown.number, '/delete')} token={token}>
            <SubmitButton waiting={t.waiting}>{t.remove.button}</SubmitButton>
          </Form>
        </>
      )}
      <Ways ways={[{ href: pathOf(shown.number), label: t.cancel }]} />
    </ConsolePage>
  );
  showPage(visit, page, refused);
}

async function remove(visit: AdminVisit): Promise<void> {
  const shown = await resourceOf(visit);
  sentForm(visit, z.object({}));
  const { db } = visit.house;
  const refused = await removeResourceServer(db, { number: shown.number }, namesResource, doerOf(visit));
  if (refused) return showRemoval(visit, shown, true);
  onTo(visit, '/admin/resource-servers?notice=removed');
}

/** Registering, changing and removing resource servers, all only just after all factors were proved. */
export function routes(house: House): Router {
  const router = new Router();
  const freshly = (handle: (visit: AdminVisit) => Promise<void> | void) =>
    guardedFreshly(house, 'clients.write', handle);
  const [fresh, change, gone] = ['/-/new', '/:server/edit', '/:server/delete'].map(
    (below) => `/admin/resource-servers${below}`,
  ) as [string, string, string];
  router.get(
    fresh,
    freshly((visit) => show(visit, { editing: undefined, values: beginning })),
  );
  router.post(fresh, readForm, freshly(create));
  router.get(
    change,
    freshly(async (visit) => {
      const editing = await editable(visit);
      show(visit, { editing, values: { ...beginning, ...valuesOf(editing.server) } });
    }),
  );
  router.post(change, readForm, freshly(edit));
  router.get(
    gone,
    freshly(async (visit) => showRemoval(visit, await resourceOf(visit))),
  );
  router.post(gone, readForm, freshly(remove));
  return router;
}
