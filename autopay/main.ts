import process from 'node:process';

import { startAutopay } from './app.ts';
import { loadAutopaySettings, type AutopaySettings } from './settings.ts';

/** What a person reads when the program cannot start; never a stack. */
function describeStartFailure(error: unknown, settings: AutopaySettings): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const place = `${settings.host}:${settings.port}`;
  if (code === 'EADDRINUSE')
    return `Cannot listen on ${place}: another program already uses it. Stop it, or set AUTOPAY_ORIGIN.`;
  if (code === 'EACCES')
    return `Cannot listen on ${place}: not allowed. Choose a port above 1023 with AUTOPAY_PORT.`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `Cannot listen on ${place}: not an address of this machine.`;
  return `Cannot start: ${error instanceof Error ? error.message : String(error)}`;
}

async function startFromEnvironment(): Promise<void> {
  const result = loadAutopaySettings(process.env);
  if (!result.ok) {
    process.stderr.write(`Autopay cannot start:\n${result.faults.map((fault) => `- ${fault}\n`).join('')}`);
    process.exitCode = 1;
    return;
  }
  const { settings } = result;
  try {
    const running = await startAutopay(settings, (line) => process.stderr.write(`${line}\n`));
    process.stdout.write(`${settings.app} is at ${running.origin}, signing in with ${settings.issuer}\n`);
    const stop = () => void running.stop();
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
  } catch (error) {
    process.stderr.write(`${describeStartFailure(error, settings)}\n`);
    process.exitCode = 1;
  }
}

await startFromEnvironment();
