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

/** @type {import('jest').Config} */
export default {
  testEnvironment: '<rootDir>/test/rig/environment.ts',
  testMatch: ['<rootDir>/test/**/*.test.{ts,tsx}'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/data/'],
  extensionsToTreatAsEsm: ['.ts', '.tsx'],
  transform: { '\\.tsx?$': ['@swc/jest', swc] },
  globalSetup: '<rootDir>/test/rig/before-all.ts',
  globalTeardown: '<rootDir>/test/rig/after-all.ts',
  // Two, because every file brings a provider and some a browser: more only makes them wait for one another.
  maxWorkers: 2,
  testTimeout: 30_000,
  // A test that failed half-way may leave a server open: that must end the run red, not hang it.
  forceExit: true,
};
