/** Questions and answers between the benchmark and its processes, each of which ends when the benchmark does. */
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { join } from 'node:path';

/** A process of the benchmark. One question at a time. */
export interface BenchProcess<Asked, Told> {
  pid: number;
  ask(question: Asked): Promise<Told>;
  stop(): Promise<void>;
}

type MessageEnvelope = { told: unknown } | { fault: string };

function nextResponse(process: ChildProcess, name: string): Promise<unknown> {
  return new Promise((done, failed) => {
    const ended = (code: number | null) => failed(new Error(`${name} ended with ${code}`));
    process.once('exit', ended);
    process.once('message', (envelope: MessageEnvelope) => {
      process.off('exit', ended);
      if ('fault' in envelope) failed(new Error(`${name}: ${envelope.fault}`));
      else done(envelope.told);
    });
  });
}

/** Starts a program of this folder, and waits until it says that it is up. */
export async function startChildProcess<Asked, Told>(
  program: string,
  env: Record<string, string> = {},
  flags: readonly string[] = [],
): Promise<BenchProcess<Asked, Told>> {
  const { PATH = '', TMPDIR = '/tmp', NODE_OPTIONS = '' } = process.env;
  const child = fork(join(import.meta.dirname, `${program}.js`), {
    env: { PATH, TMPDIR, NODE_OPTIONS, NODE_ENV: 'production', ...env },
    execArgv: [...flags],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = new Promise<void>((done) => child.once('exit', () => done()));
  await nextResponse(child, program);
  return {
    pid: child.pid ?? 0,
    async ask(message) {
      const answer = nextResponse(child, program);
      child.send(message as object);
      return (await answer) as Told;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      if (child.connected) child.disconnect();
      const killTimer = setTimeout(() => child.kill('SIGKILL'), 15_000);
      await exited;
      clearTimeout(killTimer);
    },
  };
}

/**
 * What such a program does with questions. It says that it is up, and ends with the benchmark; a terminal's Ctrl-C reaches
 * all of them at once, and is the benchmark's to answer.
 */
export function serveRequests(
  handle: (question: never) => unknown,
  end: () => Promise<void> = () => Promise.resolve(),
): void {
  const log = (envelope: MessageEnvelope) => void (process.connected && process.send?.(envelope));
  process.on('message', (question) => {
    Promise.resolve(question as never)
      .then(handle)
      .then(
        (result) => log({ told: result }),
        (fault: unknown) => log({ fault: (fault as Error).stack ?? String(fault) }),
      );
  });
  process.on('SIGINT', () => undefined);
  process.once('disconnect', () => {
    void end().finally(() => process.exit());
  });
  log({ told: 'up' });
}
