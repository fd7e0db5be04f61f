/** Which answers of a mail server are about the address, for good; all the others lose no mail (RFC 5321 §4.2.1, RFC 3463). */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Mailer, createMailer } from '../../src/mail/mailer.ts';

/** What the server answers to each command; all that is not here is well. */
let answers: Record<string, string> = {};
const well: Record<string, string> = {
  EHLO: '250-mail.example.com\r\n250 AUTH PLAIN',
  AUTH: '235 2.7.0 come in',
  DATA: '354 go on',
  QUIT: '221 bye',
};
let server: Server;
let mailer: Mailer;

function talk(socket: Socket): void {
  let inMail = false;
  let rest = '';
  const say = (words: string) => socket.write(`${words}\r\n`);
  say(answers['CONNECT'] ?? '220 mail.example.com');
  socket.on('error', () => undefined);
  socket.setEncoding('utf8').on('data', (text: string) => {
    const lines = `${rest}${text}`.split('\r\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const command = inMail ? (line === '.' ? 'MAIL ITSELF' : undefined) : /^[A-Z]+/.exec(line)?.[0];
      if (command === undefined) continue;
      const answer = answers[command] ?? well[command] ?? '250 2.0.0 well';
      inMail = answer.startsWith('354');
      say(answer);
    }
  });
}

beforeAll(async () => {
  server = createServer(talk).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  mailer = createMailer(`smtp://hemma:secret@127.0.0.1:${port}`, 'Hemma <no-reply@example.com>');
});
afterAll(async () => {
  mailer.close();
  server.close();
  await once(server, 'close');
});

const send = (answered: Record<string, string>) => {
  answers = answered;
  return mailer.deliver({
    id: '1',
    kind: 'new-device',
    recipient: 'astrid@example.com',
    createdAt: new Date(),
    subject: 'Hej',
    text: 'Hej',
  });
};

test('a mail that is taken has no refusal', async () => {
  await expect(send({})).resolves.toBeUndefined();
});

describe('is about the address, for good', () => {
  test.each([
    ['no such mailbox', '550 5.1.1 <astrid@example.com>: no such person', '550 5.1.1'],
    ['on several lines', '550-5.1.1 no such person:\r\n550 5.1.1 astrid@example.com', '550 5.1.1'],
    ['no such domain', '550 5.1.2 astrid@example.com: domain not found', '550 5.1.2'],
    ['no such form of address', '501 5.1.3 bad address astrid@example.com', '501 5.1.3'],
    ['moved', '551 5.1.6 try astrid@example.org', '551 5.1.6'],
    ['a domain that takes no mail', '556 5.1.10 example.com takes none', '556 5.1.10'],
    ['the same, of a server without codes', '556 no mail for example.com', '556'],
    ['a mailbox that is closed', '550 5.2.1 astrid@example.com is closed', '550 5.2.1'],
  ])('%s', async (_why, said, answer) => {
    await expect(send({ RCPT: said })).resolves.toEqual({ answer });
  });
});

describe('loses no mail', () => {
  test.each([
    ['a wrong password', 'AUTH', '535 5.7.8 wrong password', '535 5.7.8 to AUTH PLAIN'],
    ['a server that takes nothing', 'CONNECT', '521 5.1.1 no mail here', '521 5.1.1 to CONN'],
    ['a sender that it does not know', 'MAIL', '550 5.1.1 who?', '550 5.1.1 to MAIL FROM'],
    ['the sender, said at the recipient', 'RCPT', '550 5.1.8 unknown sender', '550 5.1.8 to RCPT TO'],
    ['the sender, said with no detail', 'RCPT', '550 5.1.0 unknown', '550 5.1.0 to RCPT TO'],
    ['no password where one is needed', 'RCPT', '530 5.7.0 sign in', '530 5.7.0 to RCPT TO'],
    ['relaying that is denied', 'RCPT', '554 5.7.1 relay access denied', '554 5.7.1 to RCPT TO'],
    ['an answer that may mean either', 'RCPT', '550 not here', '550 to RCPT TO'],
    ['the same of another number', 'RCPT', '553 not in my list', '553 to RCPT TO'],
    ['a mailbox that is full', 'RCPT', '552 5.2.2 astrid@example.com is full', '552 5.2.2 to RCPT TO'],
    ['an address that is unknown for now', 'RCPT', '450 5.1.1 come again', '450 5.1.1 to RCPT TO'],
    ['an unknown address, of the moment', 'RCPT', '450 4.1.1 come again', '450 4.1.1 to RCPT TO'],
    ['a disk that is full', 'MAIL ITSELF', '552 5.3.1 disk full', '552 5.3.1 to DATA'],
    ['a mail that it does not like', 'DATA', '554 5.1.1 no', '554 5.1.1 to DATA'],
  ])('%s', async (_why, command, said, numbers) => {
    await expect(send({ [command]: said })).rejects.toThrow(new Error(`the mail server answered ${numbers}`));
  });
});
