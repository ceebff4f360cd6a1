import { chunkedHeadEvaluation, chunkedHeadLoss } from '../../../../engine/training/losses/chunked-head.js';
import { crossEntropy } from '../../../../engine/training/losses/cross-entropy.js';
import { denseDistillation, topKDistillation } from '../../../../engine/training/losses/distillation.js';
import type { LogitLoss, Targets } from '../../../../engine/training/losses/loss.js';
import { meanOverTokens } from '../../../../engine/training/losses/reduction.js';
import { createRandom } from '../../../../engine/training/random.js';
import { tf } from '../../../../engine/tf.js';
import { describeOnBackends, greatestDifference } from './on-backends.js';
import { tokenLosses } from '../../../support/losses.js';

const [tokens, hiddenSize, vocabulary, kept] = [12, 3, 17, 3];
const tokenCount = 20;

function scene() {
  const random = createRandom(9, 'chunked head');
  const normals = (rows: number, columns: number) =>
    tf.tensor2d(Array.from({ length: rows * columns }, random.normal), [rows, columns]);
  const teacherLogits_NW = normals(tokens, vocabulary);
  const { values, indices } = tf.topk(tf.softmax(teacherLogits_NW), kept);
  return {
    hidden_ND: normals(tokens, hiddenSize),
    head_VD: normals(vocabulary, hiddenSize),
    weights_N: tf.tensor1d([1, 1, 0, 1, 0.5, 0, 0, 0, 1, 1, 1, 1]),
    labels_N: tf.tensor1d(
      Array.from({ length: tokens }, () => random.integer(vocabulary)),
      'int32',
    ),
    teacherLogits_NW,
    ids_NK: tf.reshape<tf.Rank.R2>(indices, [tokens, kept]),
    logProbabilities_NK: tf.log<tf.Tensor2D>(values),
    missingMass_N: tf.sub<tf.Tensor1D>(1, tf.sum(values, 1)),
  };
}

const settings = { divergence: { kind: 'forward-kl' }, temperature: 2, timesTemperatureSquared: true } as const;
type Scene = ReturnType<typeof scene>;

const numbers = (tensor: tf.Tensor) => [...tensor.dataSync()];

function expectSame(seen: tf.Tensor, expected: tf.Tensor) {
  const scale = Math.max(...numbers(tf.abs(expected)));
  expect(scale).toBeGreaterThan(0);
  expect(greatestDifference(seen, numbers(expected)) / scale).toBeLessThan(1e-6);
}

function expectWhole<T extends Targets>(chunks: number, loss: LogitLoss<T>, targetsOf: (scene: Scene) => T) {
  const { hidden_ND, head_VD, weights_N, ...rest } = scene();
  const targets = targetsOf({ hidden_ND, head_VD, weights_N, ...rest });
  const whole = tf.valueAndGrads((hidden, head) => {
    const logits_NV = tf.matMul<tf.Tensor2D>(hidden, head, false, true);
    return tf.mul(3, meanOverTokens(tokenLosses(loss, logits_NV, targets).values_N, weights_N, tokenCount));
  })([hidden_ND, head_VD]);
  const chunked = tf.valueAndGrads((hidden, head) => {
    const call = { hidden_ND: hidden as tf.Tensor2D, head_VD: head as tf.Tensor2D, weights_N, targets };
    return tf.mul(3, chunkedHeadLoss({ ...call, chunks, loss, globalTokenCount: tokenCount }).value);
  })([hidden_ND, head_VD]);
  expectSame(chunked.value, whole.value);
  whole.grads.forEach((gradient, index) => expectSame(chunked.grads[index]!, gradient));
}

describeOnBackends('a chunked head', () => {
  describe.each([1, 2, 3, 12])('in %d chunks has the value and gradients of the whole within 1e-6', (chunks) => {
    test('for cross-entropy', () => expectWhole(chunks, crossEntropy, ({ labels_N }) => ({ labels_N })));
    test('for a dense teacher', () =>
      expectWhole(
        chunks,
        denseDistillation({ ...settings, crossEntropyShare: 0.3 }),
        ({ labels_N, teacherLogits_NW }) => ({
          labels_N,
          teacherLogits_NW,
        }),
      ));
    test('for a top-k teacher', () =>
      expectWhole(
        chunks,
        topKDistillation({ ...settings, crossEntropyShare: 0.3 }),
        ({ labels_N, ids_NK, logProbabilities_NK, missingMass_N }) => ({
          labels_N,
          ids_NK,
          logProbabilities_NK,
          missingMass_N,
        }),
      ));
  });

  test('reports the parts of the loss, averaged as the value is', () => {
    const { hidden_ND, head_VD, weights_N, labels_N, teacherLogits_NW } = scene();
    const loss = denseDistillation({ ...settings, crossEntropyShare: 0.3 });
    const call = { hidden_ND, head_VD, weights_N, loss, targets: { labels_N, teacherLogits_NW } };
    const { value, parts } = chunkedHeadLoss({ ...call, chunks: 4, globalTokenCount: tf.scalar(tokenCount) });
    const [ce, kl] = [parts['crossEntropy']!.dataSync()[0]!, parts['divergence']!.dataSync()[0]!];
    expect(value.dataSync()[0]).toBeCloseTo(0.3 * ce + 0.7 * 4 * kl, 5);
    const bare = tokenLosses(crossEntropy, tf.matMul(hidden_ND, head_VD, false, true), { labels_N }).values_N;
    expect(ce).toBeCloseTo(meanOverTokens(bare, weights_N, tokenCount).dataSync()[0]!, 6);
  });

  test('is evaluated to the very same numbers without gradients', () => {
    const { hidden_ND, head_VD, weights_N, labels_N, teacherLogits_NW } = scene();
    const loss = denseDistillation({ ...settings, crossEntropyShare: 0.3 });
    const call = { hidden_ND, head_VD, weights_N, loss, targets: { labels_N, teacherLogits_NW } };
    const trained = chunkedHeadLoss({ ...call, chunks: 4, globalTokenCount: tokenCount });
    const evaluated = chunkedHeadEvaluation({ ...call, chunks: 4, globalTokenCount: tokenCount });
    expect(numbers(evaluated.value)).toEqual(numbers(trained.value));
    expect(Object.keys(evaluated.parts)).toEqual(['crossEntropy', 'divergence']);
    for (const name of Object.keys(evaluated.parts))
      expect(numbers(evaluated.parts[name]!)).toEqual(numbers(trained.parts[name]!));
  });

  test('never holds logits of the whole batch', async () => {
    const { hidden_ND, head_VD, weights_N, labels_N } = scene();
    const gradients = tf.grads((hidden, head) => {
      const call = { hidden_ND: hidden as tf.Tensor2D, head_VD: head as tf.Tensor2D, weights_N, targets: { labels_N } };
      return chunkedHeadLoss({ ...call, chunks: 3, loss: crossEntropy, globalTokenCount: tokenCount }).value;
    });
    const { kernels } = await tf.profile(() => gradients([hidden_ND, head_VD]));
    const heights = kernels.flatMap(({ outputShapes }) => outputShapes).filter((shape) => shape[1] === vocabulary);
    expect(heights.length).toBeGreaterThan(0);
    expect(Math.max(...heights.map(([height]) => height!))).toBe(tokens / 3);
  });

  test('refuses a number of chunks that does not divide the tokens (training-setting-invalid)', () => {
    const { hidden_ND, head_VD, weights_N, labels_N } = scene();
    const call = { hidden_ND, head_VD, weights_N, targets: { labels_N }, loss: crossEntropy, globalTokenCount: 1 };
    for (const chunks of [0, 5, 1.5])
      expect(() => chunkedHeadLoss({ ...call, chunks })).toThrow(
        expect.objectContaining({ code: 'training-setting-invalid' }),
      );
  });
});
