import { exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';
import { audit } from '../platform/audit.ts';
import type { Db } from '../platform/database.ts';
import type { Vault } from '../platform/secrets.ts';
import { randomToken } from '../platform/secrets.ts';

/** What the provider signs with: tokens (the first key of an algorithm is the one in use) and cookies. */
export interface Keys {
  signing: JWK[];
  cookies: string[];
}

const about = (id: string) => `key:${id}`;

interface Row {
  id: string;
  kind: 'signing' | 'cookie';
  sealed: Buffer;
}

async function newSigningKey(alg: 'RS256' | 'ES256'): Promise<JWK & { kid: string }> {
  // RSA of 3072 bits: 128 bits of strength, like P-256 (ASVS 11.2.3).
  const { privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength: 3072 });
  return { ...(await exportJWK(privateKey)), kid: randomToken().slice(0, 16), use: 'sig', alg };
}

const rowsOf = async (db: Db) =>
  (await db.query<Row>('SELECT id, kind, sealed FROM keys ORDER BY created_at DESC, id')).rows;

/** Makes the first keys, once: of two processes that start together one makes them and the other finds them. */
async function makeKeys(db: Db, vault: Vault): Promise<void> {
  const fresh = [await newSigningKey('RS256'), await newSigningKey('ES256')];
  await db.transaction(async (open) => {
    await open.query("SELECT pg_advisory_xact_lock(hashtext('hemma keys'))");
    if ((await rowsOf(open)).length > 0) return;
    const add = (id: string, kind: Row['kind'], text: string) =>
      open.query('INSERT INTO keys (id, kind, sealed, created_at) VALUES ($1, $2, $3, $4)', [
        id,
        kind,
        vault.seal(text, about(id)),
        new Date(),
      ]);
    for (const key of fresh) await add(key.kid, 'signing', JSON.stringify(key));
    await add(`cookie-${randomToken().slice(0, 16)}`, 'cookie', randomToken());
    await audit(open, { event: 'keys.made', detail: { signing: fresh.map(({ kid }) => kid).join(' ') } });
  });
}

/**
 * The provider's keys, made on first start and kept encrypted (HEMMA_SECRET_KEYS). One that an older secret key
 * closed is closed anew with the newest.
 */
export async function loadKeys(db: Db, vault: Vault): Promise<Keys> {
  if ((await rowsOf(db)).length === 0) await makeKeys(db, vault);
  const keys: Keys = { signing: [], cookies: [] };
  for (const { id, kind, sealed } of await rowsOf(db)) {
    const { plain, stale } = vault.open(sealed, about(id));
    if (stale) {
      const anew = vault.seal(plain, about(id));
      await db.query('UPDATE keys SET sealed = $2 WHERE id = $1 AND sealed = $3', [id, anew, sealed]);
    }
    if (kind === 'signing') keys.signing.push(JSON.parse(plain.toString()) as JWK);
    else keys.cookies.push(plain.toString());
  }
  return keys;
}
