/** The provider as it is, in a process that also tells what it asked of its database. */
import { registerHooks } from 'node:module';
import { serveRequests } from './messages.ts';

const stubUrl = new URL('./free-hash.js', import.meta.url).href;
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === '@node-rs/argon2' && context.parentURL !== stubUrl
      ? { url: stubUrl, shortCircuit: true }
      : next(specifier, context),
});

// Loaded now and not before: whatever is imported above is there before the hook is.
const { boot } = await import('../src/app/boot.ts');
const hemma = await boot(process);
if (!hemma) throw new Error('Hemma did not start');

serveRequests(
  () => ({ ...hemma.db.tally }),
  () => hemma.stop(),
);
