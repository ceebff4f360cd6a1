/**
 * Whole training steps against torch: one AdamW step of cross-entropy on each family, and three of distillation, where what a
 * step gets wrong is what the next one starts from (every tensor of such steps: distillation-steps.test.ts).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile, type Session } from '../../../engine/compile.js';
import { nextTokenTargets } from '../../../engine/data/next-token.js';
import { readModelConfig, type ModelConfig } from '../../../engine/files/model-config.js';
import { openSafetensors } from '../../../engine/files/safetensors.js';
import { headName, hiddenStates, logits } from '../../../engine/models/decoder.js';
import { weightOf } from '../../../engine/models/layer-weights.js';
import type { Runner } from '../../../engine/runners/runner.js';
import { tf } from '../../../engine/tf.js';
import type { TensorSpec } from '../../../engine/tracing/tensor-spec.js';
import type { Tensors } from '../../../engine/tracing/tensors.js';
import {
  adamwUpdates,
  biasCorrections,
  firstMomentName,
  secondMomentName,
  type AdamWSettings,
} from '../../../engine/training/adamw.js';
import { chunkedHeadLoss } from '../../../engine/training/losses/chunked-head.js';
import { crossEntropy } from '../../../engine/training/losses/cross-entropy.js';
import { denseDistillation } from '../../../engine/training/losses/distillation.js';
import type { LogitLoss, Targets } from '../../../engine/training/losses/loss.js';
import { modelFixtures, readInt32Npy } from '../../support/npy.js';
import { runners } from './runners.js';

/** As in test/fixtures/models/make_training_fixtures.py: everything decays. */
const settings: AdamWSettings = {
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  decay: { value: 0, rules: [{ names: '*', value: 0.1 }] },
};
const learningRate = 1e-3;
const tolerance = 1e-6 + 1e-2 * learningRate;
/**
 * The first step of AdamW is nearly the sign of the gradient. Where a gradient is this small beside a norm of about 4, its sign
 * is rounding in torch's float32 as in ours.
 */
const noise = 2e-7;

type Arrays = Record<string, Float32Array>;

async function readWeights(path: string): Promise<{ arrays: Arrays; specs: Record<string, TensorSpec> }> {
  const source = await openSafetensors(path);
  const arrays: Arrays = {};
  const specs: Record<string, TensorSpec> = {};
  for (const name of source.names) {
    arrays[name] = await source.readFloat32(name);
    specs[name] = { shape: source.describe(name).shape, dtype: 'float32' };
  }
  await source.close();
  return { arrays, specs };
}

async function scene(model: string) {
  const directory = join(modelFixtures, model);
  const { shape, values: ids } = readInt32Npy(join(directory, 'input_ids.npy'));
  const [rows = 0, rowLength = 0] = shape;
  const every = { tokenWeights: new Float32Array(ids.length).fill(1), segments: new Int32Array(ids.length) };
  const targets = nextTokenTargets({ ids, rowLength, ...every });
  const config = await readModelConfig(join(directory, 'config.json'));
  return {
    directory,
    config,
    ids,
    rows,
    rowLength,
    targets,
    ...(await readWeights(join(directory, 'model.safetensors'))),
  };
}

type Scene = Awaited<ReturnType<typeof scene>>;

const scalar: TensorSpec = { shape: [], dtype: 'float32' };

const decoderInputs = ({ rows, rowLength }: Scene, ids: tf.Tensor) => ({
  ids_BT: tf.reshape<tf.Rank.R2>(ids, [rows, rowLength]),
  positions_BT: tf.tile(tf.expandDims<tf.Tensor2D>(tf.range(0, rowLength, 1, 'int32'), 0), [rows, 1]),
});

const hiddenOf = (config: ModelConfig, weights: Tensors, at: Scene, ids: tf.Tensor) =>
  hiddenStates(config, weights, decoderInputs(at, ids));

/** Loss, gradients and update in one program; `chunks` pieces of the tokens at the head. */
function trainProgram<T extends Targets>(
  at: Scene,
  loss: LogitLoss<T>,
  targetSpecs: Record<string, TensorSpec>,
  targetsOf: (inputs: Tensors) => T,
) {
  const { config, specs, ids } = at;
  const names = Object.keys(specs);
  const run = (state: Tensors, inputs: Tensors) => {
    const weights_N = tf.reshape<tf.Rank.R1>(weightOf(inputs, 'weights_N'), [ids.length]);
    const reported: Record<string, tf.Tensor> = {};
    const lossOf = (...leaves: tf.Tensor[]) => {
      const weights = Object.fromEntries(names.map((name, index) => [name, leaves[index]!]));
      const hidden_ND = hiddenOf(config, weights, at, weightOf(inputs, 'ids'));
      const head_VD = weightOf(weights, headName(config)) as tf.Tensor2D;
      const globalTokenCount = weightOf(inputs, 'tokenCount') as tf.Scalar;
      const call = { hidden_ND, head_VD, weights_N, globalTokenCount, targets: targetsOf(inputs) };
      const { value, parts } = chunkedHeadLoss({ ...call, loss, chunks: 2 });
      for (const [name, part] of Object.entries(parts)) reported[name] = tf.keep(part);
      return value;
    };
    const { value, grads } = tf.valueAndGrads(lossOf)(names.map((name) => weightOf(state, name)));
    const gradients = Object.fromEntries(names.map((name, index) => [name, grads[index]!]));
    const scalars = {
      learningRate: weightOf(inputs, 'learningRate') as tf.Scalar,
      biasCorrection1: weightOf(inputs, 'biasCorrection1') as tf.Scalar,
      biasCorrection2: weightOf(inputs, 'biasCorrection2') as tf.Scalar,
    };
    const { updates, gradientNorm, finite } = adamwUpdates({ state, gradients, scalars, settings });
    return { outputs: { loss: value, gradientNorm, finite, ...reported }, updates };
  };
  const perToken = (dtype: 'float32' | 'int32'): TensorSpec => ({ shape: [ids.length], dtype });
  const inputs = {
    ids: perToken('int32'),
    weights_N: perToken('float32'),
    ...targetSpecs,
    tokenCount: scalar,
    learningRate: scalar,
    biasCorrection1: scalar,
    biasCorrection2: scalar,
  };
  return { inputs, run };
}

const stateSpecs = ({ specs }: Scene): Record<string, TensorSpec> =>
  Object.fromEntries(
    Object.entries(specs).flatMap(([name, spec]) => [
      [name, spec],
      [firstMomentName(name), spec],
      [secondMomentName(name), spec],
    ]),
  );

const single = (value: number) => Float32Array.of(value);

function trainStep(
  session: Session<'train'>,
  at: Scene,
  update: number,
  targets: Record<string, Float32Array | Int32Array>,
) {
  const { biasCorrection1, biasCorrection2 } = biasCorrections(settings, update);
  const results = session.run('train', {
    ids: at.ids,
    weights_N: at.targets.weights,
    ...targets,
    tokenCount: single(at.targets.trainedTokens),
    learningRate: single(learningRate),
    biasCorrection1: single(biasCorrection1),
    biasCorrection2: single(biasCorrection2),
  });
  return (name: string) => results[name]![0]!;
}

const greatest = (seen: ArrayLike<number>, expected: ArrayLike<number>) =>
  Math.max(...Array.from(expected, (value, index) => Math.abs(value - (seen[index] ?? NaN))));

describe.each(runners)('training steps on %s', (_name, makeRunner) => {
  test.each(['qwen2-gqa-tied', 'llama3-ropescaled', 'qwen3-qknorm'])(
    'one AdamW step on %s: loss, gradient norm and every weight are those of torch',
    async (model) => {
      const at = await scene(model);
      const expected = await openSafetensors(join(at.directory, 'adamw.safetensors'));
      const program = trainProgram(
        at,
        crossEntropy,
        { labels: { shape: [at.ids.length], dtype: 'int32' } },
        (inputs) => ({
          labels_N: weightOf(inputs, 'labels') as tf.Tensor1D,
        }),
      );
      const session = await compile({
        runner: await makeRunner(),
        state: stateSpecs(at),
        programs: { train: program },
      });
      session.write(at.arrays);
      const result = trainStep(session, at, 1, { labels: at.targets.labels });
      expect(result('loss')).toBeCloseTo(Number(expected.metadata['loss']), 5);
      expect(result('gradientNorm') / Number(expected.metadata['grad_norm'])).toBeCloseTo(1, 5);
      expect(result('finite')).toBe(1);
      for (const name of expected.names) {
        const moment = firstMomentName(name);
        const { [name]: weights, [moment]: moments } = session.read([name, moment]);
        const beyond = [...(await expected.readFloat32(name))].flatMap((value, index) =>
          Math.abs(value - weights![index]!) <= tolerance ? [] : [Math.abs(moments![index]! / (1 - settings.beta1))],
        );
        expect(beyond.filter((gradient) => !(gradient < noise))).toEqual([]);
        expect(beyond.length).toBeLessThan(5);
      }
      await expected.close();
      session.dispose();
    },
  );

  test('three steps of α·CE + (1−α)·T²·KL have the losses, gradient norms and weights of torch', async () => {
    const at = await scene('qwen2-gqa-tied');
    const reference: {
      readonly T: number;
      readonly alpha: number;
      readonly steps: Record<'loss' | 'ce' | 'kl' | 'grad_norm' | 'embed_head' | 'down_proj_0_head', never>[];
    } = JSON.parse(readFileSync(join(at.directory, 'kd.json'), 'utf8'));
    const loss = denseDistillation({
      divergence: { kind: 'forward-kl' },
      temperature: reference.T,
      timesTemperatureSquared: true,
      crossEntropyShare: reference.alpha,
    });
    const teacher = await teacherLogits(at, await makeRunner());
    const logitsSpec: TensorSpec = { shape: [at.ids.length, at.config.vocabularySize], dtype: 'float32' };
    const targetSpecs = { labels: { shape: [at.ids.length], dtype: 'int32' }, teacher: logitsSpec } as const;
    const program = trainProgram(at, loss, targetSpecs, (inputs) => ({
      labels_N: weightOf(inputs, 'labels') as tf.Tensor1D,
      teacherLogits_NW: weightOf(inputs, 'teacher') as tf.Tensor2D,
    }));
    const session = await compile({ runner: await makeRunner(), state: stateSpecs(at), programs: { train: program } });
    session.write(at.arrays);
    reference.steps.forEach((step, index) => {
      const result = trainStep(session, at, index + 1, { labels: at.targets.labels, teacher });
      expect(result('loss') / step.loss).toBeCloseTo(1, 5);
      expect(result('crossEntropy') / step.ce).toBeCloseTo(1, 5);
      expect(result('divergence') / step.kl).toBeCloseTo(1, 5);
      expect(result('gradientNorm') / step.grad_norm).toBeCloseTo(1, 5);
      const embeddings = 'model.embed_tokens.weight';
      const down = 'model.layers.0.mlp.down_proj.weight';
      const weights = session.read([embeddings, down]);
      expect(greatest(weights[embeddings]!, step.embed_head)).toBeLessThanOrEqual((index + 1) * tolerance);
      expect(greatest(weights[down]!, step.down_proj_0_head)).toBeLessThanOrEqual((index + 1) * tolerance);
    });
    session.dispose();
  });
});

async function teacherLogits(at: Scene, runner: Runner): Promise<Float32Array> {
  const { arrays, specs } = await readWeights(join(at.directory, 'kd_teacher.safetensors'));
  const run = (state: Tensors, inputs: Tensors) => ({
    outputs: { logits: logits(at.config, state, hiddenOf(at.config, state, at, weightOf(inputs, 'ids'))) },
  });
  const inputs = { ids: { shape: [at.ids.length], dtype: 'int32' } } as const;
  const session = await compile({ runner, state: specs, programs: { teacher: { inputs, run } } });
  session.write(arrays);
  const results = session.run('teacher', { ids: at.ids });
  session.dispose();
  return Float32Array.from(results['logits']!);
}
