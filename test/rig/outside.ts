/**
 * Loads what is not a test once per worker instead of once per test file: jest gives every file a world of its own
 * and fills it anew, which for this house means reading, compiling and warming up a thousand modules each time.
 * As a jest transformer this turns a module of the product, or of a package, into one that hands out what Node
 * loaded outside. The house keeps no state in its modules, so nothing passes from one file to another that way.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Options, transformSync } from '@swc/core';
import { createTransformer as createSwc } from '@swc/jest';
import { type Outside, OUTSIDE, travellingDate } from './worlds.ts';

/** What jest asks of a transformer, as far as it is asked here. */
interface Asked {
  supportsDynamicImport: boolean;
  supportsStaticESM: boolean;
}

interface Transformer {
  process(source: string, path: string, asked: Asked): { code: string };
  getCacheKey(source: string, path: string, asked: Asked): string;
}

/** Node takes the types out of .ts by itself; pages, with their elements, need more. */
function readPages(swc: Options): void {
  registerHooks({
    load(url, context, next) {
      if (!url.endsWith('.tsx')) return next(url, context);
      const filename = fileURLToPath(url);
      const { code } = transformSync(readFileSync(filename, 'utf8'), { ...swc, filename, swcrc: false });
      return { format: 'module', source: code, shortCircuit: true };
    },
  });
}

const hashes = pathToFileURL(resolve(import.meta.dirname, 'remembered-hashes.ts')).href;

/** The house's slow hashes come from a module of the rig that remembers who was right. */
function rememberHashes(): void {
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === '@node-rs/argon2' && context.parentURL !== hashes
        ? { url: hashes, shortCircuit: true }
        : next(specifier, context),
  });
}

/** The outside of this process, which is opened once. */
function outsideOf(swc: Options): Outside {
  const there = Reflect.get(globalThis, OUTSIDE) as Outside | undefined;
  if (there) return there;
  readPages(swc);
  rememberHashes();
  const clock: Outside['clock'] = { ahead: 0 };
  globalThis.Date = travellingDate(Date, clock);
  const real = { setTimeout, clearTimeout };
  const putBack = () => {
    clock.ahead = 0;
    clock.stoppedAt = undefined;
    Object.assign(globalThis, real);
  };
  const outside: Outside = { clock, world: globalThis, putBack, load: createRequire(import.meta.url) };
  Reflect.set(globalThis, OUTSIDE, outside);
  return outside;
}

const isName = (name: string) => /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) && name !== '__esModule';

/** What a test's world reads instead of a module: the same names, handed in from outside. */
function standIn(outside: Outside, path: string, asEsm: boolean): string {
  const names = Object.keys(outside.load(path)).filter(isName);
  const there = `globalThis[${JSON.stringify(OUTSIDE)}].load(${JSON.stringify(path)})`;
  if (asEsm) {
    const read = names.map((name, index) => `const v${index} = it[${JSON.stringify(name)}];\n`);
    const list = names.map((name, index) => `v${index} as ${name}`);
    return `const it = ${there};\n${read.join('')}export { ${list.join(', ')} };\n`;
  }
  // The second line never runs: it is for the lexer that looks for the names of a CommonJS module.
  const named = names.filter((name) => name !== 'default');
  return `module.exports = ${there};\n0 && (module.exports = { ${named.join(', ')} });\n`;
}

/** The transformer; its options are those of swc. */
export function createTransformer(swc: Options): Transformer {
  const outside = outsideOf(swc);
  const plain = createSwc(swc) as unknown as Transformer;
  // jest reads its own set-up (`globalSetup`, the environment) as CommonJS without `import()`; that is no test's world.
  const isTests = ({ supportsDynamicImport }: Asked) => supportsDynamicImport;
  return {
    process(source, path, asked) {
      if (isTests(asked)) return { code: standIn(outside, path, asked.supportsStaticESM) };
      return /\.tsx?$/.test(path) ? plain.process(source, path, asked) : { code: source };
    },
    getCacheKey(source, path, asked) {
      if (!isTests(asked)) return plain.getCacheKey(source, path, asked);
      // A stand-in changes with its names alone.
      return createHash('sha256')
        .update(standIn(outside, path, asked.supportsStaticESM))
        .digest('hex');
    },
  };
}

export default { createTransformer };
