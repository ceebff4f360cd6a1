/** Opens a runner as the process of a stage does that goes on from a state with flags, and prints what it computes under and keeps. */
import { readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { readEnvironment } from '../../../../config/environment.js';
import { tensorflowRelease } from '../../../../config/numerics.js';
import { compile } from '../../../../engine/compile.js';
import { tf } from '../../../../engine/tf.js';
import { openRunner } from '../../../../workers/open-runner.js';

const [, cacheDirectory = '', flags = ''] = process.argv.slice(2);
symlinkSync(join(readEnvironment().cacheDirectory, 'parts'), join(cacheDirectory, 'parts'));
process.env['NIGHTSTILL_CACHE'] = cacheDirectory;
const numerics = {
  runner: 'tensorflow',
  tensorflow: tensorflowRelease,
  xla: true,
  precision: 'float32',
  threads: 2,
} as const;
const runner = await openRunner(numerics, cacheDirectory, { runner: 'tensorflow', XLA_FLAGS: flags });
const session = await compile({
  runner,
  state: {},
  programs: {
    exponents: {
      inputs: { a: { shape: [77], dtype: 'float32' } },
      run: (_, { a }) => ({ outputs: { sum: tf.exp(a!).sum() } }),
      xla: true,
    },
  },
});
session.run('exponents', { a: new Float32Array(77) });
const kept = join(cacheDirectory, 'training/xla');
const entries = readdirSync(kept).map((name) => [name, readdirSync(join(kept, name)).length]);
const { XLA_FLAGS: set, build } = runner.fingerprint;
console.log(JSON.stringify({ flags: set, build, kept: Object.fromEntries(entries) }));
