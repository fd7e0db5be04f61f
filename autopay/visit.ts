import type Koa from 'koa';
import type { VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';

import { languageOf, type Language } from './language.ts';
import { PHRASES, type Phrases } from './phrases.ts';
import type { FindProvider } from './provider.ts';
import { sessionOf, type Session, type Sessions } from './sessions.ts';
import type { AppName, Settings } from './settings.ts';

/** What the program holds while it runs; made once, in `app.ts`, and handed to every router. */
export interface Site {
  settings: Settings;
  sessions: Sessions;
  findProvider: FindProvider;
  styleVersion: string;
  /** One line for the operator: no secrets, no tokens. */
  log: (line: string) => void;
}

/** Who is here, in which language, in which application: all that a page needs beside its own contents. */
export interface Visit {
  app: AppName;
  issuer: string;
  language: Language;
  phrases: Phrases;
  session: Session | undefined;
  /** This page in the other language, or the start page where this one cannot be asked for again. */
  otherLanguageHref: string;
  styleHref: string;
}

export interface VisitState {
  visit: Visit;
}

export type VisitContext = Koa.ParameterizedContext<VisitState>;

const PAGES_TO_RETURN_TO = new Set(['/', '/signed-out']);

/** Learns who is here before any page is chosen. */
export function visits(site: Site): Koa.Middleware<VisitState> {
  const { settings } = site;
  return (ctx, next) => {
    const language = languageOf(settings, ctx);
    const phrases = PHRASES[language];
    const path = PAGES_TO_RETURN_TO.has(ctx.path) ? ctx.path : '/';
    ctx.state.visit = {
      app: settings.app,
      issuer: settings.issuer,
      language,
      phrases,
      session: sessionOf(site.sessions, settings, ctx),
      otherLanguageHref: `${path}?ui_locales=${phrases.otherLanguage.tag}`,
      styleHref: `/style.css?v=${site.styleVersion}`,
    };
    return next();
  };
}

/** Answers with a page. */
export function show(ctx: VisitContext, status: number, page: VNode): void {
  ctx.status = status;
  ctx.type = 'text/html; charset=utf-8';
  ctx.set('Content-Language', ctx.state.visit.language);
  ctx.body = `<!doctype html>${renderToString(page)}`;
}

/** After a POST: the browser asks for the next page anew (RFC 9110 §15.4.4). */
export function seeOther(ctx: VisitContext, target: string): void {
  ctx.status = 303;
  ctx.redirect(target);
}
