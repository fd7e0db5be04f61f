import { createTransport } from 'nodemailer';
import type { Mail } from './outbox.ts';

/** Speaks SMTP. A mail server that hangs is given up after the time-outs below; the outbox tries again. */
export interface Mailer {
  deliver(mail: Mail): Promise<void>;
  close(): void;
}

/** @param url `smtp://` or `smtps://`, with user and password where the server wants them. */
export function mailerOf(url: string, from: string): Mailer {
  const transport = createTransport(url, {
    from,
    // The recipient is one address of one account: nothing in it may become a second one.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async deliver({ recipient, subject, text }) {
      await transport.sendMail({ to: { name: '', address: recipient }, subject, text });
    },
    close: () => transport.close(),
  };
}
