/**
 * `npm run check`: everything that can be judged without running the product. Every step runs, names itself and its time;
 * one that fails shows what it printed, and what to do.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = dirname(import.meta.dirname);

/** The program of an installed package, by the name it has on the command line. */
function program(packageName, command) {
  const folder = join(root, 'node_modules', packageName);
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return join(folder, typeof bin === 'string' ? bin : bin[command]);
}

const steps = [
  { name: 'types', run: ['typescript', 'tsc', '-p', 'tsconfig.json'], remedy: 'correct the types that it names' },
  { name: 'format', run: ['prettier', 'prettier', '--check', '.'], remedy: 'npm run format' },
  {
    name: 'lint',
    run: ['oxlint', 'oxlint', '--type-aware', '--deny-warnings'],
    remedy: 'correct the lines that it names',
  },
  { name: 'dead code', run: ['knip', 'knip', '--no-progress'], remedy: 'remove what nothing uses' },
];

let failed = 0;
for (const { name, run, remedy } of steps) {
  const [packageName, command, ...parameters] = run;
  const began = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, [program(packageName, command), ...parameters], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: Infinity,
  });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`check: ${name.padEnd(10)} ${status === 0 ? 'ok' : 'FAILED'} ${seconds} s`);
  if (status === 0) continue;
  failed += 1;
  console.log(`${stdout}${stderr}check: ${name}: ${remedy}`);
}
process.exitCode = failed === 0 ? 0 : 1;
