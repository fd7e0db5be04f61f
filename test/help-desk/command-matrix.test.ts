/** T35 at the command line: every command that is done in an operator's name, every role. No by default. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { helpDeskCommands } from '../../src/cli/help-desk.ts';
import { discardMail } from '../../src/mail/outbox.ts';
import { openCaseByOperator } from '../../src/help-desk/case-actions.ts';
import { group, putInto, withRole } from '../console/town.ts';
import { answered, type Shell, shellWith } from '../command-line/shell.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';

let hemma: Hemma;
let shell: Shell;

const roles = {
  nobody: undefined,
  person: 'person',
  disabled: 'help-desk',
  agent: 'help-desk',
  'limited-agent': 'help-desk',
  'limited-administrator': 'administrator',
  administrator: 'administrator',
} as const;
type Actor = keyof typeof roles;
const targets = ['north', 'south', 'colleague', 'chief'] as const;
type Target = (typeof targets)[number];

/** Whom each may look after: the rules of `hasPermission`, written down a second time and not taken from it. */
const reach: Record<Actor, readonly Target[]> = {
  nobody: [],
  person: [],
  disabled: [],
  agent: ['north', 'south'],
  'limited-agent': ['north'],
  'limited-administrator': ['north'],
  administrator: targets,
};
const isOperator = (actor: Actor) => reach[actor].length > 0;

const ids = {} as Record<Actor | Target, string>;

const emailOf = (who: Actor | Target) => `${who}@example.com`;

beforeAll(async () => {
  hemma = await startHemma();
  shell = shellWith(hemma.env);
  const north = await group(hemma, 'North');
  const south = await group(hemma, 'South');
  for (const actor of Object.keys(roles) as Actor[]) {
    const role = roles[actor];
    if (!role) continue;
    const over = actor.startsWith('limited') ? north : undefined;
    ids[actor] = (await withRole(hemma, emailOf(actor), role, over)).id;
  }
  answered(await shell(['accounts', 'disable', emailOf('disabled'), '--json']));
  const rank = { north: 'person', south: 'person', colleague: 'help-desk', chief: 'administrator' } as const;
  for (const target of targets) {
    const account = await withRole(hemma, emailOf(target), rank[target]);
    await putInto(hemma, account, target === 'south' ? south : north);
    ids[target] = account.id;
  }
});
afterAll(() => hemma.stop());

/** The number of a target's open case; one is opened by an administrator, who may, where there is none. */
async function caseOf(target: Target): Promise<string> {
  const opened = await openCaseByOperator(hemma.db, discardMail, {
    target: ids[target],
    by: { id: ids.administrator, role: 'administrator', group: undefined },
  });
  if ('refusal' in opened) throw new Error(opened.refusal.code);
  return opened.found.number;
}

/** The words of each command about a target; who is not let in is answered as if there were nothing. */
const commands: Record<string, (target: Target) => Promise<string[]>> = {
  'help-desk send-code': (target) => Promise.resolve(['--email', emailOf(target), '--check', 'call-back']),
  'help-desk begin-anew': async (target) => [await caseOf(target)],
  'help-desk approve': async (target) => [await caseOf(target)],
  'help-desk close': async (target) => [await caseOf(target)],
};

test("T35 every command in an operator's name has a row here", () => {
  expect(Object.keys(helpDeskCommands).toSorted()).toEqual(
    [...Object.keys(commands), 'help-desk cases'].toSorted(),
  );
  for (const { takes } of Object.values(helpDeskCommands)) expect(takes).toContain('operator');
});

const turnedAway = /not-there|is no operator/;

describe.each(Object.keys(commands))('T35 %s', (name) => {
  test.each(
    (Object.keys(roles) as Actor[]).flatMap((actor) => targets.map((target) => [actor, target] as const)),
  )('by %s for %s', async (actor, target) => {
    const words = (await commands[name]?.(target)) ?? [];
    const { code, stderr } = await shell([...name.split(' '), ...words, '--operator', emailOf(actor)]);
    // What the domain then says of a case (no phone yet, one's own request) is no matter of roles.
    if (reach[actor].includes(target)) expect(stderr).not.toMatch(turnedAway);
    else expect([code, stderr]).toEqual([1, expect.stringMatching(turnedAway)]);
  });
});

test.each(Object.keys(roles) as Actor[])(
  'T35 help-desk cases shows %s the cases of their own people alone',
  async (actor) => {
    await Promise.all(targets.map(caseOf));
    const end = await shell(['help-desk', 'cases', '--operator', emailOf(actor), '--json']);
    if (!isOperator(actor)) {
      expect([end.code, end.stdout]).toEqual([1, '']);
      return;
    }
    const emails = (answered(end) as { email: string }[]).map(({ email }) => email);
    expect(new Set(emails)).toEqual(new Set(reach[actor].map(emailOf)));
  },
);

test.each([
  ['accounts disable', ['north@example.com', '--operator', 'agent@example.com']],
  ['accounts disable', ['north@example.com', '--dry-run']],
  ['accounts role', ['north@example.com', '--role', 'administrator', '--operator', 'agent@example.com']],
  ['clients enable', ['shop', '--dry-run']],
])('%s %j takes no such option, and nothing happens', async (name, words) => {
  const { code, stdout, stderr } = await shell([...name.split(' '), ...words]);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/takes no --/);
  const all = answered(await shell(['accounts', 'list', '--json'])) as {
    email: string;
    role: string;
    disabled: boolean;
  }[];
  expect(all.find(({ email }) => email === 'north@example.com')).toMatchObject({
    role: 'person',
    disabled: false,
  });
});
