import type { Transporter } from 'nodemailer';
import type { OutboxMail, MailRejection } from './outbox.ts';

/** Speaks SMTP. A mail server that hangs is given up after the time-outs below; the outbox tries again. */
export interface Mailer {
  /** Answers with the refusal where the server takes nothing for this address, today or ever. */
  deliver(mail: OutboxMail): Promise<MailRejection | undefined>;
  close(): void;
}

/** Milliseconds that a silent mail server is waited for; the outbox comes again. */
const smtpTimeoutMs = 8_000;

interface SmtpFault extends Error {
  response?: string;
  command?: string;
}

/**
 * Why an address gets no mail, ever: there is no such mailbox (5.1.1), host (5.1.2) or address (5.1.3), it means nobody
 * in particular (5.1.4), has moved (5.1.6), its domain takes no mail (5.1.10) or the mailbox is closed (5.2.1).
 */
const permanentAddressCodes = new Set(['5.1.1', '5.1.2', '5.1.3', '5.1.4', '5.1.6', '5.1.10', '5.2.1']);

/**
 * What a try that failed means. A number from 500 on is final for the command that it answers (RFC 5321 §4.2.1), but only
 * to RCPT TO can it be about the address; and even there 550 may also say that the server does not relay for us, or that
 * a policy forbids it (§3.6.2, §4.2.3), 552 that a mailbox is full today, 553 and 554 that we were not let in. So the code
 * behind the number decides (RFC 3463), and where there is none only 556, a domain that takes no mail (RFC 7504). All
 * else somebody can repair: it is thrown, and the mail waits. An answer often names whom it is about; its numbers alone
 * leave this function.
 */
function toRejection(fault: SmtpFault): MailRejection {
  const { response, command = 'a command' } = fault;
  if (response === undefined) throw fault;
  const [, statusCode = 'no number', enhancedCode] =
    /^(\d{3})(?:[ -](\d\.\d{1,3}\.\d{1,3}))?/.exec(response) ?? [];
  const replyCode = enhancedCode ? `${statusCode} ${enhancedCode}` : statusCode;
  const isPermanent = enhancedCode
    ? statusCode.startsWith('5') && permanentAddressCodes.has(enhancedCode)
    : statusCode === '556';
  if (command === 'RCPT TO' && isPermanent) return { answer: replyCode };
  throw new Error(`the mail server answered ${replyCode} to ${command}`);
}

/** @param url `smtp://` or `smtps://`, with user and password where the server wants them. */
export function createMailer(url: string, from: string): Mailer {
  const { protocol, hostname, port, username, password } = new URL(url);
  const secure = protocol === 'smtps:';
  const options = {
    host: hostname,
    port: port ? Number(port) : secure ? 465 : 25,
    secure,
    ...(username ? { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } } : {}),
    connectionTimeout: smtpTimeoutMs,
    greetingTimeout: smtpTimeoutMs,
    socketTimeout: smtpTimeoutMs,
    // A mail is text that we wrote: nothing in it is ever fetched or read from a disk.
    disableFileAccess: true,
    disableUrlAccess: true,
  };
  let transport: Transporter | undefined;
  return {
    async deliver({ recipient, subject, text }) {
      // Loaded with the first mail: its package takes some megabytes.
      const { createTransport } = await import('nodemailer');
      transport ??= createTransport(options);
      const to = { name: '', address: recipient };
      return transport.sendMail({ from, to, subject, text }).then(() => undefined, toRejection);
    },
    close: () => transport?.close(),
  };
}
