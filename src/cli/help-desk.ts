import { findUserByEmail, findUserById } from '../users/users.ts';
import type { Operator } from '../users/operators.ts';
import { hasPermission, toOperator } from '../users/operators.ts';
import type { CommandCall, Command } from './command.ts';
import { requireValue, CommandRefusedError, UsageError } from './command.ts';
import { approveRequest, requestAccountReset } from '../help-desk/account-reset.ts';
import type { Case } from '../help-desk/cases.ts';
import { findCaseByNumber, listCases } from '../help-desk/cases.ts';
import { closeCaseByOperator, openCaseByOperator, recordIdentityChecks } from '../help-desk/case-actions.ts';
import { sendHelpDeskCode } from '../help-desk/help-desk-code.ts';
import { sessionHooks } from '../oidc/sessions.ts';
import { createHasher } from '../crypto/argon2.ts';
import { createEnqueueMail } from '../mail/enqueue.ts';

/** What the console does about cases, from a shell: always in the name of an operator, and never with a code in sight. */

async function findOperatorOption({ db, option }: CommandCall): Promise<Operator> {
  const found = await findUserByEmail(db, requireValue(option('operator'), '--operator'));
  const operator = found && toOperator(found);
  if (!operator) throw new CommandRefusedError('that operator is not there, or is no operator');
  return operator;
}

async function caseOutput({ db }: CommandCall, { accountId: userId, ...one }: Case) {
  const user = await findUserById(db, userId);
  return {
    number: one.number,
    email: user?.email ?? '',
    opened: one.openedAt,
    checks: one.checks.map(({ name }) => name),
    ...(one.outcome ? { outcome: one.outcome } : {}),
  };
}

function assertAccepted(refused: { code: string; seconds?: number } | undefined): void {
  if (!refused) return;
  const wait = refused.seconds === undefined ? '' : ` (${refused.seconds} seconds left)`;
  throw new CommandRefusedError(`refused: ${refused.code}${wait}`);
}

/** The case that the words name. Whether the operator may touch it is asked by the deed itself. */
async function caseActionFor(call: CommandCall) {
  const found = await findCaseByNumber(call.db, requireValue(call.words[0], "the case's number"));
  if (!found) throw new CommandRefusedError('refused: not-there');
  return { caseId: found.id, by: await findOperatorOption(call) };
}

async function runSendCode(call: CommandCall) {
  const { db, settings, option } = call;
  const by = await findOperatorOption(call);
  const found = await findUserByEmail(db, requireValue(option('email'), '--email'));
  const names = requireValue(option('check'), '--check').split(',');
  const knownChecks = settings.HEMMA_IDENTITY_CHECKS;
  const unknownCheck = names.find((name) => !knownChecks.some((one) => one.name === name));
  if (unknownCheck !== undefined)
    throw new UsageError(
      `there is no check ${unknownCheck}: ${knownChecks.map(({ name }) => name).join(', ')}`,
    );
  if (!found) throw new CommandRefusedError('refused: not-there');
  const enqueueMail = createEnqueueMail(settings);
  const opened = await openCaseByOperator(db, enqueueMail, { target: found.id, by });
  if ('refusal' in opened) return assertAccepted(opened.refusal);
  const caseAction = { caseId: opened.found.id, by };
  assertAccepted(await recordIdentityChecks(db, { ...caseAction, names, known: knownChecks }));
  const dailyCodes = settings.HEMMA_HELP_DESK_DAILY_CODES;
  assertAccepted(
    await sendHelpDeskCode(db, await createHasher(1), enqueueMail, { ...caseAction, dailyCodes }),
  );
  return { case: opened.found.number, sent: true };
}

async function runCases(call: CommandCall) {
  const operator = await findOperatorOption(call);
  if (!hasPermission(operator, 'cases.read')) throw new CommandRefusedError('refused: not-there');
  const cases = await listCases(call.db, operator, { limit: 100 });
  return Promise.all(cases.map((one) => caseOutput(call, one)));
}

async function runApprove(call: CommandCall) {
  const caseAction = await caseActionFor(call);
  assertAccepted(
    await approveRequest(
      call.db,
      await createHasher(1),
      createEnqueueMail(call.settings),
      sessionHooks,
      caseAction,
    ),
  );
  return { case: call.words[0], approved: true };
}

async function runAccountReset(call: CommandCall) {
  assertAccepted(
    await requestAccountReset(call.db, createEnqueueMail(call.settings), await caseActionFor(call)),
  );
  return { case: call.words[0], asked: true };
}

async function runClose(call: CommandCall) {
  assertAccepted(
    await closeCaseByOperator(call.db, createEnqueueMail(call.settings), await caseActionFor(call)),
  );
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
  'help-desk cases': { takes: ['operator'], run: runCases },
  'help-desk send-code': { takes: ['email', 'check', 'operator'], run: runSendCode },
  'help-desk begin-anew': { takes: ['operator'], run: runAccountReset },
  'help-desk approve': { takes: ['operator'], run: runApprove },
  'help-desk close': { takes: ['operator'], run: runClose },
};
