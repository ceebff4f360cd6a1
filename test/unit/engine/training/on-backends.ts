/** Runs a set of tests eagerly on the cpu backend, which is the oracle, and on wasm. */
import { prepareBackend } from '../../../../engine/runners/kernels-backend.js';
import { tf } from '../../../../engine/tf.js';

/** Every test is also a leak test: as many tensors live after it as before. */
export function describeOnBackends(title: string, tests: () => void): void {
  describe.each(['cpu', 'wasm'] as const)(`${title} (%s)`, (backend) => {
    let before = 0;
    beforeAll(async () => {
      await prepareBackend(backend);
    });
    beforeEach(() => {
      before = tf.memory().numTensors;
      tf.engine().startScope();
    });
    afterEach(() => {
      tf.engine().endScope();
      expect(tf.memory().numTensors).toBe(before);
    });
    tests();
  });
}

/** The greatest |seen − expected|, NaN when a value is NaN or missing. */
export function greatestDifference(seen: tf.Tensor, expected: readonly unknown[]): number {
  const values = seen.dataSync();
  const wanted = expected.flat(4);
  if (values.length !== wanted.length) return NaN;
  return Math.max(0, ...Array.from(values, (value, index) => Math.abs(value - Number(wanted[index]))));
}
