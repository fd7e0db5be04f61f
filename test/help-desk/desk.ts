/** The help desk: people who lost phone and code, and operators whose hands these are. */
import { readSettings } from '../../config/settings.ts';
import type { User, Role } from '../../src/users/users.ts';
import { type Operator, toOperator } from '../../src/users/operators.ts';
import { approveRequest, requestAccountReset } from '../../src/help-desk/account-reset.ts';
import { type Case, findOpenCase } from '../../src/help-desk/cases.ts';
import {
  addCaseNote,
  closeCaseByOperator,
  closeInactiveCases,
  openCaseByOperator,
  recordIdentityChecks,
} from '../../src/help-desk/case-actions.ts';
import { sendHelpDeskCode } from '../../src/help-desk/help-desk-code.ts';
import { createMailEnqueuer } from '../../src/mail/outbox.ts';
import { forgetTrustedDevices } from '../../src/users/devices.ts';
import { sessionHooks } from '../../src/oidc/sessions.ts';
import type { Db } from '../../src/db/database.ts';
import { createHasher } from '../../src/crypto/argon2.ts';
import { createEncryption } from '../../src/crypto/encryption.ts';
import type { MailServer } from '../rig/mail.ts';
import type { RelyingParty } from '../rig/relying-party.ts';
import { newVisitor, type Screen, type Visitor } from '../rig/visitor.ts';
import { pageOf, provePassword } from '../new-phone-threats/people.ts';

export interface Place {
  db: Db;
  env: Record<string, string>;
  mail: MailServer;
  account(wanted: { email: string; role?: Role }): Promise<User>;
}

/** What a deed answered: the code of its refusal, or `done`. */
export type Answer = string;
const said = (refused: { code: string } | undefined): Answer => refused?.code ?? 'done';

export interface Desk {
  /** An operator; `role` is help-desk unless told otherwise. */
  operator(name: string, role?: Role): Promise<Operator>;
  /** Opens the case of an account, or finds the one that is open. */
  open(by: Operator, accountId: string): Promise<Case>;
  opens(by: Operator, accountId: string): Promise<Answer>;
  tick(by: Operator, of: Pick<Case, 'id'>, names?: readonly string[]): Promise<Answer>;
  note(by: Operator, of: Pick<Case, 'id'>, text: string): Promise<Answer>;
  send(by: Operator, of: Pick<Case, 'id'>): Promise<Answer>;
  approve(by: Operator, of: Pick<Case, 'id'>): Promise<Answer>;
  askAnew(by: Operator, of: Pick<Case, 'id'>): Promise<Answer>;
  close(by: Operator, of: Pick<Case, 'id'>): Promise<Answer>;
  /** Opens, ticks and sends, as an operator does who is sure; answers the code out of the person's mail. */
  codeFor(by: Operator, person: { id: string; email: string }): Promise<string>;
  caseOf(accountId: string): Promise<Case | undefined>;
  /** What the chores do to cases that nobody touches. */
  sweep(): Promise<number>;
}

/** Puts the desk beside a provider, with the functions that the console and the command line call. */
export async function deskAt(place: Place): Promise<Desk> {
  const read = readSettings(place.env);
  if ('faults' in read) throw new Error(read.faults.join('\n'));
  const { settings } = read;
  const { db } = place;
  const hasher = await createHasher(1);
  const enqueueMail = createMailEnqueuer(createEncryption(settings.HEMMA_SECRET_KEYS ?? []), {
    brand: settings.HEMMA_BRAND_NAME,
    helpDesk: settings.HEMMA_HELP_DESK_CONTACT,
    issuer: settings.HEMMA_ISSUER,
    defaultLocale: settings.HEMMA_DEFAULT_LOCALE,
  });
  const known = settings.HEMMA_IDENTITY_CHECKS;
  const dailyCodes = settings.HEMMA_HELP_DESK_DAILY_CODES;
  const aftermath = { forgetDevices: forgetTrustedDevices, ...sessionHooks };
  const desk: Desk = {
    async operator(name, role = 'help-desk') {
      const operator = toOperator(await place.account({ email: `${name}@desk.example.com`, role }));
      if (!operator) throw new Error(`${name} is no operator`);
      return operator;
    },
    async open(by, target) {
      const opened = await openCaseByOperator(db, enqueueMail, { target, by });
      if ('refusal' in opened) throw new Error(`no case: ${opened.refusal.code}`);
      return opened.found;
    },
    async opens(by, target) {
      const opened = await openCaseByOperator(db, enqueueMail, { target, by });
      return 'refusal' in opened ? opened.refusal.code : 'done';
    },
    tick: async (by, { id }, names = ['call-back']) =>
      said(await recordIdentityChecks(db, { caseId: id, by, names, known })),
    note: async (by, { id }, text) => said(await addCaseNote(db, { caseId: id, by, text })),
    send: async (by, { id }) =>
      said(await sendHelpDeskCode(db, hasher, enqueueMail, { caseId: id, by, dailyCodes })),
    approve: async (by, { id }) =>
      said(await approveRequest(db, hasher, enqueueMail, aftermath, { caseId: id, by })),
    askAnew: async (by, { id }) => said(await requestAccountReset(db, enqueueMail, { caseId: id, by })),
    close: async (by, { id }) => said(await closeCaseByOperator(db, enqueueMail, { caseId: id, by })),
    caseOf: (accountId) => findOpenCase(db, accountId),
    sweep: () => closeInactiveCases(db, enqueueMail, 500),
    async codeFor(by, { id, email }) {
      const opened = await desk.open(by, id);
      await desk.tick(by, opened);
      const answer = await desk.send(by, opened);
      if (answer !== 'done') throw new Error(`no code was sent: ${answer}`);
      return codeMailedTo(place, email);
    },
  };
  return desk;
}

const code = /^\s*((?:[0-9A-HJKMNP-TV-Z]{4}-){4}[0-9A-HJKMNP-TV-Z]{4})\s*$/m;
const stopCode = /^\s*((?:[0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4})\s*$/m;

/** The code out of the next unread mail that carries one. */
export async function codeMailedTo({ mail }: Pick<Place, 'mail'>, address: string): Promise<string> {
  const { text } = await mail.mailTo(address, code);
  return code.exec(text)?.[1] ?? '';
}

/** The stop code out of the next unread mail that carries one. */
export async function stopCodeMailedTo({ mail }: Pick<Place, 'mail'>, address: string): Promise<string> {
  const { text } = await mail.mailTo(address, stopCode);
  return stopCode.exec(text)?.[1] ?? '';
}

/** The right password, and the page that the help desk's code is typed on. */
export async function atCodePage(
  party: RelyingParty,
  email: string,
  visitor: Visitor = newVisitor(),
  url?: string,
): Promise<Visitor> {
  await provePassword(visitor, url ?? (await party.begin()).url, email);
  await visitor.visit(pageOf(visitor, 'recovery-code'));
  return visitor;
}

/** Types a code where the recovery code is asked for. */
export const typeCode = (visitor: Visitor, typed: string): Promise<Screen> =>
  visitor.submit({ code: typed }, 'phoneGone=yes');

/** Types a stop code, in a browser that knows nothing else. */
export async function typeStop(place: { issuer: string }, typed: string, visitor = newVisitor()) {
  await visitor.visit(`${place.issuer}/help-desk/stop`);
  return visitor.submit({ code: typed });
}
