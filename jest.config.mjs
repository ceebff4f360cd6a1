/**
 * Four Jest projects, one folder of test/ each; `npm test` runs them one after another. `temporal` and `crash` drive whole
 * processes and servers: their files run one at a time.
 */
const second = 1000;

/** Sources are ES modules; Jest runs them as CommonJS, with `.js` specifiers pointed at their `.ts` files. */
const project = (name, options) => ({
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
  transformIgnorePatterns: ['/node_modules/(?!oxc-parser/)'],
  ...options,
});

const serial = { runner: '<rootDir>/test/support/serial-runner.cjs' };

export default {
  projects: [
    project('unit', { testTimeout: 30 * second }),
    project('contract', { testTimeout: 300 * second }),
    project('temporal', { testTimeout: 300 * second, ...serial }),
    project('crash', { testTimeout: 600 * second, ...serial }),
  ],
};
