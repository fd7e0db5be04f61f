import { boot } from './boot.ts';

/** The provider as a process: starts, and stops when it is asked to, also where that comes while it is starting. */
const starting = boot(process);
let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stopping) return;
    stopping = true;
    starting
      .then((hemma) => hemma?.stop())
      .then(
        () => process.exit(),
        (fault: unknown) => {
          process.stderr.write(`${String(fault)}\n`);
          process.exit(1);
        },
      );
  });
}
