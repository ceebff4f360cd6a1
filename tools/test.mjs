/** `npm test [-- projects or paths]`: see test/run.ts. */
import { runCompiled } from './bootstrap.mjs';

runCompiled('test/run.js', process.argv.slice(2));
