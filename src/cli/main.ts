import { runCommand } from './cli.ts';

/** The command line: `npm run hemma -- …`. */
await runCommand(process.argv.slice(2), process);
