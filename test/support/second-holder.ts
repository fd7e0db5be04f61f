/** An attacker who holds copies of an interaction's cookies and tries every page, form and resume path with them. */
import { typePassword } from '../rig/ceremony.ts';
import { PASSWORD } from '../rig/password.ts';
import type { Cookie } from '../rig/cookies.ts';
import { newVisitor, type Screen, type Visitor } from '../rig/visitor.ts';
import { accountOpenedBy } from './sign-in-cookies.ts';

type Form = Record<string, string>;
const pair = { email: '', password: PASSWORD, code: '1234 5678' };

/** What each page's forms send, filled in with what an attacker has. A new page is added here. */
const forms: Record<string, Form | readonly Form[]> = {
  password: { email: '', password: '' },
  'forgotten-password': { email: '' },
  // The pair, and the button that sends a code to the address in the field.
  'password-and-code': [pair, { ...pair, email: 'attacker@example.net', send: 'yes' }],
  'new-password': { password: 'the password of an attacker' },
  'new-email': { email: 'attacker@example.net' },
  'other-account': { choice: 'switch' },
  totp: { code: '123456', rememberDevice: 'yes' },
  'another-way': {},
  'recovery-code': { code: 'AAAA-AAAA-AAAA-AAAA-AAAA', phoneGone: 'yes' },
  'help-desk': {},
  're-enrollment': { code: '123456', endOtherSessions: 'yes' },
  'mailed-code': { code: '1234 5678' },
  enrollment: { code: '123456' },
  'new-recovery-code': { lastGroup: 'AAAA' },
  confirm: { choice: 'do' },
  consent: { choice: 'allow' },
  'no-access': {},
};

/** The pages that an attacker tries. */
export const triedPages: readonly string[] = Object.keys(forms);

export interface Target {
  issuer: string;
  /** The interaction whose pages are tried. */
  uid: string;
  /** The attacker's copies. */
  cookies: readonly Cookie[];
  /** Addresses that must not appear on any page. */
  secrets?: readonly string[];
  /** Whether the interaction is still open to these copies at its password page; otherwise a refusal is fine, too. */
  atPasswordPage: boolean;
}

const open = new Set(['password', 'forgotten-password', 'password-and-code']);
/** Where an interaction leads that is over or of another browser: a refusal, or the start of the device flow. */
const ended = new Set(['problem', 'device']);
const secretMarks = [/otpauth:/, /data-key=/, /data-recovery-code=/];

/** Lists everything that is wrong with one answer. */
function judge(what: string, screen: Screen, { issuer, secrets = [], atPasswordPage }: Target): string[] {
  const step = screen.step ?? 'none';
  const refused = screen.status === 403 || (!atPasswordPage && ended.has(step));
  const found: string[] = [];
  const hops = screen.chain.map(({ url }) => new URL(url));
  if (hops.some((url) => url.origin !== issuer && url.searchParams.has('code'))) found.push('gave a code');
  else if (!open.has(step) && !refused)
    found.push(`led to ${step} (${screen.status} ${screen.url.pathname})`);
  if (screen.status >= 500) found.push(`failed with ${screen.status}`);
  if (secretMarks.some((mark) => mark.test(screen.body))) found.push('showed a key or a code');
  if (secrets.some((secret) => screen.body.toLowerCase().includes(secret.toLowerCase())))
    found.push('showed the address of the victim');
  return found.map((fault) => `${what} ${fault}`);
}

async function tryPage(target: Target, page: string): Promise<string[]> {
  const url = `${target.issuer}/interaction/${target.uid}/${page}`;
  const reader = newVisitor({ stolen: target.cookies });
  const found = judge(`GET ${page || '/'}`, await reader.visit(url), target);
  for (const form of [forms[page] ?? []].flat()) found.push(...(await tryForm(target, page, form)));
  return found;
}

async function tryForm(target: Target, page: string, form: Form): Promise<string[]> {
  const url = `${target.issuer}/interaction/${target.uid}/${page}`;
  const writer = newVisitor({ stolen: target.cookies });
  const kept = writer.cookies.all();
  const shown = await writer.visit(`${target.issuer}/interaction/${target.uid}/password`);
  const token = shown.page.querySelector('main input[name=token]')?.getAttribute('value') ?? '';
  // That page may clear cookies; the attacker has kept copies.
  for (const { name, value, path } of kept) writer.cookies.plant(new URL(url), name, value, path);
  const posted = await writer.post(url, { token, ...form });
  return [...judge(`POST ${page}`, posted, target), ...(await gained(`POST ${page}`, target, writer))];
}

/** A session or a trusted device in the attacker's browser. */
async function gained(what: string, target: Target, { cookies }: Visitor): Promise<string[]> {
  const got = cookies.all();
  const trusted = got.some(({ name }) => name.endsWith('hemma-device'));
  const session = got.some(({ name }) => name.endsWith('hemma-session'));
  const account = session ? await accountOpenedBy(target, got) : undefined;
  return [
    ...(trusted ? [`${what} gave the cookie of a trusted device`] : []),
    ...(account === undefined ? [] : [`${what} gave a session of ${account}`]),
  ];
}

async function tryResume(target: Target, path: string): Promise<string[]> {
  const visitor = newVisitor({ stolen: target.cookies });
  const screen = await visitor.visit(`${target.issuer}${path}`);
  // The library's resume paths may refuse in any way that is no fault.
  const found = judge(`GET ${path.split('/')[1]}/<uid>`, screen, { ...target, atPasswordPage: false });
  return [...found, ...(await gained(`GET ${path.split('/')[1]}/<uid>`, target, visitor))];
}

/** Tries the library's resume paths. */
export async function gainsOnResume(
  target: Target,
  paths: readonly ('auth' | 'device')[] = ['auth', 'device'],
): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) found.push(...(await tryResume(target, `/${path}/${target.uid}`)));
  return found;
}

/**
 * Tries every page, its forms, and the library's resume paths with copies of cookies.
 * @returns one sentence for each gain; empty if there was none
 */
export async function secondHolderGains(target: Target): Promise<string[]> {
  const found: string[] = [];
  for (const page of ['', ...triedPages]) found.push(...(await tryPage(target, page)));
  return [...found, ...(await gainsOnResume(target))];
}

/** The attacker verifies a password of its own with copies of the user's cookies. Throws where no password is asked for. */
export async function signInWithCopies(
  { issuer, uid, cookies }: Pick<Target, 'issuer' | 'uid' | 'cookies'>,
  email: string,
): Promise<Visitor> {
  const visitor = newVisitor({ stolen: cookies });
  await visitor.visit(`${issuer}/interaction/${uid}/password`);
  await typePassword(visitor, email);
  return visitor;
}
