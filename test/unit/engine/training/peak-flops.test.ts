import { kernelsRunner } from '../../../../engine/runners/kernels.js';
import { tf } from '../../../../engine/tf.js';
import { measurePeakFlops } from '../../../../engine/training/peak-flops.js';

describe('the peak of a runner', () => {
  test('is a number of operations a second that a machine can have, and leaves nothing behind', async () => {
    const before = tf.memory().numTensors;
    const peak = await measurePeakFlops(kernelsRunner({ backend: 'wasm' }));
    expect(peak).toBeGreaterThan(1e7);
    expect(peak).toBeLessThan(1e15);
    expect(tf.memory().numTensors).toBe(before);
  });
});
