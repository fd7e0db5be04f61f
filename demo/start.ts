import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

/**
 * `npm start`: the provider, Autopay and Lön on this machine, as three programs that know each other by their
 * settings alone. Ending this one ends all three.
 */
const writeLine = (text: string) => process.stdout.write(`${text}\n`);

const exitWithError = (sentence: string): never => {
  process.stderr.write(`${sentence}\n`);
  return process.exit(1);
};

const ports = { Hemma: 3000, Autopay: 3001, Lön: 3002 };

function portIsFree(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const probe = createServer();
    probe.once('error', () => answer(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => answer(true)));
  });
}

/** The secret that the demo applications present, made once and kept beside the data. */
function loadClientSecret(dataFolder: string): string {
  const file = join(dataFolder, 'demo-client-secret');
  try {
    mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
    writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600, flag: 'wx' });
  } catch (fault) {
    const { code, message } = fault as NodeJS.ErrnoException;
    if (code !== 'EEXIST') exitWithError(`The data folder cannot be used: ${message}.`);
  }
  return readFileSync(file, 'utf8').trim();
}

const children: ChildProcess[] = [];
let isStopping = false;

function stopAll(code: number): void {
  if (isStopping) return;
  isStopping = true;
  process.exitCode = code;
  for (const child of children) child.kill('SIGTERM');
}

/** Starts one of the programs; if it ends by itself, everything ends with it and its reason stands above. */
function startProcess(file: string, env: Record<string, string>): void {
  const path = join(import.meta.dirname, '..', file);
  const child = spawn(process.execPath, ['--enable-source-maps', path], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  child.once('exit', (code) => stopAll(code ?? 1));
  children.push(child);
}

async function waitUntilReady(url: string): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (isStopping) return;
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((retry) => setTimeout(retry, 100));
  }
  exitWithError(`${url} did not answer within a minute.`);
}

const provider = `http://localhost:${ports.Hemma}`;
const localOrigin = (port: number) => `http://localhost:${port}`;

async function startDemo(): Promise<void> {
  for (const [name, port] of Object.entries(ports)) {
    if (!(await portIsFree(port)))
      exitWithError(`Port ${port} is taken by another program; ${name} needs it.`);
  }
  const secret = loadClientSecret(process.env.HEMMA_DATA ?? './data');
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopAll(0));
  startProcess('src/main.js', {
    HEMMA_DEMO: 'yes',
    HEMMA_DEMO_CLIENT_SECRET: secret,
    HEMMA_ALLOW_LOOPBACK_CLIENTS: 'yes',
    HEMMA_LOG_LEVEL: process.env.HEMMA_LOG_LEVEL ?? 'warn',
  });
  await waitUntilReady(`${provider}/health/ready`);
  if (isStopping) return;
  for (const app of ['autopay', 'lon'] as const) {
    startProcess('autopay/main.js', {
      AUTOPAY_APP: app,
      AUTOPAY_ORIGIN: localOrigin(app === 'autopay' ? ports.Autopay : ports.Lön),
      AUTOPAY_ISSUER: provider,
      AUTOPAY_CLIENT_ID: app,
      AUTOPAY_CLIENT_SECRET: secret,
      AUTOPAY_COOKIE_SECRET: randomBytes(32).toString('base64url'),
    });
  }
  await waitUntilReady(`${localOrigin(ports.Autopay)}/health`);
  await waitUntilReady(`${localOrigin(ports.Lön)}/health`);
  if (isStopping) return;
  writeLine(`\nHemma    ${provider}        (mails: ${provider}/dev/mail)`);
  writeLine(`Autopay  ${localOrigin(ports.Autopay)}        begin here`);
  writeLine(`Lön      ${localOrigin(ports.Lön)}\n\nCtrl-C ends all three; nothing is lost.`);
}

await startDemo();
