/** Gives every test of a project the limit that jest.config.mjs names: Jest itself reads `testTimeout` of no project. */
jest.setTimeout(globalThis.timeLimitMs);
