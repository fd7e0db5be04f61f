import type { Middleware } from 'koa';
import { findPendingMails } from '../../src/mail/outbox.ts';
import { createFrame } from './frame.ts';
import type { AppContext } from '../../src/context.ts';
import { renderPage } from './layout.tsx';
import { formatDateTime } from '../../src/i18n/phrases.ts';
import { Layout } from './layout.tsx';
import type { Frame } from './layout.tsx';

type DevMail = { id: string; at: Date; to: string; subject: string; text: string };

type DevMailPageProps = { frame: Frame; mails: readonly DevMail[] };

/** The mails of a machine that sends none. Development only. */
export function DevMailPage({ frame, mails }: DevMailPageProps) {
  const t = frame.t.devMail;
  return (
    <Layout frame={frame} title={t.title} step="dev-mail" kind="room">
      <h1>{t.title}</h1>
      <p class="lead">{mails.length > 0 ? t.help : t.none}</p>
      {mails.map((mail) => (
        <article key={mail.id} data-mail={mail.id}>
          <h2>{mail.subject}</h2>
          <dl>
            <dt>{t.to}</dt>
            <dd>{mail.to}</dd>
            <dt>{t.time}</dt>
            <dd>
              <time dateTime={mail.at.toISOString()}>{formatDateTime(frame.locale, mail.at)}</time>
            </dd>
          </dl>
          <pre>{mail.text}</pre>
        </article>
      ))}
    </Layout>
  );
}

/** Shows the mails that nobody sends: mounted only where the issuer is http://localhost and no mail server is set. */
export function createDevMailPage(context: AppContext): Middleware {
  return async (ctx, next) => {
    if (ctx.path !== '/dev/mail' || ctx.method !== 'GET') return next();
    const mails = await findPendingMails(context.db, context.vault, 50);
    const shown = mails.map(({ id, createdAt, recipient, subject, text }) => ({
      id,
      at: createdAt,
      to: recipient,
      subject,
      text,
    }));
    const frame = createFrame(context, ctx);
    ctx.set('Cache-Control', 'no-store');
    ctx.type = 'html';
    ctx.body = renderPage(frame, <DevMailPage frame={frame} mails={shown} />);
    return undefined;
  };
}
