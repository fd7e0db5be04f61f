/** TLS in front of a provider, as a proxy brings it, with a certificate that this process trusts. */
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { createServer } from 'node:https';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';

/** One value of ASN.1 in DER: tag, length, content (X.690 §8.1). */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const long = Buffer.from(length.toString(16).padStart(length > 0xff ? 4 : 2, '0'), 'hex');
  return Buffer.concat([
    Buffer.from([tag]),
    length < 128 ? long : Buffer.concat([Buffer.from([0x80 | long.length]), long]),
    content,
  ]);
}

const sequence = (...parts: Buffer[]) => der(0x30, ...parts);
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
const time = (at: Date) =>
  der(0x18, Buffer.from(`${at.toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`, 'latin1'));
const extension = (id: string, critical: boolean, value: Buffer) =>
  sequence(oid(id), ...(critical ? [der(0x01, Buffer.from([0xff]))] : []), der(0x04, value));

export interface Certificate {
  key: string;
  cert: string;
}

/** A certificate of these hosts, signed by itself, for a day (RFC 5280 §4.1); ECDSA with SHA-256 on P-256. */
export function newCertificate(hosts: readonly string[] = ['localhost']): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));
  const name = sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(hosts[0] ?? '')))));
  const day = 86_400_000;
  const validity = sequence(time(new Date(Date.now() - day)), time(new Date(Date.now() + day)));
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const keyId = createHash('sha1').update(spki).digest();
  const extensions = sequence(
    extension('551d0e', false, der(0x04, keyId)),
    extension('551d13', true, sequence(der(0x01, Buffer.from([0xff])))),
    extension('551d11', false, sequence(...hosts.map((host) => der(0x82, Buffer.from(host))))),
  );
  const serial = der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)]));
  const version = der(0xa0, der(0x02, Buffer.from([2])));
  const body = sequence(version, serial, ecdsaWithSha256, name, validity, name, spki, der(0xa3, extensions));
  const signature = der(0x03, Buffer.from([0]), sign('sha256', body, privateKey));
  const lines =
    sequence(body, ecdsaWithSha256, signature)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n'),
  };
}

export interface TlsFront {
  /** Takes the trust in the certificate back, too. */
  stop(): Promise<void>;
}

/**
 * Answers `https://localhost:<port>` by what listens on `inner` in plain HTTP, and says so in X-Forwarded headers. With a
 * certificate of other hosts it answers those.
 */
export async function startTls(
  port: number,
  inner: number,
  certificate: Certificate = newCertificate(),
): Promise<TlsFront> {
  const trusted = getCACertificates('default');
  setDefaultCACertificates([...trusted, certificate.cert]);
  const server = createServer({ ...certificate, minVersion: 'TLSv1.2' }, (incoming, outgoing) => {
    const forwarded = {
      'x-forwarded-proto': 'https',
      'x-forwarded-host': incoming.headers.host ?? '',
      'x-forwarded-for': incoming.socket.remoteAddress ?? '',
    };
    const headers = { ...incoming.headers, ...forwarded };
    const onwards = request(
      { host: '127.0.0.1', port: inner, method: incoming.method, path: incoming.url, headers, agent: false },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(outgoing);
      },
    );
    onwards.on('error', () => outgoing.destroy());
    incoming.pipe(onwards);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    async stop() {
      setDefaultCACertificates(trusted);
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
