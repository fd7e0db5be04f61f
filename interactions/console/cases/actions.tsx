import Router from '@koa/router';
import { approvalsOf } from '../../../src/help-desk/approvals.ts';
import { approve, askToBeginAnew } from '../../../src/help-desk/account-reset.ts';
import type { Case } from '../../../src/help-desk/cases.ts';
import { closeByHand, openCaseFrom } from '../../../src/help-desk/case-actions.ts';
import { sendHelpDeskCode } from '../../../src/help-desk/help-desk-code.ts';
import type { Refusal } from '../../ui/form.tsx';
import { Form, SubmitButton, Ways } from '../../ui/form.tsx';
import type { House } from '../../../src/context.ts';
import { readForm } from '../../ui/parse-form.ts';
import type { DomainRefusal } from '../../ui/refusal.ts';
import { inWords } from '../../ui/refusal.ts';
import type { CaseDeedName } from './view.tsx';
import type { CaseVisit } from './state.ts';
import { caseOfPage, deedOn } from './state.ts';
import type { AdminVisit } from '../require-operator.ts';
import { guardedFreshly, onTo, personOf, sentForm, showPage } from '../require-operator.ts';
import { ConsolePage } from '../layout.tsx';
import { z } from 'zod';

interface Words {
  title: string;
  help: string;
  button: string;
  /** What these words are about, of several: the form names it, so that pressing twice answers nothing that nobody read. */
  question?: string;
}

interface Deed {
  action: 'cases.send-code' | 'cases.approve';
  words: (visit: AdminVisit, about: CaseVisit) => Words | Promise<Words>;
  carryOut: (visit: AdminVisit, found: Case, question: string) => Promise<DomainRefusal | undefined>;
  done: keyof AdminVisit['frame']['t']['helpDesk']['desk']['done'];
}

const words = ({ frame }: AdminVisit) => frame.t.helpDesk.desk;

const deeds: Record<CaseDeedName, Deed> = {
  send: {
    action: 'cases.send-code',
    words: (visit, { account }) => {
      const t = words(visit);
      return { title: t.code, help: t.codeHelp(account.email), button: t.send };
    },
    carryOut: (visit, found) => {
      const { db, hasher, post, settings } = visit.house;
      const dailyCodes = settings.HEMMA_HELP_DESK_DAILY_CODES;
      return sendHelpDeskCode(db, hasher, post, { ...deedOn(visit, found), dailyCodes });
    },
    done: 'sent',
  },
  approve: {
    action: 'cases.approve',
    // What it is that is approved stands above the button.
    words: async (visit, { found, account }) => {
      const t = words(visit);
      const approvals = await approvalsOf(visit.house.db, found.id);
      const waits = approvals.find(({ approvedBy, askedBy }) => !approvedBy && askedBy !== visit.operator.id);
      const help = waits?.deed === 'send-code' ? t.codeHelp(account.email) : t.anewHelp;
      return { title: t.approval, help, button: t.approve, question: waits?.id ?? '' };
    },
    carryOut: (visit, found, question) => {
      const { db, hasher, post, aftermath } = visit.house;
      return approve(db, hasher, post, aftermath, { ...deedOn(visit, found), question });
    },
    done: 'approved',
  },
  'begin-anew': {
    action: 'cases.send-code',
    words: (visit) => {
      const t = words(visit);
      return { title: t.anew, help: t.anewHelp, button: t.askAnew };
    },
    carryOut: (visit, found) => askToBeginAnew(visit.house.db, visit.house.post, deedOn(visit, found)),
    done: 'asked',
  },
  close: {
    action: 'cases.send-code',
    words: (visit) => {
      const t = words(visit);
      return { title: t.close, help: t.closeHelp, button: t.close };
    },
    carryOut: (visit, found) => closeByHand(visit.house.db, visit.house.post, deedOn(visit, found)),
    done: 'closed',
  },
};

type CaseDeedPageProps = {
  visit: AdminVisit;
  /** Stands in `data-step`. */
  step: string;
  title: string;
  /** Whom it is about, and what happens. */
  about: string;
  help?: string | undefined;
  action: string;
  back: string;
  button: string;
  question?: string | undefined;
  refusal?: Refusal | undefined;
};

/** The last page of a deed: whom it is about, what happens, and a button that names it. */
export function CaseDeedPage(props: CaseDeedPageProps) {
  const { visit, step, title, about, help, action, back, button, question, refusal } = props;
  const { frame, token } = visit;
  return (
    <ConsolePage visit={visit} title={title} step={step} part="cases">
      <p class="lead">{about}</p>
      {help && <p>{help}</p>}
      <Form action={action} token={token} refusal={refusal}>
        {question !== undefined && <input type="hidden" name="question" value={question} />}
        <SubmitButton waiting={frame.t.helpDesk.desk.waiting}>{button}</SubmitButton>
      </Form>
      <Ways ways={[{ href: back, label: frame.t.console.cancel }]} />
    </ConsolePage>
  );
}

async function show(visit: AdminVisit, name: CaseDeedName, refusal?: Refusal): Promise<void> {
  const asked = await caseOfPage(visit, deeds[name].action);
  const { found, account } = asked;
  const back = `/admin/cases/${found.id}`;
  const { title, help, button, question } = await deeds[name].words(visit, asked);
  const about = `${words(visit).heading(found.number)} · ${account.name}, ${account.email}`;
  const page = { visit, step: `case-${name}`, title, about, help, action: `${back}/${name}`, back, button };
  showPage(visit, <CaseDeedPage {...page} {...{ question, refusal }} />, refusal !== undefined);
}

const form = z.object({ question: z.string().max(100).default('') });

async function answer(visit: AdminVisit, name: CaseDeedName): Promise<void> {
  const { action, carryOut, done } = deeds[name];
  const { found } = await caseOfPage(visit, action);
  const { question } = sentForm(visit, form);
  const refused = await carryOut(visit, found, question);
  if (!refused) return onTo(visit, `/admin/cases/${found.id}?notice=${done}`);
  return show(visit, name, inWords(visit.frame, refused, visit.house.settings.HEMMA_HELP_DESK_CONTACT));
}

/** Somebody calls: the operator opens the case of an account that was looked up. */
async function showOpening(visit: AdminVisit): Promise<void> {
  const { name, email, id } = await personOf(visit, 'cases.send-code');
  const t = words(visit);
  const back = `/admin/people/${id}`;
  const page = { visit, step: 'open-case', title: t.openFor, about: t.openForHelp(name, email), back };
  showPage(visit, <CaseDeedPage {...page} action={`${back}/case`} button={t.openFor} />);
}

async function opening(visit: AdminVisit): Promise<void> {
  const { house, ctx, operator } = visit;
  const { id } = await personOf(visit, 'cases.send-code');
  sentForm(visit, form);
  const opened = await openCaseFrom(house.db, house.post, {
    target: id,
    by: operator,
    origin: ctx.state.origin,
  });
  if ('refusal' in opened) return ctx.throw(404, 'not-found');
  return onTo(visit, `/admin/cases/${opened.found.id}?notice=opened`);
}

/** Every one of them changes who can get into an account: only just after all factors were proved. */
export function routes(house: House): Router {
  const router = new Router();
  for (const name of Object.keys(deeds) as CaseDeedName[]) {
    const { action } = deeds[name];
    const path = `/admin/cases/:case/${name}`;
    router.get(
      path,
      guardedFreshly(house, action, (visit) => show(visit, name)),
    );
    router.post(
      path,
      readForm,
      guardedFreshly(house, action, (visit) => answer(visit, name)),
    );
  }
  router.get('/admin/people/:id/case', guardedFreshly(house, 'cases.send-code', showOpening));
  router.post('/admin/people/:id/case', readForm, guardedFreshly(house, 'cases.send-code', opening));
  return router;
}
