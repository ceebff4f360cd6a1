/** Pieces of a decoder that have backward passes of their own, against values and gradients of torch in float64. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { causalAttention, causalMask } from '../../../../engine/models/attention.js';
import { feedForward } from '../../../../engine/models/feed-forward.js';
import { rmsNorm } from '../../../../engine/models/rms-norm.js';
import { tf } from '../../../../engine/tf.js';
import { describeOnBackends, greatestDifference } from './on-backends.js';

type Numbers = number[] | number[][] | number[][][];

interface Piece {
  readonly inputs: Record<string, Numbers>;
  readonly value: Numbers;
  readonly direction: Numbers;
  readonly gradients: Record<string, Numbers>;
  readonly epsilon: number;
}

const pieces: Record<'rmsNorm' | 'swiGlu' | 'causalAttention', Piece> = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../fixtures/gradients/pieces.json'), 'utf8'),
);

function expectReference({ inputs, value, direction, gradients }: Piece, run: (...leaves: tf.Tensor[]) => tf.Tensor) {
  const leaves = Object.values(inputs).map((numbers) => tf.tensor(numbers));
  expect(greatestDifference(run(...leaves), value)).toBeLessThan(1e-5);
  const seen = tf.grads((...given: tf.Tensor[]) => tf.sum(tf.mul(run(...given), tf.tensor(direction))))(leaves);
  Object.keys(inputs).forEach((name, index) =>
    expect(greatestDifference(seen[index]!, gradients[name]!)).toBeLessThan(1e-5),
  );
}

describeOnBackends('pieces of a decoder equal those of torch in float64 within 1e-5', () => {
  test('RMSNorm', () => {
    expectReference(pieces.rmsNorm, (x, weight) => rmsNorm(x, weight, pieces.rmsNorm.epsilon));
  });

  test('SwiGLU', () => {
    expectReference(pieces.swiGlu, (x, gate, up, down) =>
      feedForward(tf.reshape(x, [3, 4]), { gate: { weight: gate }, up: { weight: up }, down: { weight: down } }),
    );
  });

  test('causal softmax attention', () => {
    const heads = (tensor: tf.Tensor) => tf.reshape<tf.Rank.R4>(tensor, [1, 2, 4, 3]);
    expectReference(pieces.causalAttention, (q, k, v) =>
      tf.reshape(causalAttention(heads(q), heads(k), heads(v), causalMask(4, 1)), [2, 4, 3]),
    );
  });
});
