/** TypeScript and preact pages through swc, as native ES modules; types are checked by `npm run types`. */
const swc = {
  jsc: {
    target: 'es2024',
    parser: { syntax: 'typescript', tsx: true },
    transform: { react: { runtime: 'automatic', importSource: 'preact' } },
  },
  module: { type: 'es6' },
  sourceMaps: 'inline',
};

/** The packages that tests and the rig import themselves. */
const packages = [
  '@seriousme/openapi-schema-validator',
  '@swc/core',
  'dclint',
  'jose',
  'knex',
  'mailparser',
  'node-html-parser',
  'nodemailer',
  'openid-client',
  'pg',
  'pino',
  'playwright-core',
  'qrcode',
  'smtp-server',
  'yaml',
  'zod',
];

/** @type {import('jest').Config} */
export default {
  testEnvironment: '<rootDir>/test/rig/environment.ts',
  testMatch: ['<rootDir>/test/**/*.test.{ts,tsx}'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/data/'],
  extensionsToTreatAsEsm: ['.ts', '.tsx'],
  // The first that fits counts: what is not a test is loaded once per worker, outside the tests' worlds.
  transform: {
    [`^${RegExp.escape(import.meta.dirname)}/(?!test/|node_modules/)`]: [
      '<rootDir>/test/rig/outside.ts',
      swc,
    ],
    '/node_modules/': ['<rootDir>/test/rig/outside.ts', swc],
    '\\.tsx?$': ['@swc/jest', swc],
  },
  transformIgnorePatterns: [`/node_modules/(?!(${packages.join('|')})/)`],
  testSequencer: '<rootDir>/test/rig/longest-first.ts',
  globalSetup: '<rootDir>/test/rig/before-all.ts',
  globalTeardown: '<rootDir>/test/rig/after-all.ts',
  // One more than the two cores that are always there: a browser that waits leaves its core to another file.
  maxWorkers: 3,
  // The deadline of every test and hook: the machine may be busy with others. Only longer ones are given one by one.
  testTimeout: 120_000,
  // A test that failed half-way may leave a server open: that must end the run red, not hang it.
  forceExit: true,
};
