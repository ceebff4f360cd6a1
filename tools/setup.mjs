/** `npm run setup [parts]`: see `nightstill setup --help`. */
import { runCompiled } from './bootstrap.mjs';

runCompiled('cli/main.js', ['setup', ...process.argv.slice(2)]);
