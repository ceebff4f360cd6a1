/** Every loss against values and gradients that torch computed in float64 from formulas over the whole vocabulary. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crossEntropy } from '../../../../engine/training/losses/cross-entropy.js';
import { denseDistillation, topKDistillation } from '../../../../engine/training/losses/distillation.js';
import type { Divergence } from '../../../../engine/training/losses/divergence.js';
import { tokenLosses, type LogitLoss, type Targets } from '../../../../engine/training/losses/loss.js';
import type { MissingMass } from '../../../../engine/training/losses/missing-mass.js';
import { tf } from '../../../../engine/tf.js';
import { describeOnBackends, greatestDifference } from './on-backends.js';

interface Case {
  readonly loss: 'cross-entropy' | 'dense' | 'top-k';
  readonly divergence: Divergence;
  readonly temperature: number;
  readonly missingMass: MissingMass;
  readonly against: 'teacher' | 'wideTeacher';
  readonly values: number[];
  readonly gradient: number[][];
}

interface Stored {
  readonly temperature: number;
  readonly ids: number[][];
  readonly logProbabilities: number[][];
  readonly missingMass: number[];
}

interface Scene {
  readonly name: string;
  readonly student: number[][];
  readonly teacher: number[][];
  readonly wideTeacher: number[][];
  readonly labels: number[];
  readonly stored: Stored[];
  readonly cases: Case[];
}

const scenes: Scene[] = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../fixtures/gradients/losses.json'), 'utf8'),
);

const describeCase = ({ loss, divergence, temperature, missingMass, against }: Case) =>
  [loss, JSON.stringify(divergence), temperature, missingMass, against].filter((part) => part !== undefined).join(' ');

function seen<T extends Targets>(loss: LogitLoss<T>, student: number[][], targets: T) {
  const logits = tf.tensor2d(student);
  const values = tokenLosses(loss, logits, targets).values_N;
  const gradient = tf.grad((z) => tf.sum(tokenLosses(loss, z as tf.Tensor2D, targets).values_N))(logits);
  return { values, gradient };
}

function run(scene: Scene, reference: Case) {
  const labels_N = tf.tensor1d(scene.labels, 'int32');
  if (reference.loss === 'cross-entropy') return seen(crossEntropy, scene.student, { labels_N });
  const settings = { ...reference, timesTemperatureSquared: false, crossEntropyShare: 0 };
  if (reference.loss === 'dense') {
    const teacherLogits_NW = tf.tensor2d(scene[reference.against]);
    return seen(denseDistillation(settings), scene.student, { labels_N, teacherLogits_NW });
  }
  const stored = scene.stored.find(({ temperature }) => temperature === reference.temperature)!;
  return seen(topKDistillation(settings), scene.student, {
    labels_N,
    ids_NK: tf.tensor2d(stored.ids, undefined, 'int32'),
    logProbabilities_NK: tf.tensor2d(stored.logProbabilities),
    missingMass_N: tf.tensor1d(stored.missingMass),
  });
}

describeOnBackends('losses equal those of torch in float64 within 1e-5', () => {
  test.each(scenes.flatMap((scene) => scene.cases.map((one) => [scene.name, describeCase(one), scene, one] as const)))(
    '%s: %s',
    (_name, _case, scene, reference) => {
      const { values, gradient } = run(scene, reference);
      expect(greatestDifference(values, reference.values)).toBeLessThan(1e-5);
      expect(greatestDifference(gradient, reference.gradient)).toBeLessThan(1e-5);
    },
  );

  test('a student of a wider vocabulary than its teacher gets no gradient beyond the shared prefix', () => {
    const scene = scenes[0]!;
    const settings = { temperature: 2, timesTemperatureSquared: false, crossEntropyShare: 0 };
    const loss = denseDistillation({ ...settings, divergence: { kind: 'forward-kl' } });
    const wide = scene.student.map((row) => [...row, 5, -3]);
    const targets = { labels_N: tf.tensor1d(scene.labels, 'int32'), teacherLogits_NW: tf.tensor2d(scene.teacher) };
    const narrow = seen(loss, scene.student, targets);
    const { values, gradient } = seen(loss, wide, targets);
    expect(greatestDifference(values, [...narrow.values.dataSync()])).toBe(0);
    const expected = narrow.gradient.arraySync() as number[][];
    expect(
      greatestDifference(
        gradient,
        expected.map((row) => [...row, 0, 0]),
      ),
    ).toBe(0);
  });
});
