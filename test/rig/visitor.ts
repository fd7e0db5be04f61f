/**
 * A person without a browser: keeps cookies, follows redirects one by one, fills in forms, and sends the headers
 * that a browser would. Quick enough for every journey and attack; what needs scripts or eyes is in `browser.ts`.
 */
import type { OutgoingHttpHeaders } from 'node:http';
import { type HTMLElement, parse } from 'node-html-parser';
import { type Cookie, type CookieJar, newCookieJar } from './cookies.ts';
import { type Answer, type Ask, exchange } from './exchange.ts';
import { type Fields, fillIn } from './forms.ts';

/** What the person sees in the end, and how the way there went. */
export interface Screen extends Answer {
  url: URL;
  /** Every request of this navigation with its answer's status, in order; the last is this screen. */
  chain: { method: string; url: string; status: number }[];
  page: HTMLElement;
  title: string;
  heading: string;
  /** All words of `<main>`, white space folded. */
  text: string;
  /** `data-step` of `<main>`. */
  step: string | undefined;
  /** The words in `role="alert"`. */
  alert: string | undefined;
  /** The code of that refusal (`data-refusal`), the same in every language. */
  refusal: string | undefined;
}

export interface VisitorOptions {
  language?: string;
  userAgent?: string;
  headers?: OutgoingHttpHeaders;
  /** Cookies taken from somebody else. */
  stolen?: readonly Cookie[];
}

export interface Visitor {
  cookies: CookieJar;
  /** The page in front of the person. */
  readonly screen: Screen;
  /** Types an address. */
  visit(url: string | URL): Promise<Screen>;
  /** Fills in and sends the form of this page; `button` names the one pressed by its text or `name=value`. */
  submit(fields?: Fields, button?: string): Promise<Screen>;
  /** Clicks the link with this text. */
  follow(text: string | RegExp): Promise<Screen>;
  /** Posts anything anywhere from the page in front of the person, as a browser does from that page. */
  post(url: string | URL, fields: Fields, headers?: OutgoingHttpHeaders): Promise<Screen>;
  /** One request with the person's cookies and only the given headers besides; follows nothing, shows nothing. */
  request(url: string | URL, ask?: Ask): Promise<Answer>;
  /** Goes back to a page seen before, as it was (the Back button of a browser that kept it). */
  backTo(screen: Screen): void;
}

const words = (element: HTMLElement | null) =>
  element?.textContent.replaceAll(/\s+/g, ' ').trim() || undefined;

function show(url: URL, answer: Answer, chain: Screen['chain']): Screen {
  const page = parse(answer.body);
  const main = page.querySelector('main');
  return {
    ...answer,
    url,
    chain,
    page,
    title: words(page.querySelector('title')) ?? '',
    heading: words(page.querySelector('h1')) ?? '',
    text: words(main ?? page) ?? '',
    step: main?.getAttribute('data-step'),
    alert: words(page.querySelector('[role=alert]')),
    refusal: page.querySelector('[data-refusal]')?.getAttribute('data-refusal'),
  };
}

type Site = 'none' | 'same-origin' | 'same-site' | 'cross-site';

/** Fetch Metadata §2.3: the farthest of all hops so far; what nobody linked to stays `none`. */
function siteOf(soFar: Site, from: URL | undefined, to: URL): Site {
  if (!from) return 'none';
  if (soFar === 'cross-site' || from.hostname !== to.hostname) return 'cross-site';
  return soFar === 'same-site' || from.origin !== to.origin ? 'same-site' : 'same-origin';
}

interface Navigation {
  url: URL;
  method?: string;
  body?: string;
  /** The page that it starts from; none for a typed address. */
  from?: URL | undefined;
  headers?: OutgoingHttpHeaders;
}

interface Person {
  cookies: CookieJar;
  standing: OutgoingHttpHeaders;
}

async function step(
  person: Person,
  { url, method = 'GET', body = '', from, headers = {} }: Navigation,
  site: Site,
) {
  const cookie = person.cookies.headerFor(url);
  const posted = { 'content-type': 'application/x-www-form-urlencoded', origin: from?.origin ?? 'null' };
  const answer = await exchange(url, {
    method,
    body,
    headers: {
      ...person.standing,
      'sec-fetch-site': site,
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
      'sec-fetch-user': '?1',
      ...(cookie ? { cookie } : {}),
      ...(from ? { referer: `${from.origin}/` } : {}),
      ...(method === 'POST' ? posted : {}),
      ...headers,
    },
  });
  person.cookies.take(url, answer.headers['set-cookie'] ?? []);
  return answer;
}

async function navigate(person: Person, start: Navigation): Promise<Screen> {
  const chain: Screen['chain'] = [];
  let going = start;
  let site: Site = siteOf('same-origin', start.from, start.url);
  for (let hop = 0; hop < 20; hop++) {
    const { url, method = 'GET', ...rest } = going;
    const answer = await step(person, going, site);
    chain.push({ method, url: url.href, status: answer.status });
    const { location } = answer.headers;
    if (!location || answer.status < 300 || answer.status > 399) return show(url, answer, chain);
    const next = new URL(location, url);
    // A fragment stays with the redirect unless the new address brings one (RFC 9110 §10.2.2).
    if (!next.hash) next.hash = url.hash;
    site = start.from ? siteOf(site, url, next) : 'none';
    // 307 and 308 repeat the request as it was; every other one becomes a GET (Fetch, HTTP-redirect fetch).
    going =
      answer.status === 307 || answer.status === 308
        ? { ...rest, method, url: next }
        : { url: next, from: start.from };
  }
  throw new Error(`twenty redirects and no page:\n${chain.map(({ url }) => url).join('\n')}`);
}

const standingHeaders = ({
  language = 'sv',
  userAgent = 'Mozilla/5.0 (X11; Linux x86_64) Rig/1.0',
  headers = {},
}: VisitorOptions) => ({
  'user-agent': userAgent,
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'accept-language': language,
  ...headers,
});

const encode = (fields: Fields) =>
  new URLSearchParams(
    Object.entries(fields).flatMap(([name, value]) =>
      value === null ? [] : [value].flat().map((one) => [name, one]),
    ),
  ).toString();

/** A new person with an empty cookie jar. Speaks Swedish unless told otherwise. */
export function newVisitor(options: VisitorOptions = {}): Visitor {
  const person: Person = { cookies: newCookieJar(options.stolen), standing: standingHeaders(options) };
  let current: Screen | undefined;
  const here = () => {
    if (!current) throw new Error('the person has not opened any page yet');
    return current;
  };
  const go = async (navigation: Navigation) => (current = await navigate(person, navigation));
  return {
    cookies: person.cookies,
    get screen() {
      return here();
    },
    visit: (url) => go({ url: new URL(url) }),
    submit(fields = {}, button) {
      const { action, method, body } = fillIn(here().page, here().url, fields, button);
      if (method === 'POST') return go({ url: action, method, body: body.toString(), from: here().url });
      action.search = body.toString();
      return go({ url: action, from: here().url });
    },
    follow(text) {
      const link = here()
        .page.querySelectorAll('a[href]')
        .find((one) => (typeof text === 'string' ? words(one) === text : text.test(words(one) ?? '')));
      if (!link) throw new Error(`no link says ${String(text)} on ${here().url.href}:\n${here().text}`);
      return go({ url: new URL(link.getAttribute('href') ?? '', here().url), from: here().url });
    },
    post: (url, fields, headers = {}) =>
      go({ url: new URL(url), method: 'POST', body: encode(fields), from: current?.url, headers }),
    async request(url, ask = {}) {
      const target = new URL(url);
      const cookie = person.cookies.headerFor(target);
      const answer = await exchange(target, {
        ...ask,
        headers: { ...(cookie ? { cookie } : {}), ...ask.headers },
      });
      person.cookies.take(target, answer.headers['set-cookie'] ?? []);
      return answer;
    },
    backTo: (screen) => void (current = screen),
  };
}
