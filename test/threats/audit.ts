/** What the provider recorded about an account, read as an operator reads it: by the command line. */
import type { Hemma } from '../rig/hemma.ts';
import { answered, shellWith } from '../command-line/shell.ts';

export interface AuditLine {
  event: string;
  address: string | null;
  detail: Record<string, unknown>;
}

/** The newest rows first. */
export async function auditOf(hemma: Hemma, email?: string): Promise<AuditLine[]> {
  const whose = email ? ['--account', email] : [];
  const words = ['audit', '--json', '--limit', '1000', ...whose];
  return answered(await shellWith(hemma.env)(words)) as AuditLine[];
}
