/**
 * Six Jest projects, one folder of test/ each; `npm test` runs them one after another. `temporal` and `crash` drive whole
 * processes and servers, `parity` loads the native engine: their files run one at a time.
 */

/** Sources are ES modules; Jest runs them as CommonJS, with `.js` specifiers pointed at their `.ts` files. */
const project = (name, secondsPerTest, options) => ({
  displayName: name,
  rootDir: import.meta.dirname,
  roots: ['<rootDir>'],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  testEnvironment: '<rootDir>/test/support/environment.ts',
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '\\.[jt]s$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  transformIgnorePatterns: ['/node_modules/(?!(?:oxc-parser|hyparquet)/)'],
  globals: { timeLimitMs: secondsPerTest * 1000 },
  setupFilesAfterEnv: ['<rootDir>/test/support/time-limit.cjs'],
  ...options,
});

const serial = { runner: '<rootDir>/test/support/serial-runner.cjs' };

export default {
  projects: [
    project('unit', 30),
    project('contract', 300),
    project('parity', 300, serial),
    project('temporal', 300, serial),
    project('replay', 120, serial),
    project('crash', 600, serial),
  ],
};
