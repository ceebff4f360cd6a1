/** Losses inside programs: what is recorded, rewritten and run natively still is what torch computed in float64. */
import { compile } from '../../../engine/compile.js';
import type { tf } from '../../../engine/tf.js';
import { describeCase, runCase, scenes } from '../../unit/engine/training/loss-cases.js';
import { runners } from './runners.js';

const greatest = (seen: ArrayLike<number> | undefined, expected: readonly number[]) =>
  Math.max(...expected.map((value, index) => Math.abs(value - (seen?.[index] ?? NaN))));

describe.each(runners)('losses in a program on %s', (_name, makeRunner) => {
  test.each(scenes.map((scene) => [scene.name, scene] as const))(
    'values and gradients are those of torch within 1e-5: %s',
    async (_scene, scene) => {
      const run = (_state: object, { student }: Readonly<Record<string, tf.Tensor>>) => {
        const outputs: Record<string, tf.Tensor> = {};
        scene.cases.forEach((reference, index) => {
          const { values, gradient } = runCase(scene, reference, student as tf.Tensor2D);
          outputs[`values${index}`] = values;
          outputs[`gradient${index}`] = gradient;
        });
        return { outputs };
      };
      const shape = [scene.student.length, scene.student[0]!.length];
      const program = { inputs: { student: { shape, dtype: 'float32' } }, run } as const;
      const session = await compile({ runner: await makeRunner(), state: {}, programs: { losses: program } });
      const results = session.run('losses', { student: Float32Array.from(scene.student.flat()) });
      scene.cases.forEach((reference, index) => {
        const differences = {
          values: greatest(results[`values${index}`], reference.values),
          gradient: greatest(results[`gradient${index}`], reference.gradient.flat()),
        };
        expect([describeCase(reference), differences.values < 1e-5, differences.gradient < 1e-5]).toEqual([
          describeCase(reference),
          true,
          true,
        ]);
      });
      session.dispose();
    },
  );
});
