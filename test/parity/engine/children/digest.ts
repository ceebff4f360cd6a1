/** Trains fifty steps and prints a digest of every bit of the weights. */
import { createHash } from 'node:crypto';
import { compile } from '../../../../engine/compile.js';
import { idsAt, runnerOf, state, training, weights } from './small-training.js';

const [packageDirectory = '', cacheDirectory = '', kind = ''] = process.argv.slice(2);
const session = await compile({
  runner: runnerOf(kind, packageDirectory, cacheDirectory),
  state,
  programs: { train: training(kind === 'xla') },
});
session.write(weights());
const losses = Array.from({ length: 50 }, (_, step) =>
  session.run('train', { ids: idsAt(step, 7), labels: idsAt(step, 3) }),
).map(({ loss }) => loss?.[0] ?? NaN);
const digest = createHash('sha256');
for (const numbers of Object.values(session.read(['embedding', 'head']))) digest.update(new Uint8Array(numbers.buffer));
console.log(JSON.stringify({ digest: digest.digest('hex'), first: losses[0], last: losses.at(-1) }));
