import { boot } from './boot.ts';

/** The provider as a process: starts, and stops when it is asked to. */
const hemma = await boot(process);
let stopping = false;
for (const signal of hemma ? (['SIGINT', 'SIGTERM'] as const) : []) {
  process.on(signal, () => {
    if (stopping) return;
    stopping = true;
    hemma?.stop().then(
      () => process.exit(0),
      (fault: unknown) => {
        process.stderr.write(`${String(fault)}\n`);
        process.exit(1);
      },
    );
  });
}
