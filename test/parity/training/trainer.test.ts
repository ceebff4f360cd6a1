/**
 * Whole runs of the Trainer: against the steps of torch, from model directories and with a teacher in the same program; and the
 * ways of cutting one step into micro-batches, which must not change what is learned.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Batch } from '../../../engine/data/packing.js';
import type { Sample } from '../../../engine/data/samples.js';
import { openSafetensors } from '../../../engine/files/safetensors.js';
import { firstMomentName } from '../../../engine/training/adamw.js';
import { teacherObjective, teacherWeights } from '../../../engine/training/objective.js';
import { createRandom } from '../../../engine/training/random.js';
import { sampleSteps } from '../../../engine/training/step-source.js';
import { Trainer } from '../../../engine/training/trainer.js';
import type { NamedNumbers, Runner } from '../../../engine/runners/runner.js';
import { drawnTargets, drawTargets, tinySamples, tinyStream, tinyTrainer } from '../../support/tiny-run.js';
import { fixtureRun, inMemory, stepsOf } from './fixture-run.js';
import { runners } from './runners.js';

const modes = runners.flatMap(([name, makeRunner]): [string, () => Promise<Runner>, boolean][] =>
  name === 'wasm'
    ? [[name, makeRunner, false]]
    : [
        [`${name} graph`, makeRunner, false],
        [`${name} XLA`, makeRunner, true],
      ],
);

const tolerance = 1e-6 + 1e-2 * 1e-3;
/** The first step of AdamW is nearly the sign of the gradient; below this, the sign is rounding. */
const noise = 2e-7;

/** What a teacher might say of each token of a sample, wherever the sample lies. */
function targetsBySample({ placements, rows, columns }: Batch): NamedNumbers {
  const targets = drawTargets(rows * columns, createRandom(0, 'no sample'));
  for (const { row, start, sample } of placements)
    for (const [name, values] of Object.entries(drawTargets(sample.ids.length, createRandom(0, sample.id)))) {
      const width = values.length / sample.ids.length;
      targets[name]?.set(values, (row * columns + start) * width);
    }
  return targets;
}

const greatest = (seen: ArrayLike<number>, expected: ArrayLike<number>) =>
  Math.max(...Array.from(expected, (value, index) => Math.abs(value - (seen[index] ?? NaN))));

describe.each(modes)('the trainer on %s', (_, makeRunner, xla) => {
  // XLA takes a minute for all three.
  test.each(xla ? ['qwen3-qknorm'] : ['qwen2-gqa-tied', 'llama3-ropescaled', 'qwen3-qknorm'])(
    'from the directory of %s, its first step is that of torch, recomputed and in pieces of the vocabulary',
    async (model) => {
      const { path, directory, options } = await fixtureRun(model, {});
      const runner = await makeRunner();
      const trainer = await Trainer.create({ ...options, runner, xla, recompute: true, vocabularyChunks: 4 });
      await trainer.load(directory.tensors.readFloat32);
      await directory.close();
      const [step] = await stepsOf(trainer, 1);
      const expected = await openSafetensors(join(path, 'adamw.safetensors'));
      expect(step!.loss).toBeCloseTo(Number(expected.metadata['loss']), 5);
      expect(step!.gradientNorm / Number(expected.metadata['grad_norm'])).toBeCloseTo(1, 5);
      for (const name of directory.tensorNames) {
        const [weights, moments] = [trainer.read(name), trainer.read(firstMomentName(name))];
        const beyond = [...(await expected.readFloat32(name))].flatMap((value, index) =>
          Math.abs(value - weights[index]!) <= tolerance ? [] : [Math.abs(moments[index]! / 0.1)],
        );
        expect(beyond.filter((gradient) => !(gradient < noise))).toEqual([]);
        expect(beyond.length).toBeLessThan(5);
      }
      await expected.close();
      trainer.dispose();
    },
  );

  test('with a teacher in the same program, three steps of distillation are those of torch', async () => {
    const { path, directory, options } = await fixtureRun('qwen2-gqa-tied', {});
    const reference: {
      readonly T: number;
      readonly alpha: number;
      readonly steps: readonly Record<'loss' | 'ce' | 'kl' | 'grad_norm' | 'embed_head' | 'down_proj_0_head', never>[];
    } = JSON.parse(readFileSync(join(path, 'kd.json'), 'utf8'));
    const objective = teacherObjective(
      {
        divergence: { kind: 'forward-kl' },
        temperature: reference.T,
        timesTemperatureSquared: true,
        crossEntropyShare: reference.alpha,
      },
      directory.config,
    );
    const trainer = await Trainer.create({
      ...options,
      objective,
      runner: await makeRunner(),
      xla,
      vocabularyChunks: 2,
    });
    await trainer.load(directory.tensors.readFloat32);
    const teacher = await openSafetensors(join(path, 'kd_teacher.safetensors'));
    await trainer.loadFrozen(teacherWeights(teacher.readFloat32));
    await Promise.all([teacher.close(), directory.close()]);
    for (const [index, expected] of reference.steps.entries()) {
      const [step] = await stepsOf(trainer, index + 1);
      expect(step!.loss).toBeCloseTo(expected.loss, 4);
      expect(step!.parts['crossEntropy']).toBeCloseTo(expected.ce, 4);
      expect(step!.parts['divergence']).toBeCloseTo(expected.kl, 5);
      expect(step!.gradientNorm).toBeCloseTo(expected.grad_norm, 4);
      for (const [name, head] of [
        ['model.embed_tokens.weight', expected.embed_head],
        ['model.layers.0.mlp.down_proj.weight', expected.down_proj_0_head],
      ] as const)
        expect(greatest(trainer.read(name), head)).toBeLessThanOrEqual((index + 1) * tolerance);
    }
    expect(Object.keys(trainer.capture().specs).filter((name) => name.startsWith('teacher/'))).toEqual([]);
    trainer.dispose();
  });

  test('a step of eight rows is the same as one of eight micro-batches, and as all between', async () => {
    const runs = await Promise.all(
      (xla ? [1, 8] : [1, 2, 8]).map(async (microBatches) => {
        const rows = 8 / microBatches;
        const source = sampleSteps(tinySamples(24), { ...tinyStream, rows, microBatches });
        const trainer = await tinyTrainer({
          runner: await makeRunner(),
          xla,
          source,
          shape: { rows, tokens: 16, microBatches },
        });
        const steps = await stepsOf(trainer, 4);
        const moments = Object.keys(trainer.capture().specs).filter((name) => name.startsWith('adamw.m/'));
        const values = moments.map((name) => trainer.read(name));
        trainer.dispose();
        return { steps, values };
      }),
    );
    const [whole, ...cut] = runs;
    expect(whole!.steps).toHaveLength(4);
    for (const { steps, values } of cut) {
      for (const [index, step] of steps.entries()) {
        expect(step.tokens).toBe(whole!.steps[index]!.tokens);
        expect(step.loss).toBeCloseTo(whole!.steps[index]!.loss, 5);
        expect(step.gradientNorm).toBeCloseTo(whole!.steps[index]!.gradientNorm, 4);
      }
      for (const [index, value] of values.entries()) expect(greatest(value, whole!.values[index]!)).toBeLessThan(1e-5);
    }
  });

  test('a step that diverges leaves every bit of weights and moments, in whichever micro-batch it does', async () => {
    const plain = sampleSteps(tinySamples(), tinyStream);
    let poisoned = 0;
    const source = {
      ...plain,
      async *steps(...given: Parameters<typeof plain.steps>) {
        for await (const step of plain.steps(...given)) {
          const microBatches = step.microBatches.map((batch, index) =>
            index === poisoned ? { ...batch, weights: batch.weights.map(() => NaN) } : batch,
          );
          yield { ...step, microBatches };
        }
      },
    };
    const clean = await tinyTrainer({ runner: await makeRunner(), xla, source: plain });
    await stepsOf(clean, 3);
    const trainer = await tinyTrainer({ runner: await makeRunner(), xla, source });
    for (poisoned of [0, 1]) {
      const state = clean.capture();
      await trainer.restore(state);
      await expect(stepsOf(trainer, 4)).rejects.toMatchObject({ code: 'training-diverged', details: { step: 4 } });
      const after = trainer.capture();
      expect(after.progress).toEqual(state.progress);
      for (const [name, before] of Object.entries(state.tensors))
        expect([name, Buffer.from(after.tensors[name]!.buffer).equals(Buffer.from(before.buffer))]).toEqual([
          name,
          true,
        ]);
    }
    clean.dispose();
    trainer.dispose();
  });
});

test.each(runners)(
  "on %s a teacher's rows go with their samples: shuffled and accumulated in any way, one epoch has one loss",
  async (_, makeRunner) => {
    const samples = Array.from({ length: 8 }, (_unused, number): Sample => ({
      id: `sample ${number}`,
      ids: Int32Array.from({ length: 9 }, (__, token) => (7 * number + 3 * token) % 32),
      trained: [{ start: 1 + (number % 4), end: 9 }],
    }));
    const losses: number[] = [];
    for (const [seed, microBatches] of [
      [1, 1],
      [2, 1],
      [3, 4],
    ] as const) {
      const rows = 8 / microBatches;
      const stream = { ...tinyStream, seed, epochs: 1, rows, microBatches, extra: targetsBySample };
      const trainer = await tinyTrainer({
        ...drawnTargets(),
        runner: await makeRunner(),
        xla: false,
        source: sampleSteps(inMemory(samples), stream),
        shape: { rows, tokens: 16, microBatches },
      });
      losses.push(...(await stepsOf(trainer, 9)).map(({ loss }) => loss));
      trainer.dispose();
    }
    expect(losses).toHaveLength(3);
    for (const loss of losses) expect(loss).toBeCloseTo(losses[0]!, 5);
  },
);
