import { createLog } from '../telemetry/log.ts';

/** Seconds that requests under way have to end; whatever hangs by then is left. */
const shutdownTimeoutSeconds = 5;

/** The kind of a fault and where it came from; its words stay out, since they may hold what somebody typed. */
function describeFault(fault: unknown): object {
  if (!(fault instanceof Error)) return { fault: typeof fault };
  const { name, code, stack = '' } = fault as NodeJS.ErrnoException;
  const stackLines = stack.replace(fault.message, '').match(/^ {4}at .*$/gm) ?? [];
  return {
    fault: name,
    ...(code === undefined ? {} : { code }),
    at: stackLines.map((place) => place.trim()),
  };
}

/**
 * Loses no fault that nothing caught, whatever the log's level (ASVS 16.5.4). A rejection that nobody heard left nothing
 * half done but its own work: it is told, and the process goes on, so that whoever finds a way to cause one takes nothing
 * down. After anything that was thrown it is not known what state the process is in: it ends with 1 once `stop` has, or
 * five seconds later, and what looks after it starts another.
 */
export function installCrashHandler(stop: () => Promise<unknown>): void {
  const log = createLog('error');
  let ending = false;
  process.on('unhandledRejection', (fault) =>
    log.error(describeFault(fault), 'a rejection that nobody heard'),
  );
  process.on('uncaughtException', (fault) => {
    log.fatal(describeFault(fault), 'a fault that nothing caught: this process ends');
    if (ending) return;
    ending = true;
    // Also where it is stopping already, and ends by itself.
    process.exitCode = 1;
    const exit = () => process.exit(1);
    setTimeout(exit, shutdownTimeoutSeconds * 1000);
    stop().then(exit, exit);
  });
}
