import type Koa from 'koa';
import type { VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';

import { resolveLanguage, type Language } from './language.ts';
import { PHRASES, type Phrases } from './phrases.ts';
import type { FindProvider } from './provider.ts';
import { findSession, type Session, type SessionStore } from './sessions.ts';
import type { AppName, AutopaySettings } from './settings.ts';

/** What the program holds while it runs; made once, in `app.ts`, and handed to every router. */
export interface AutopayContext {
  settings: AutopaySettings;
  sessions: SessionStore;
  findProvider: FindProvider;
  styleVersion: string;
  /** One line for the operator: no secrets, no tokens. */
  log: (line: string) => void;
}

/** Who is here, in which language, in which application: all that a page needs beside its own contents. */
export interface PageContext {
  app: AppName;
  issuer: string;
  language: Language;
  phrases: Phrases;
  session: Session | undefined;
  /** This page in the other language, or the start page where this one cannot be asked for again. */
  otherLanguageHref: string;
  styleHref: string;
}

export interface PageState {
  visit: PageContext;
}

export type PageKoaContext = Koa.ParameterizedContext<PageState>;

const RETURN_PATHS = new Set(['/', '/signed-out']);

/** Learns who is here before any page is chosen. */
export function createPageContext(site: AutopayContext): Koa.Middleware<PageState> {
  const { settings } = site;
  return (ctx, next) => {
    const language = resolveLanguage(settings, ctx);
    const phrases = PHRASES[language];
    const path = RETURN_PATHS.has(ctx.path) ? ctx.path : '/';
    ctx.state.visit = {
      app: settings.app,
      issuer: settings.issuer,
      language,
      phrases,
      session: findSession(site.sessions, settings, ctx),
      otherLanguageHref: `${path}?ui_locales=${phrases.otherLanguage.tag}`,
      styleHref: `/style.css?v=${site.styleVersion}`,
    };
    return next();
  };
}

/** Answers with a page. */
export function renderAutopayPage(ctx: PageKoaContext, status: number, page: VNode): void {
  ctx.status = status;
  ctx.type = 'text/html; charset=utf-8';
  ctx.set('Content-Language', ctx.state.visit.language);
  ctx.body = `<!doctype html>${renderToString(page)}`;
}

/** After a POST: the browser asks for the next page anew (RFC 9110 §15.4.4). */
export function redirectSeeOther(ctx: PageKoaContext, target: string): void {
  ctx.status = 303;
  ctx.redirect(target);
}
