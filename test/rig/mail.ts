/** A real SMTP server on loopback: what the provider sends is received, parsed and kept here. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { simpleParser } from 'mailparser';
import { SMTPServer, type SMTPServerDataStream } from 'smtp-server';

export interface Mail {
  from: string;
  to: string;
  subject: string;
  text: string;
  html: string;
  headers: ReadonlyMap<string, unknown>;
}

type Manner = 'accept' | 'refuse' | 'hang' | 'know nobody' | 'relay nowhere';

export interface MailServer {
  /** For HEMMA_SMTP_URL. */
  url: string;
  /** Everything received so far, oldest first. */
  mails: Mail[];
  /** The first mail to an address that has not been read yet and matches; waits up to 10 seconds for it. */
  mailTo(address: string, matching?: RegExp): Promise<Mail>;
  /**
   * How the server behaves from now on: `refuse` answers 451 (try later), `hang` answers nothing, `know nobody` answers 550
   * and names whom it does not know, as servers do, `relay nowhere` 554, as they do to one that has not signed in.
   */
  behave(how: Manner): void;
  stop(): Promise<void>;
}

async function parse(stream: SMTPServerDataStream): Promise<Mail> {
  const parsed = await simpleParser(stream);
  const to = Array.isArray(parsed.to) ? parsed.to : parsed.to ? [parsed.to] : [];
  return {
    from: parsed.from?.text ?? '',
    to: to.flatMap((list) => list.value.map((one) => one.address ?? '')).join(', '),
    subject: parsed.subject ?? '',
    text: parsed.text ?? '',
    html: parsed.html || '',
    headers: parsed.headers,
  };
}

export async function startMailServer(): Promise<MailServer> {
  const mails: Mail[] = [];
  const read = new Set<Mail>();
  let manner: Manner = 'accept';
  const receive = async (stream: SMTPServerDataStream, callback: (fault?: Error | null) => void) => {
    try {
      mails.push(await parse(stream));
      callback(null);
    } catch (fault) {
      callback(fault instanceof Error ? fault : new Error(String(fault)));
    }
  };
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    logger: false,
    // A server that is told to stop does not wait for a client that never says QUIT.
    closeTimeout: 200,
    onMailFrom(_address, _session, callback) {
      if (manner === 'hang') return;
      callback(manner === 'refuse' ? Object.assign(new Error('try later'), { responseCode: 451 }) : null);
    },
    onRcptTo({ address }, _session, callback) {
      const fault = (responseCode: number, words: string) =>
        Object.assign(new Error(words), { responseCode });
      if (manner === 'know nobody') callback(fault(550, `5.1.1 <${address}>: no such person`));
      else if (manner === 'relay nowhere') callback(fault(554, `5.7.1 <${address}>: relay access denied`));
      else callback(null);
    },
    onData(stream, _session, callback) {
      void receive(stream, callback);
    },
  });
  // A client that goes away in the middle is what some tests are about, not a fault of the server.
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    behave: (how) => void (manner = how),
    async mailTo(address, matching = /(?:)/) {
      for (let wait = 0; wait < 200; wait++) {
        const found = mails.find(
          (mail) => !read.has(mail) && mail.to === address && matching.test(`${mail.subject}\n${mail.text}`),
        );
        if (found) {
          read.add(found);
          return found;
        }
        await new Promise((done) => setTimeout(done, 50));
      }
      const seen = mails.map((mail) => `${mail.to}: ${mail.subject}`).join('\n') || 'none';
      throw new Error(`no mail to ${address} matching ${matching} in 10 seconds; received:\n${seen}`);
    },
    stop: () => new Promise((done) => server.close(() => done())),
  };
}
