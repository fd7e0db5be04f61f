import { accountByEmail, accountById } from '../users/users.ts';
import type { Operator } from '../users/operators.ts';
import { mayAct, operatorOf } from '../users/operators.ts';
import type { Call, Command } from './command.ts';
import { needed, Refused, Usage } from './command.ts';
import { approve, askToBeginAnew } from '../help-desk/account-reset.ts';
import type { Case } from '../help-desk/cases.ts';
import { caseByNumber, listCases } from '../help-desk/cases.ts';
import { closeByHand, openCaseFrom, tickChecks } from '../help-desk/case-actions.ts';
import { sendHelpDeskCode } from '../help-desk/help-desk-code.ts';
import { endings } from '../oidc/sessions.ts';
import { hasherOf } from '../crypto/argon2.ts';
import { postFor } from '../mail/enqueue.ts';

/** What the console does about cases, from a shell: always in the name of an operator, and never with a code in sight. */

async function operatorFor({ db, option }: Call): Promise<Operator> {
  const found = await accountByEmail(db, needed(option('operator'), '--operator'));
  const operator = found && operatorOf(found);
  if (!operator) throw new Refused('that operator is not there, or is no operator');
  return operator;
}

async function shown({ db }: Call, { accountId, ...one }: Case) {
  const account = await accountById(db, accountId);
  return {
    number: one.number,
    email: account?.email ?? '',
    opened: one.openedAt,
    checks: one.checks.map(({ name }) => name),
    ...(one.outcome ? { outcome: one.outcome } : {}),
  };
}

function done(refused: { code: string; seconds?: number } | undefined): void {
  if (!refused) return;
  const wait = refused.seconds === undefined ? '' : ` (${refused.seconds} seconds left)`;
  throw new Refused(`refused: ${refused.code}${wait}`);
}

/** The case that the words name. Whether the operator may touch it is asked by the deed itself. */
async function deedOn(call: Call) {
  const found = await caseByNumber(call.db, needed(call.words[0], "the case's number"));
  if (!found) throw new Refused('refused: not-there');
  return { caseId: found.id, by: await operatorFor(call) };
}

async function sendFromShell(call: Call) {
  const { db, settings, option } = call;
  const by = await operatorFor(call);
  const found = await accountByEmail(db, needed(option('email'), '--email'));
  const names = needed(option('check'), '--check').split(',');
  const known = settings.HEMMA_IDENTITY_CHECKS;
  const odd = names.find((name) => !known.some((one) => one.name === name));
  if (odd !== undefined)
    throw new Usage(`there is no check ${odd}: ${known.map(({ name }) => name).join(', ')}`);
  if (!found) throw new Refused('refused: not-there');
  const post = postFor(settings);
  const opened = await openCaseFrom(db, post, { target: found.id, by });
  if ('refusal' in opened) return done(opened.refusal);
  const deed = { caseId: opened.found.id, by };
  done(await tickChecks(db, { ...deed, names, known }));
  const dailyCodes = settings.HEMMA_HELP_DESK_DAILY_CODES;
  done(await sendHelpDeskCode(db, await hasherOf(1), post, { ...deed, dailyCodes }));
  return { case: opened.found.number, sent: true };
}

async function casesFrom(call: Call) {
  const operator = await operatorFor(call);
  if (!mayAct(operator, 'cases.read')) throw new Refused('refused: not-there');
  const cases = await listCases(call.db, operator, { limit: 100 });
  return Promise.all(cases.map((one) => shown(call, one)));
}

async function approveFromShell(call: Call) {
  const deed = await deedOn(call);
  done(await approve(call.db, await hasherOf(1), postFor(call.settings), endings, deed));
  return { case: call.words[0], approved: true };
}

async function beginAnewFromShell(call: Call) {
  done(await askToBeginAnew(call.db, postFor(call.settings), await deedOn(call)));
  return { case: call.words[0], asked: true };
}

async function closeFromShell(call: Call) {
  done(await closeByHand(call.db, postFor(call.settings), await deedOn(call)));
  return { case: call.words[0], closed: true };
}

export const helpDeskHelp = `  help-desk cases --operator O       the open cases that this operator looks after
  help-desk send-code --email E --check C [--check C] --operator O
                                     mails a code for a new phone to the sign-in address; nobody sees it
  help-desk begin-anew N --operator O
                                     asks to reset an account whose password and phone are lost together
  help-desk approve N --operator O   allows what another operator asked for in case N
  help-desk close N --operator O     closes case N`;

export const helpDeskCommands: Record<string, Command> = {
  'help-desk cases': { takes: ['operator'], run: casesFrom },
  'help-desk send-code': { takes: ['email', 'check', 'operator'], run: sendFromShell },
  'help-desk begin-anew': { takes: ['operator'], run: beginAnewFromShell },
  'help-desk approve': { takes: ['operator'], run: approveFromShell },
  'help-desk close': { takes: ['operator'], run: closeFromShell },
};
