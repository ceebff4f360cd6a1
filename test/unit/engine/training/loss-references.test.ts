/** Every loss against values and gradients that torch computed in float64 from formulas over the whole vocabulary. */
import { denseDistillation } from '../../../../engine/training/losses/distillation.js';
import { tf } from '../../../../engine/tf.js';
import { describeCase, runCase, scenes, valuesAndGradient } from './loss-cases.js';
import { describeOnBackends, greatestDifference } from './on-backends.js';

describeOnBackends('losses equal those of torch in float64 within 1e-5', () => {
  test.each(scenes.flatMap((scene) => scene.cases.map((one) => [scene.name, describeCase(one), scene, one] as const)))(
    '%s: %s',
    (_name, _case, scene, reference) => {
      const { values, gradient } = runCase(scene, reference, tf.tensor2d(scene.student));
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
    const narrow = valuesAndGradient(loss, tf.tensor2d(scene.student), targets);
    const { values, gradient } = valuesAndGradient(loss, tf.tensor2d(wide), targets);
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
