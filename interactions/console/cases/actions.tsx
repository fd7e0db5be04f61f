import Router from '@koa/router';
import { listApprovals } from '../../../src/help-desk/approvals.ts';
import { approveRequest, requestAccountReset } from '../../../src/help-desk/account-reset.ts';
import type { Case } from '../../../src/help-desk/cases.ts';
import { closeCaseByOperator, openCaseByOperator } from '../../../src/help-desk/case-actions.ts';
import { sendHelpDeskCode } from '../../../src/help-desk/help-desk-code.ts';
import type { Refusal } from '../../ui/form.tsx';
import { Form, SubmitButton, LinkList } from '../../ui/form.tsx';
import type { AppContext } from '../../../src/context.ts';
import { parseFormBody } from '../../ui/parse-form.ts';
import type { DomainRefusal } from '../../ui/refusal.ts';
import { translateRefusal } from '../../ui/refusal.ts';
import type { CaseActionName } from './view.tsx';
import type { LoadedCase } from './state.ts';
import { loadCase, caseActionFor } from './state.ts';
import type { ConsoleContext } from '../require-operator.ts';
import {
  requireRecentOperator,
  redirectAfterPost,
  findUserOr404,
  parseConsoleForm,
  sendConsolePage,
} from '../require-operator.ts';
import { ConsolePage } from '../layout.tsx';
import { z } from 'zod';

interface ActionPhrases {
  title: string;
  help: string;
  button: string;
  /** What these words are about, of several: the form names it, so that pressing twice answers nothing that nobody read. */
  question?: string;
}

interface CaseActionDefinition {
  action: 'cases.send-code' | 'cases.approve';
  words: (visit: ConsoleContext, about: LoadedCase) => ActionPhrases | Promise<ActionPhrases>;
  carryOut: (visit: ConsoleContext, found: Case, question: string) => Promise<DomainRefusal | undefined>;
  done: keyof ConsoleContext['frame']['t']['helpDesk']['desk']['done'];
}

const deskPhrases = ({ frame }: ConsoleContext) => frame.t.helpDesk.desk;

const caseActions: Record<CaseActionName, CaseActionDefinition> = {
  send: {
    action: 'cases.send-code',
    words: (consoleContext, { account: user }) => {
      const t = deskPhrases(consoleContext);
      return { title: t.code, help: t.codeHelp(user.email), button: t.send };
    },
    carryOut: (consoleContext, found) => {
      const { db, hasher, post: enqueueMail, settings } = consoleContext.house;
      const dailyCodes = settings.HEMMA_HELP_DESK_DAILY_CODES;
      return sendHelpDeskCode(db, hasher, enqueueMail, {
        ...caseActionFor(consoleContext, found),
        dailyCodes,
      });
    },
    done: 'sent',
  },
  approve: {
    action: 'cases.approve',
    // What it is that is approved stands above the button.
    words: async (consoleContext, { found, account: user }) => {
      const t = deskPhrases(consoleContext);
      const approvals = await listApprovals(consoleContext.house.db, found.id);
      const waits = approvals.find(
        ({ approvedBy, askedBy }) => !approvedBy && askedBy !== consoleContext.operator.id,
      );
      const help = waits?.deed === 'send-code' ? t.codeHelp(user.email) : t.anewHelp;
      return { title: t.approval, help, button: t.approve, question: waits?.id ?? '' };
    },
    carryOut: (consoleContext, found, question) => {
      const { db, hasher, post: enqueueMail, aftermath: userChangeHooks } = consoleContext.house;
      return approveRequest(db, hasher, enqueueMail, userChangeHooks, {
        ...caseActionFor(consoleContext, found),
        question,
      });
    },
    done: 'approved',
  },
  'begin-anew': {
    action: 'cases.send-code',
    words: (consoleContext) => {
      const t = deskPhrases(consoleContext);
      return { title: t.anew, help: t.anewHelp, button: t.askAnew };
    },
    carryOut: (consoleContext, found) =>
      requestAccountReset(
        consoleContext.house.db,
        consoleContext.house.post,
        caseActionFor(consoleContext, found),
      ),
    done: 'asked',
  },
  close: {
    action: 'cases.send-code',
    words: (consoleContext) => {
      const t = deskPhrases(consoleContext);
      return { title: t.close, help: t.closeHelp, button: t.close };
    },
    carryOut: (consoleContext, found) =>
      closeCaseByOperator(
        consoleContext.house.db,
        consoleContext.house.post,
        caseActionFor(consoleContext, found),
      ),
    done: 'closed',
  },
};

type CaseActionPageProps = {
  visit: ConsoleContext;
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
export function CaseActionPage(props: CaseActionPageProps) {
  const { visit: consoleContext, step, title, about, help, action, back, button, question, refusal } = props;
  const { frame, token } = consoleContext;
  return (
    <ConsolePage visit={consoleContext} title={title} step={step} part="cases">
      <p class="lead">{about}</p>
      {help && <p>{help}</p>}
      <Form action={action} token={token} refusal={refusal}>
        {question !== undefined && <input type="hidden" name="question" value={question} />}
        <SubmitButton waiting={frame.t.helpDesk.desk.waiting}>{button}</SubmitButton>
      </Form>
      <LinkList ways={[{ href: back, label: frame.t.console.cancel }]} />
    </ConsolePage>
  );
}

async function renderCaseAction(
  consoleContext: ConsoleContext,
  name: CaseActionName,
  refusal?: Refusal,
): Promise<void> {
  const loaded = await loadCase(consoleContext, caseActions[name].action);
  const { found, account: user } = loaded;
  const back = `/admin/cases/${found.id}`;
  const { title, help, button, question } = await caseActions[name].words(consoleContext, loaded);
  const about = `${deskPhrases(consoleContext).heading(found.number)} · ${user.name}, ${user.email}`;
  const page = {
    visit: consoleContext,
    step: `case-${name}`,
    title,
    about,
    help,
    action: `${back}/${name}`,
    back,
    button,
  };
  sendConsolePage(
    consoleContext,
    <CaseActionPage {...page} {...{ question, refusal }} />,
    refusal !== undefined,
  );
}

const caseActionForm = z.object({ question: z.string().max(100).default('') });

async function submitCaseAction(consoleContext: ConsoleContext, name: CaseActionName): Promise<void> {
  const { action, carryOut, done } = caseActions[name];
  const { found } = await loadCase(consoleContext, action);
  const { question } = parseConsoleForm(consoleContext, caseActionForm);
  const refused = await carryOut(consoleContext, found, question);
  if (!refused) return redirectAfterPost(consoleContext, `/admin/cases/${found.id}?notice=${done}`);
  return renderCaseAction(
    consoleContext,
    name,
    translateRefusal(consoleContext.frame, refused, consoleContext.house.settings.HEMMA_HELP_DESK_CONTACT),
  );
}

/** Somebody calls: the operator opens the case of an account that was looked up. */
async function renderOpenCase(consoleContext: ConsoleContext): Promise<void> {
  const { name, email, id } = await findUserOr404(consoleContext, 'cases.send-code');
  const t = deskPhrases(consoleContext);
  const back = `/admin/people/${id}`;
  const page = {
    visit: consoleContext,
    step: 'open-case',
    title: t.openFor,
    about: t.openForHelp(name, email),
    back,
  };
  sendConsolePage(consoleContext, <CaseActionPage {...page} action={`${back}/case`} button={t.openFor} />);
}

async function submitOpenCase(consoleContext: ConsoleContext): Promise<void> {
  const { house: context, ctx, operator } = consoleContext;
  const { id } = await findUserOr404(consoleContext, 'cases.send-code');
  parseConsoleForm(consoleContext, caseActionForm);
  const opened = await openCaseByOperator(context.db, context.post, {
    target: id,
    by: operator,
    origin: ctx.state.origin,
  });
  if ('refusal' in opened) return ctx.throw(404, 'not-found');
  return redirectAfterPost(consoleContext, `/admin/cases/${opened.found.id}?notice=opened`);
}

/** Every one of them changes who can get into an account: only just after all factors were proved. */
export function routes(context: AppContext): Router {
  const router = new Router();
  for (const name of Object.keys(caseActions) as CaseActionName[]) {
    const { action } = caseActions[name];
    const path = `/admin/cases/:case/${name}`;
    router.get(
      path,
      requireRecentOperator(context, action, (consoleContext) => renderCaseAction(consoleContext, name)),
    );
    router.post(
      path,
      parseFormBody,
      requireRecentOperator(context, action, (consoleContext) => submitCaseAction(consoleContext, name)),
    );
  }
  router.get('/admin/people/:id/case', requireRecentOperator(context, 'cases.send-code', renderOpenCase));
  router.post(
    '/admin/people/:id/case',
    parseFormBody,
    requireRecentOperator(context, 'cases.send-code', submitOpenCase),
  );
  return router;
}
