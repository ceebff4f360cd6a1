/** Three steps of distillation are those of torch in every number: losses, each gradient and each weight. */
import { join } from 'node:path';
import { openSafetensors } from '../../../engine/files/safetensors.js';
import { firstMomentName } from '../../../engine/training/adamw.js';
import { teacherObjective, teacherWeights } from '../../../engine/training/objective.js';
import { Trainer } from '../../../engine/training/trainer.js';
import { normOf } from '../models/differences.js';
import { asTorch, fixtureRun, stepsOf } from './fixture-run.js';
import { runners } from './runners.js';

const { beta1 } = asTorch.optimizer;
const greatestWeightDifference = 1e-6 + 1e-2 * asTorch.schedule.peak;
const greatestRelativeDifference = 1e-5;

const relative = (found: number | undefined, expected: number): number => Math.abs((found ?? NaN) / expected - 1);

/** The length of the difference over the length of what is expected. */
const relativeDistance = (found: Float32Array, expected: Float32Array): number =>
  normOf(expected.map((value, index) => value - (found[index] ?? NaN))) / normOf(expected);

/** What the newest gradient added to the first moments, which AdamW holds as m' = β₁·m + (1 − β₁)·g. */
const gradientOf = (moments: Float32Array, before: Float32Array | undefined): Float32Array =>
  moments.map((moment, index) => (moment - beta1 * (before?.[index] ?? 0)) / (1 - beta1));

const greatest = (seen: ArrayLike<number>, expected: ArrayLike<number>) =>
  Math.max(...Array.from(expected, (value, index) => Math.abs(value - (seen[index] ?? NaN))));

async function distillation() {
  const { path, directory, options } = await fixtureRun('llama-biased', {});
  const expected = await openSafetensors(join(path, 'distillation.safetensors'));
  const { temperature, alpha, steps = '[]' } = expected.metadata;
  const objective = teacherObjective(
    {
      divergence: { kind: 'forward-kl' },
      temperature: Number(temperature),
      timesTemperatureSquared: true,
      crossEntropyShare: Number(alpha),
    },
    directory.config,
  );
  const parts = JSON.parse(steps) as readonly Record<'loss' | 'crossEntropy' | 'divergence', number>[];
  return { directory, options: { ...options, objective }, expected, parts };
}

test.each(runners)(
  'three steps have the losses, all gradients and all weights of torch, on %s',
  async (_, makeRunner) => {
    const { directory, options, expected, parts } = await distillation();
    const trainer = await Trainer.create({ ...options, runner: await makeRunner() });
    await trainer.load(directory.tensors.readFloat32);
    await trainer.loadFrozen(teacherWeights((name) => expected.readFloat32(`teacher/${name}`)));
    const moments = new Map<string, Float32Array>();
    const wrong: string[] = [];
    const check = (what: string, difference: number, allowed: number): void => {
      if (!(difference <= allowed)) wrong.push(`${what}: ${difference}`);
    };
    for (const [index, { loss, crossEntropy, divergence }] of parts.entries()) {
      const number = index + 1;
      const [step] = await stepsOf(trainer, number);
      check(`loss ${number}`, relative(step?.loss, loss), greatestRelativeDifference);
      check(`cross-entropy ${number}`, relative(step?.parts['crossEntropy'], crossEntropy), greatestRelativeDifference);
      check(`divergence ${number}`, relative(step?.parts['divergence'], divergence), greatestRelativeDifference);
      for (const name of directory.tensorNames) {
        const newest = trainer.read(firstMomentName(name));
        const [gradient, weight] = [`${number}/gradient/${name}`, `${number}/weight/${name}`];
        const found = gradientOf(newest, moments.get(name));
        moments.set(name, newest);
        check(gradient, relativeDistance(found, await expected.readFloat32(gradient)), greatestRelativeDifference);
        check(weight, greatest(trainer.read(name), await expected.readFloat32(weight)), greatestWeightDifference);
      }
    }
    expect(wrong).toEqual([]);
    expect([parts.length, moments.size]).toEqual([3, 2 + 1 + 2 * 16]);
    await Promise.all([expected.close(), directory.close()]);
    trainer.dispose();
  },
);
