/** What the provider recorded about an account, read as an operator reads it: by the command line. */
import type { Hemma } from '../rig/hemma.ts';
import { runToEnd } from '../rig/process.ts';

export interface AuditLine {
  event: string;
  address: string | null;
  detail: Record<string, unknown>;
}

/** The newest rows first. */
export async function auditOf(hemma: Hemma, email?: string): Promise<AuditLine[]> {
  const whose = email ? ['--account', email] : [];
  const { code, stdout, stderr } = await runToEnd('src/cli.js', hemma.env, [
    'audit',
    '--json',
    '--limit',
    '1000',
    ...whose,
  ]);
  if (code !== 0) throw new Error(`the command line refused to show the audit:\n${stderr}`);
  return JSON.parse(stdout) as AuditLine[];
}
