import { runCommand } from './command-line.ts';

/** The command line: `npm run hemma -- …`. */
await runCommand(process.argv.slice(2), process);
