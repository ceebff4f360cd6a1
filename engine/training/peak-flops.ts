/**
 * How fast a runner multiplies at best: square matrix products, large enough that nothing else counts. It is the yardstick of
 * `shareOfPeak`, and as good as the machine is quiet while it is measured.
 */
import { compile } from '../compile.js';
import type { Runner } from '../runners/runner.js';
import { tf } from '../tf.js';

const products = 4;
const tries = 5;
const sizes = [512, 1024, 2048, 4096, 8192] as const;
/** A run that takes as long is mostly multiplication. */
const enoughMs = 20;

/** Multiplications and additions a second, counted apart; takes a few seconds at most. */
export async function measurePeakFlops(runner: Runner, precision: 'float32' | 'bfloat16' = 'float32'): Promise<number> {
  let best = 0;
  for (const size of sizes) {
    const ms = await fastestMs(runner, precision, size);
    best = Math.max(best, (products * 2 * size ** 3) / (ms / 1000));
    if (ms >= enoughMs) break;
  }
  return best;
}

async function fastestMs(runner: Runner, precision: 'float32' | 'bfloat16', size: number): Promise<number> {
  const session = await compile({
    runner,
    state: { factor: { shape: [size, size], dtype: 'float32' } },
    programs: { multiply: { inputs: {}, run: ({ factor }) => ({ outputs: { sum: chain(factor) } }), precision } },
  });
  session.write({ factor: new Float32Array(size * size).fill(1 / size) });
  let fastest = Infinity;
  for (let count = 0; count < tries; count++) {
    const begun = performance.now();
    session.run('multiply', {});
    fastest = Math.min(fastest, performance.now() - begun);
  }
  session.dispose();
  return fastest;
}

/** The sum of factor to the power of products + 1. */
function chain(factor: tf.Tensor | undefined): tf.Tensor {
  if (factor === undefined) throw new TypeError('expected a factor');
  let product = factor;
  for (let count = 0; count < products; count++) product = tf.matMul(product, factor);
  return tf.sum(product);
}
