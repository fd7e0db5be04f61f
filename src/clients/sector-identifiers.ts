import { z } from 'zod';

/** Whether an application knows people by their account's number, or by one of its sector's own (OpenID Connect Core §8). */
export const subjectTypes = ['public', 'pairwise'] as const;

/** The host that a text names, alone or in an https address; undefined where it names none. */
function parseHost(text: string): string | undefined {
  const address = text.includes('/') ? text : `https://${text}`;
  if (!/^https:\/\/[a-z0-9.-]+(:\d{1,5})?(\/[\x21-\x7e]*)?$/i.test(address) || !URL.canParse(address))
    return undefined;
  return new URL(address).host;
}

/** What groups applications: a host's name, or an address, of which the host alone counts (§8.1). */
export const sectorSchema = z
  .string()
  .trim()
  .max(200, 'too-long')
  .refine((text) => parseHost(text) !== undefined, 'sector-malformed')
  .transform((text) => parseHost(text) ?? text);

interface SectorClient {
  subjectType: (typeof subjectTypes)[number];
  sector?: string | undefined;
  redirectUris: readonly string[];
  deviceFlow: boolean;
}

/** The sector of an application: the one that was chosen, or the one host that people come back to. */
export function getSectorIdentifier({
  sector: chosen,
  redirectUris,
}: Omit<SectorClient, 'subjectType' | 'deviceFlow'>): string | undefined {
  if (chosen !== undefined) return chosen;
  const hosts = new Set(redirectUris.map((uri) => (URL.canParse(uri) ? new URL(uri).host : '')));
  const [host] = hosts;
  return hosts.size === 1 && host ? host : undefined;
}

/** What cannot be honoured is refused: a sector that nobody goes by, and a pairwise number without one. */
export function checkSectorRules(client: SectorClient, refuse: (path: string[], code: string) => void): void {
  if (client.subjectType === 'public') {
    if (client.sector !== undefined) refuse(['sector'], 'sector-not-used');
    return;
  }
  if (getSectorIdentifier(client) === undefined) refuse(['sector'], 'sector-missing');
  // The library lets such an application do so only with keys fetched from an address, which are not taken here.
  if (client.deviceFlow) refuse(['deviceFlow'], 'device-flow-pairwise');
}
