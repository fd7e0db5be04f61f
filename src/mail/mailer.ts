import type { Transporter } from 'nodemailer';
import type { Mail } from './outbox.ts';

/** Speaks SMTP. A mail server that hangs is given up after the time-outs below; the outbox tries again. */
export interface Mailer {
  deliver(mail: Mail): Promise<void>;
  close(): void;
}

/** Milliseconds that a silent mail server is waited for; the outbox comes again. */
const patience = 8_000;

interface SmtpFault extends Error {
  response?: string;
  command?: string;
}

/** A server's answer often names whom it did not take. Its numbers say why as well (RFC 5321 §4.2, RFC 3463), and go into the log. */
function nameless(response: string, command = 'a command'): Error {
  const [numbers = 'no number'] = /^\d{3}(?:[ -]\d\.\d{1,3}\.\d{1,3})?/.exec(response) ?? [];
  return new Error(`the mail server answered ${numbers} to ${command}`);
}

/** @param url `smtp://` or `smtps://`, with user and password where the server wants them. */
export function mailerOf(url: string, from: string): Mailer {
  const { protocol, hostname, port, username, password } = new URL(url);
  const secure = protocol === 'smtps:';
  const options = {
    host: hostname,
    port: port ? Number(port) : secure ? 465 : 25,
    secure,
    ...(username ? { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } } : {}),
    connectionTimeout: patience,
    greetingTimeout: patience,
    socketTimeout: patience,
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
      await transport.sendMail({ from, to, subject, text }).catch((fault: SmtpFault) => {
        throw fault.response === undefined ? fault : nameless(fault.response, fault.command);
      });
    },
    close: () => transport?.close(),
  };
}
