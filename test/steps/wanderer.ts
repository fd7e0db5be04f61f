/**
 * A person who does anything in any order, and a model of what they have really shown: which passwords and which
 * fresh six digits they posted, to which sign-in, in which order. The model knows nothing of the provider's table;
 * whenever the provider ends a sign-in, the model says whether it may have.
 */
import { decodeJwt } from 'jose';
import { sixDigits, wrongDigits } from '../rig/totp.ts';
import type { Begun, RelyingParty } from '../rig/relying-party.ts';
import { newVisitor, type Screen, type Visitor } from '../rig/visitor.ts';
import { travel } from '../rig/clock.ts';

export interface Enrolled {
  id: string;
  email: string;
  password: string;
  key: string;
  /** The last step (RFC 6238 §4.2) and digits of this phone that the provider took. */
  lastStep: number;
  lastDigits: string | undefined;
}

export type Who = 0 | 1;
export type Begin = 'plain' | 'login' | 'level-2';

export type Deed =
  | { do: 'new-tab'; begin: Begin }
  | { do: 'tab'; number: number }
  | { do: 'reload' }
  | { do: 'back'; pages: number }
  | { do: 'wait'; seconds: number }
  | { do: 'password'; who: Who; right: boolean; at: string }
  | { do: 'digits'; who: Who; kind: 'right' | 'wrong' | 'replayed' | 'stale'; remember: boolean; at: string }
  | { do: 'post'; at: string }
  | { do: 'open'; at: string }
  | { do: 'choose'; choice: 'switch' | 'stay' }
  | { do: 'as-asked'; who: Who };

/** One sign-in as the model sees it. */
interface SignIn {
  begun: Begun;
  begin: Begin;
  at: number;
  uid: string | undefined;
  /** Whose right password counts here now. */
  account: Who | undefined;
  /** Whether fresh digits of that account came after its password. */
  digits: boolean;
  remember: boolean;
  screens: Screen[];
}

interface Session {
  who: Who;
  acr: string;
  since: number;
  touched: number;
}

/** NIST-bound lives in milliseconds (DESIGN §5), with a few seconds for the way. */
const interactionLife = 30 * 60_000 + 5_000;
const idle = 3_600_000 + 5_000;
const day = 10 * 3_600_000 + 5_000;
const rememberedDays = 30 * 86_400_000;

export interface Wanderer {
  go(auditEvent: Deed): Promise<void>;
  /** Sign-ins that ended, each of them allowed by the model. */
  finished(): number;
}

export function newWanderer(app: RelyingParty, people: readonly [Enrolled, Enrolled]): Wanderer {
  const visitor: Visitor = newVisitor();
  const tabs: SignIn[] = [];
  const rememberedAt: (number | undefined)[] = [undefined, undefined];
  let session: Session | undefined;
  let finished = 0;
  let current = -1;
  const tab = () => tabs[current];

  /** What must be true of a sign-in that has just ended; throws with the model's reason where it is not. */
  function judge(signIn: SignIn, silent: boolean, whose: Who, acr: string): void {
    const now = Date.now();
    const fail = (why: string) => {
      throw new Error(`${people[whose].email} was signed in at ${acr}, but ${why}`);
    };
    if (silent) {
      if (signIn.begin === 'login') fail('a new sign-in was asked for');
      if (!session || session.who !== whose) return fail('no session of theirs was open in this browser');
      if (now - session.touched > idle || now - session.since > day) fail('their session had ended');
      if (session.acr !== acr) fail(`their session was at ${session.acr}`);
      if (signIn.begin === 'level-2' && acr !== 'urn:hemma:2') fail('the application asked for more');
      return;
    }
    if (now - signIn.at > interactionLife) fail('the sign-in had run out');
    if (signIn.account !== whose) fail('their password was not shown in this sign-in');
    const remembered = rememberedAt[whose];
    const device = remembered !== undefined && now - remembered < rememberedDays && signIn.begin === 'plain';
    if (!signIn.digits && !device) fail('their six digits were not shown in this sign-in');
    if (acr !== (signIn.digits ? 'urn:hemma:2' : 'urn:hemma:1')) fail('that is not what was shown');
    if (signIn.begin === 'level-2' && acr !== 'urn:hemma:2') fail('the application asked for more');
  }

  async function arrived(signIn: SignIn, screen: Screen, silent: boolean): Promise<void> {
    if (!screen.url.searchParams.has('code')) return;
    const tokens = await app.redeem(signIn.begun, screen.url);
    const { sub, acr } = decodeJwt(tokens.id_token ?? '') as { sub: string; acr: string };
    const whose = people[0].id === sub ? 0 : 1;
    if (people[whose].id !== sub) throw new Error(`somebody else was signed in: ${sub}`);
    judge(signIn, silent, whose, acr);
    finished++;
    const now = Date.now();
    if (!silent) {
      if (signIn.remember) rememberedAt[whose] = now;
      session = { who: whose, acr, since: now, touched: now };
    }
  }

  /** Notes what a navigation led to, and judges it where it led out of the sign-in. */
  async function saw(screen: Screen, silent = false): Promise<void> {
    if (session && Date.now() - session.touched <= idle) session.touched = Date.now();
    if (screen.status >= 500) throw new Error(`${screen.url.pathname} answered ${screen.status}`);
    const uid = /^\/interaction\/([^/]+)\//.exec(screen.url.pathname)?.[1];
    const signIn = tab();
    if (!signIn) return;
    signIn.uid ??= uid;
    signIn.screens.push(screen);
    if (screen.step === 'back') await arrived(signIn, screen, silent);
  }

  async function begin(kind: Begin): Promise<void> {
    const parameters = { plain: {}, login: { prompt: 'login' }, 'level-2': { acr_values: 'urn:hemma:2' } }[
      kind
    ];
    const begun = await app.begin(parameters);
    const signIn = {
      begun,
      begin: kind,
      at: Date.now(),
      uid: undefined,
      account: undefined,
      digits: false,
      remember: false,
      screens: [],
    };
    tabs.push(signIn);
    current = tabs.length - 1;
    await saw(await visitor.visit(begun.url), true);
  }

  /** Posts to a page of the sign-in of this tab, with the form token of whatever page was last seen there. */
  async function post(step: string, fields: Record<string, string>): Promise<Screen | undefined> {
    const signIn = tab();
    if (!signIn?.uid) return undefined;
    const tokenOf = (screen: Screen) => screen.page.querySelector('input[name=token]')?.getAttribute('value');
    const token = signIn.screens.map(tokenOf).findLast((value) => value !== undefined) ?? '';
    const last = signIn.screens.findLast((screen) => screen.url.pathname.startsWith('/interaction/'));
    if (!last) return undefined;
    visitor.backTo(last);
    return visitor.post(new URL(`/interaction/${signIn.uid}/${step}`, last.url), { token, ...fields });
  }

  /** The model's own view of whether a post was taken: the person got past the page without a word against it. */
  const taken = (screen: Screen) =>
    screen.refusal === undefined && screen.status === 200 && screen.step !== 'problem';

  async function password(who: Who, right: boolean, step: string): Promise<void> {
    const { email, password: secret } = people[who];
    const signIn = tab();
    const screen = await post(step, {
      email,
      password: right ? secret : `${secret}.`,
      code: '000000',
      lastGroup: '0000',
    });
    if (!screen || !signIn) return;
    if (right && step === 'password' && signIn.account === undefined && taken(screen)) signIn.account = who;
    await saw(screen);
  }

  async function digits(who: Who, kind: string, remember: boolean, step: string): Promise<void> {
    const { key, lastDigits } = people[who];
    const now = Math.floor(Date.now() / 30_000);
    const fresh = now > people[who].lastStep;
    const code = {
      right: sixDigits(key),
      wrong: wrongDigits(key),
      replayed: lastDigits ?? wrongDigits(key),
      stale: sixDigits(key, { step: -2 }),
    }[kind];
    const signIn = tab();
    const screen = await post(step, {
      code: code ?? '',
      password: code ?? '',
      lastGroup: code ?? '',
      ...(remember ? { rememberDevice: 'yes' } : {}),
    });
    if (!screen || !signIn) return;
    if (
      kind === 'right' &&
      fresh &&
      step === 'totp' &&
      signIn.account === who &&
      !signIn.digits &&
      taken(screen)
    ) {
      signIn.digits = true;
      Object.assign(people[who], { lastStep: now, lastDigits: code });
    }
    if (remember && step === 'totp') signIn.remember = true;
    await saw(screen);
  }

  async function choose(choice: 'switch' | 'stay'): Promise<void> {
    const signIn = tab();
    const asked = signIn?.screens.at(-1)?.step === 'other-account';
    const screen = await post('other-account', { choice });
    if (!screen || !signIn) return;
    // To stay is to begin anew: what was shown for the other account counts no longer.
    if (choice === 'stay' && asked) Object.assign(signIn, { account: undefined, digits: false });
    await saw(screen);
  }

  const asAsked = (who: Who): Promise<void> => {
    switch (tab()?.screens.at(-1)?.step ?? 'none') {
      case 'password':
        return password(who, true, 'password');
      case 'totp':
        // Digits work once; a person waits for the next ones.
        if (Math.floor(Date.now() / 30_000) <= people[who].lastStep) travel(30_000);
        return digits(who, 'right', false, 'totp');
      case 'other-account':
        return choose(who === 0 ? 'switch' : 'stay');
      default:
        return begin('login');
    }
  };

  return {
    finished: () => finished,
    async go(auditEvent) {
      switch (auditEvent.do) {
        case 'new-tab':
          return begin(auditEvent.begin);
        case 'tab':
          return void (current = tabs.length > 0 ? auditEvent.number % tabs.length : -1);
        case 'reload': {
          const url = tab()?.screens.at(-1)?.url;
          // The application's own page is not the provider's business.
          if (url?.pathname.startsWith('/interaction/')) await saw(await visitor.visit(url));
          return;
        }
        case 'back': {
          const signIn = tab();
          const screen = signIn?.screens.at(-1 - auditEvent.pages);
          if (signIn && screen) signIn.screens.push(screen);
          return;
        }
        case 'wait':
          return travel(auditEvent.seconds * 1000);
        case 'password':
          return password(auditEvent.who, auditEvent.right, auditEvent.at);
        case 'digits':
          return digits(auditEvent.who, auditEvent.kind, auditEvent.remember, auditEvent.at);
        case 'post': {
          const screen = await post(auditEvent.at, {});
          return screen && saw(screen);
        }
        case 'open': {
          const signIn = tab();
          if (!signIn?.uid) return;
          const issuer = signIn.begun.url;
          return saw(await visitor.visit(new URL(`/interaction/${signIn.uid}/${auditEvent.at}`, issuer)));
        }
        case 'choose':
          return choose(auditEvent.choice);
        case 'as-asked':
          return asAsked(auditEvent.who);
      }
    },
  };
}
