/** What has gone wrong in other distillation toolkits without an error, as policy. */
import { crossEntropy } from '../../../../engine/training/losses/cross-entropy.js';
import { denseDistillation, topKDistillation } from '../../../../engine/training/losses/distillation.js';
import type { Divergence } from '../../../../engine/training/losses/divergence.js';
import type { LogitLoss, Targets } from '../../../../engine/training/losses/loss.js';
import type { MissingMass } from '../../../../engine/training/losses/missing-mass.js';
import { meanOverTokens } from '../../../../engine/training/losses/reduction.js';
import { createRandom } from '../../../../engine/training/random.js';
import { tf } from '../../../../engine/tf.js';
import { describeOnBackends, greatestDifference } from './on-backends.js';
import { tokenLosses } from '../../../support/losses.js';

const forward: Divergence = { kind: 'forward-kl' };
const reverse: Divergence = { kind: 'reverse-kl' };
const jensenShannon = (beta: number): Divergence => ({ kind: 'jensen-shannon', beta });
const every = [forward, reverse, jensenShannon(0.1), jensenShannon(0.5), jensenShannon(0.9)];
const rules: MissingMass[] = ['tail-bucket', 'truncate', 'renormalise', 'residual-to-label'];
const plain = { temperature: 1, timesTemperatureSquared: true, crossEntropyShare: 0 };

const logitsOf = (probabilities: readonly number[]) => tf.tensor2d([probabilities.map(Math.log)]);
const int32 = (values: number[]) => tf.tensor1d(values, 'int32');

/** The first K of these probabilities, as a store holds them. */
function stored(p: readonly number[], kept: number, label = 0) {
  return {
    labels_N: int32([label]),
    ids_NK: tf.tensor2d([Array.from({ length: kept }, (_, id) => id)], undefined, 'int32'),
    logProbabilities_NK: tf.tensor2d([p.slice(0, kept).map(Math.log)]),
    missingMass_N: tf.tensor1d([p.slice(kept).reduce((sum, x) => sum + x, 0)]),
  };
}

const valueOf = <T extends Targets>(loss: LogitLoss<T>, logits: tf.Tensor2D, targets: T) =>
  tokenLosses(loss, logits, targets).values_N.dataSync()[0]!;

const gradientOf = <T extends Targets>(loss: LogitLoss<T>, logits: tf.Tensor2D, targets: T) =>
  tf.grad((z) => tf.sum(tokenLosses(loss, z as tf.Tensor2D, targets).values_N))(logits);

const norm = (tensor: tf.Tensor) => Math.hypot(...tensor.dataSync());
const finite = (tensor: tf.Tensor) => tensor.dataSync().every(Number.isFinite);

const teacher = [0.5, 0.2, 0.1, 0.12, 0.08];

describeOnBackends('the rules for missing mass', () => {
  test.each([
    [[0.55, 0.25, 0.12, 0.05, 0.03], 0.073, -0.1105, 0.0727, 0.085],
    [[0.6, 0.25, 0.1, 0.03, 0.02], 0.1415, -0.1358, 0.1415, 0.0534],
    [[0.45, 0.15, 0.1, 0.2, 0.1], 0.0311, 0.1102, 0.0291, 0.3609],
  ])('forward KL against the first three of five has the published values for q = %j', (q, full, ...partial) => {
    const dense = { labels_N: int32([0]), teacherLogits_NW: logitsOf(teacher) };
    expect(valueOf(denseDistillation({ ...plain, divergence: forward }), logitsOf(q), dense)).toBeCloseTo(full, 4);
    (['truncate', 'tail-bucket', 'renormalise'] as const).forEach((missingMass, index) => {
      const loss = topKDistillation({ ...plain, divergence: forward, missingMass });
      expect(valueOf(loss, logitsOf(q), stored(teacher, 3))).toBeCloseTo(partial[index]!, 4);
    });
  });

  test.each(every)(
    'the tail bucket never exceeds the whole divergence and is 0 with gradient 0 at q = p: %j',
    (divergence) => {
      const loss = topKDistillation({ ...plain, divergence });
      const whole = denseDistillation({ ...plain, divergence });
      const random = createRandom(1, 'students');
      for (let trial = 0; trial < 20; trial++) {
        const student = tf.tensor2d([Array.from({ length: 5 }, () => 2 * random.normal())]);
        const targets = { labels_N: int32([0]), teacherLogits_NW: logitsOf(teacher) };
        const bucket = valueOf(loss, student, stored(teacher, 3));
        expect(bucket).toBeGreaterThanOrEqual(-1e-7);
        expect(bucket).toBeLessThanOrEqual(valueOf(whole, student, targets) + 1e-6);
      }
      expect(Math.abs(valueOf(loss, logitsOf(teacher), stored(teacher, 3)))).toBeLessThan(1e-6);
      expect(norm(gradientOf(loss, logitsOf(teacher), stored(teacher, 3)))).toBeLessThan(1e-6);
    },
  );

  test('at q = p truncation gives 0 with a gradient, and a renormalised teacher −ln a', () => {
    const at = (missingMass: MissingMass) => topKDistillation({ ...plain, divergence: forward, missingMass });
    const same = logitsOf(teacher);
    expect(valueOf(at('truncate'), same, stored(teacher, 3))).toBeCloseTo(0, 6);
    expect(norm(gradientOf(at('truncate'), same, stored(teacher, 3)))).toBeGreaterThan(0.05);
    expect(valueOf(at('renormalise'), same, stored(teacher, 3))).toBeCloseTo(-Math.log(0.8), 6);
  });

  test('the residual goes to the label, among the kept ids or not: 0 at that teacher, 0 at q = p where all of it was there', () => {
    const loss = topKDistillation({ ...plain, divergence: forward, missingMass: 'residual-to-label' });
    const almost = (q: number[]) => logitsOf(q.map((x) => Math.max(x, 1e-12)));
    expect(valueOf(loss, almost([0.5, 0.4, 0.1, 0, 0]), stored(teacher, 3, 1))).toBeCloseTo(0, 5);
    expect(valueOf(loss, almost([0.5, 0.2, 0.1, 0, 0.2]), stored(teacher, 3, 4))).toBeCloseTo(0, 5);
    expect(valueOf(loss, logitsOf([0.5, 0.2, 0.1, 0.2]), stored([0.5, 0.2, 0.1, 0.2], 3, 3))).toBeCloseTo(0, 6);
    expect(valueOf(loss, logitsOf(teacher), stored(teacher, 3, 4))).toBeGreaterThan(0.1);
  });

  test('a missing mass that rounding has made 0 leaves every divergence finite', () => {
    for (const divergence of every) {
      const loss = topKDistillation({ ...plain, divergence });
      const targets = { ...stored([0.9, 0.1], 2), missingMass_N: tf.tensor1d([0]) };
      expect(Math.abs(valueOf(loss, tf.tensor2d([[1, 2, 3, 4]]), targets))).toBeLessThan(60);
      expect(finite(gradientOf(loss, tf.tensor2d([[1, 2, 3, 4]]), targets))).toBe(true);
    }
  });

  test('a store of the whole vocabulary has no rest: every rule is the dense divergence', () => {
    const student = tf.tensor2d([[0.3, -1, 0.2, 2, 0]]);
    for (const divergence of every)
      for (const missingMass of divergence === reverse ? rules.slice(0, 1) : rules) {
        const loss = topKDistillation({ ...plain, divergence, missingMass });
        const dense = denseDistillation({ ...plain, divergence });
        const targets = { labels_N: int32([0]), teacherLogits_NW: logitsOf(teacher) };
        expect(valueOf(loss, student, stored(teacher, 5))).toBeCloseTo(valueOf(dense, student, targets), 5);
        const expected = [...gradientOf(dense, student, targets).dataSync()];
        expect(greatestDifference(gradientOf(loss, student, stored(teacher, 5)), expected)).toBeLessThan(1e-6);
      }
  });

  test.each([
    { divergence: reverse, missingMass: 'truncate' },
    { divergence: jensenShannon(1), missingMass: 'renormalise' },
    { divergence: reverse, missingMass: 'residual-to-label' },
    { divergence: jensenShannon(1.5) },
    { temperature: 0 },
    { crossEntropyShare: 1.5 },
  ] as const)('%j is refused (training-setting-invalid)', (wrong) => {
    expect(() => topKDistillation({ ...plain, divergence: forward, ...wrong })).toThrow(
      expect.objectContaining({ code: 'training-setting-invalid' }),
    );
  });
});

describeOnBackends('temperature, mixture and limits', () => {
  const student = () => tf.tensor2d([[0.3, -1, 0.2, 2, 0]]);
  const dense = () => ({ labels_N: int32([3]), teacherLogits_NW: logitsOf(teacher) });

  test('the factor T² keeps the gradient of the same order from T = 1 to T = 4; without it the gradient falls', () => {
    const at = (temperature: number, timesTemperatureSquared: boolean) =>
      norm(
        gradientOf(
          denseDistillation({ ...plain, divergence: forward, temperature, timesTemperatureSquared }),
          student(),
          dense(),
        ),
      );
    expect(at(4, true) / at(1, true)).toBeGreaterThan(0.4);
    expect(at(4, true) / at(1, true)).toBeLessThan(2.5);
    expect(at(4, false)).toBeCloseTo(at(4, true) / 16, 6);
  });

  test('a JSD at the ends of its range is forward and reverse KL, and tends to their multiple inside', () => {
    const value = (divergence: Divergence) => valueOf(denseDistillation({ ...plain, divergence }), student(), dense());
    expect(value(jensenShannon(0))).toBe(value(forward));
    expect(value(jensenShannon(1))).toBe(value(reverse));
    expect(value(jensenShannon(0.001)) / 0.001 / value(forward)).toBeCloseTo(1, 1);
    expect(value(jensenShannon(0.999)) / 0.001 / value(reverse)).toBeCloseTo(1, 1);
  });

  test('α·CE + (1−α)·T²·KL is the sum of its parts, which are reported bare', () => {
    const settings = { divergence: forward, temperature: 2, timesTemperatureSquared: true, crossEntropyShare: 0.3 };
    const { values_N, parts } = tokenLosses(denseDistillation(settings), student(), dense());
    const [ce, kl] = [parts['crossEntropy']!.dataSync()[0]!, parts['divergence']!.dataSync()[0]!];
    expect(ce).toBeCloseTo(valueOf(crossEntropy, student(), dense()), 6);
    expect(kl).toBeCloseTo(
      valueOf(
        denseDistillation({ ...settings, crossEntropyShare: 0, timesTemperatureSquared: false }),
        student(),
        dense(),
      ),
      6,
    );
    expect(values_N.dataSync()[0]).toBeCloseTo(0.3 * ce + 0.7 * 4 * kl, 5);
    expect(valueOf(denseDistillation({ ...settings, crossEntropyShare: 1 }), student(), dense())).toBeCloseTo(ce, 6);
  });

  test('logits of ±10,000 and teacher probabilities of 0 give finite values and gradients', () => {
    const extreme = tf.tensor2d([
      [1e4, -1e4, 0, 5, -1e4],
      [-1e4, -1e4, -1e4, -1e4, 1e4],
      [1e4, 1e4, 1e4, 1e4, 1e4],
    ]);
    const against = tf.tensor2d([
      [-1e4, 1e4, 0, 5, 1e4],
      [-Infinity, 3, -Infinity, 2, 1],
      [1e4, 9999, -1e4, 0, 0],
    ]);
    const labels_N = int32([1, 0, 2]);
    const topK = {
      labels_N,
      ids_NK: tf.tensor2d([[1, 4], [1, 3], [0, 1]], undefined, 'int32'), // prettier-ignore
      logProbabilities_NK: tf.tensor2d([
        [Math.log(0.5), Math.log(0.5)],
        [Math.log(0.9), -Infinity],
        [0, -1e4],
      ]),
      missingMass_N: tf.tensor1d([0, 0.1, 0]),
    };
    const expectFinite = <T extends Targets>(loss: LogitLoss<T>, targets: T) => {
      expect(finite(tokenLosses(loss, extreme, targets).values_N)).toBe(true);
      expect(finite(gradientOf(loss, extreme, targets))).toBe(true);
    };
    expectFinite(crossEntropy, { labels_N });
    for (const divergence of every) {
      expectFinite(denseDistillation({ ...plain, divergence }), { labels_N, teacherLogits_NW: against });
      for (const missingMass of divergence === reverse ? rules.slice(0, 1) : rules)
        expectFinite(topKDistillation({ ...plain, divergence, missingMass }), topK);
    }
    expect([...tokenLosses(crossEntropy, extreme, { labels_N }).values_N.dataSync()]).toEqual([
      2e4,
      2e4,
      expect.closeTo(Math.log(5), 3),
    ]);
  });

  test('ids of 18 bits are exact: labels and kept ids around 151,900 select their own logits', () => {
    const vocabulary = 151_936;
    const logits = tf.tidy(() => tf.zeros<tf.Rank.R2>([2, vocabulary]));
    const labels = [151_934, 131_073];
    const gradient = gradientOf(crossEntropy, logits, { labels_N: int32(labels) }).dataSync();
    labels.forEach((label, row) => {
      expect(gradient[row * vocabulary + label]).toBeCloseTo(1 / vocabulary - 1, 6);
      for (const other of [label - 1, label + 1])
        expect(gradient[row * vocabulary + other]).toBeCloseTo(1 / vocabulary, 9);
    });
    const kept = gradientOf(topKDistillation({ ...plain, divergence: forward }), logits, {
      labels_N: int32(labels),
      ids_NK: tf.tensor2d([[151_935, 151_933], [16_777, 131_072]], undefined, 'int32'), // prettier-ignore
      logProbabilities_NK: tf.tensor2d([[Math.log(0.6), Math.log(0.3)], [Math.log(0.6), Math.log(0.3)]]), // prettier-ignore
      missingMass_N: tf.tensor1d([0.1, 0.1]),
    }).dataSync();
    expect(kept[151_935]).toBeCloseTo(1 / vocabulary - 0.6, 5);
    expect(kept[151_933]).toBeCloseTo(1 / vocabulary - 0.3, 5);
    expect(kept[151_934]).toBeCloseTo(1 / vocabulary - 0.1 / (vocabulary - 2), 6);
    expect(kept[vocabulary + 131_072]).toBeCloseTo(1 / vocabulary - 0.3, 5);
  });
});

describeOnBackends('masks and averages', () => {
  test('a token of weight 0 contributes exactly nothing, whatever its logits, value and targets are', () => {
    const loss = denseDistillation({ ...plain, divergence: reverse, crossEntropyShare: 0.5, temperature: 2 });
    const rows = [[1, 2, 3], [1e4, -1e4, 0], [0, 1, -1]]; // prettier-ignore
    const teachers = [[1, 1, 1], [-1e4, 1e4, 0], [2, 0, 1]]; // prettier-ignore
    const run = (order: number[], weights: number[]) => {
      const targets = {
        labels_N: int32(order.map((row) => row % 3)),
        teacherLogits_NW: tf.tensor2d(order.map((row) => teachers[row]!)),
      };
      return tf.valueAndGrad((z) =>
        meanOverTokens(tokenLosses(loss, z as tf.Tensor2D, targets).values_N, tf.tensor1d(weights), 2),
      )(tf.tensor2d(order.map((row) => rows[row]!)));
    };
    const masked = run([0, 1, 2], [1, 0, 1]);
    const without = run([0, 2], [1, 1]);
    expect(masked.value.dataSync()[0]).toBe(without.value.dataSync()[0]);
    const [first, middle, last] = masked.grad.arraySync() as number[][];
    expect([first, last]).toEqual(without.grad.arraySync());
    expect(middle!.every((x) => Math.abs(x) === 0)).toBe(true);
    expect(meanOverTokens(tf.tensor1d([1, NaN, 3]), tf.tensor1d([1, 0, 0.5]), 2).dataSync()[0]).toBe(1.25);
  });

  test('shuffled, and accumulated over any micro-batches, loss and gradient are those of the plain batch', () => {
    const random = createRandom(2, 'accumulation');
    const tokens = 24;
    const draw = (count: number, next: () => number) => Array.from({ length: count }, next);
    const rows = draw(tokens, () => 0).map(() => ({
      logits: draw(7, random.normal),
      teacher: draw(7, random.normal),
      label: random.integer(7),
      weight: random.uniform() < 0.3 ? 0 : 1,
    }));
    const count = rows.filter((row) => row.weight > 0).length;
    const loss = denseDistillation({ ...plain, divergence: forward, crossEntropyShare: 0.3, temperature: 2 });
    const gradientsOf = (batch: typeof rows) => {
      const targets = {
        labels_N: int32(batch.map((row) => row.label)),
        teacherLogits_NW: tf.tensor2d(batch.map((row) => row.teacher)),
      };
      const weights = tf.tensor1d(batch.map((row) => row.weight));
      const features = tf.tensor2d(batch.map((row) => row.logits));
      return tf.valueAndGrad((head) => {
        const { values_N } = tokenLosses(loss, tf.matMul(features, head as tf.Tensor2D), targets);
        return meanOverTokens(values_N, weights, count);
      })(tf.eye(7));
    };
    const whole = gradientsOf(rows);
    for (const microBatches of [1, 2, 8, 24]) {
      const order = [...random.permutation(tokens)].map((row) => rows[row]!);
      const size = tokens / microBatches;
      const parts = Array.from({ length: microBatches }, (_, part) =>
        gradientsOf(order.slice(part * size, (part + 1) * size)),
      );
      const value = parts.reduce((sum, part) => sum + part.value.dataSync()[0]!, 0);
      expect(value).toBeCloseTo(whole.value.dataSync()[0]!, 6);
      expect(greatestDifference(tf.addN(parts.map((part) => part.grad)), [...whole.grad.dataSync()])).toBeLessThan(
        1e-6,
      );
    }
  });
});
