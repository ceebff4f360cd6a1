import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { accumulatedUpdates, clearedUpdates, withAccumulated } from '../../../../engine/training/accumulation.js';
import {
  adamwUpdates,
  biasCorrections,
  firstMomentName,
  secondMomentName,
  type AdamWSettings,
} from '../../../../engine/training/adamw.js';
import { decayOf } from '../../../../engine/training/weight-decay.js';
import { tf } from '../../../../engine/tf.js';
import { describeOnBackends, greatestDifference } from './on-backends.js';

type Arrays = Record<string, number[] | number[][]>;

interface Reference {
  readonly name: string;
  readonly decay: number;
  readonly maximumGradientNorm: number | null;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly start: Arrays;
  readonly steps: {
    readonly gradients: Arrays;
    readonly learningRate: number;
    readonly gradientNorm: number;
    readonly weights: Arrays;
    readonly m: Arrays;
    readonly v: Arrays;
  }[];
}

const references: Reference[] = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../fixtures/gradients/adamw.json'), 'utf8'),
);

const settings: AdamWSettings = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, decay: { value: 0 } };

const tensors = (arrays: Arrays) =>
  Object.fromEntries(Object.entries(arrays).map(([name, values]) => [name, tf.tensor(values)]));

function freshState(weights: Record<string, tf.Tensor>): Record<string, tf.Tensor> {
  const moments = Object.entries(weights).flatMap(([name, weight]) => [
    [firstMomentName(name), tf.zerosLike(weight)],
    [secondMomentName(name), tf.zerosLike(weight)],
  ]);
  return { ...weights, ...Object.fromEntries(moments) };
}

const bytesOf = (state: Record<string, tf.Tensor>) =>
  Object.entries(state).map(([name, tensor]) => [name, Buffer.from(tensor.dataSync().buffer).toString('hex')]);

describeOnBackends('AdamW', () => {
  test.each(references.map((reference) => [reference.name, reference] as const))(
    'weights and moments equal those of torch after each of four steps: %s',
    (_name, { decay, maximumGradientNorm, beta1, beta2, epsilon, start, steps }) => {
      let state = freshState(tensors(start));
      steps.forEach((step, index) => {
        const { updates, gradientNorm, finite } = adamwUpdates({
          state,
          gradients: tensors(step.gradients),
          scalars: { learningRate: tf.scalar(step.learningRate), ...biasCorrections({ beta1, beta2 }, index + 1) },
          settings: {
            beta1,
            beta2,
            epsilon,
            decay: { value: 0, rules: [{ names: '*', value: decay }] },
            ...(maximumGradientNorm === null ? {} : { maximumGradientNorm }),
          },
        });
        state = { ...state, ...updates };
        expect(finite.dataSync()[0]).toBe(1);
        expect(gradientNorm.dataSync()[0]).toBeCloseTo(step.gradientNorm, 5);
        for (const name of Object.keys(start)) {
          expect(greatestDifference(state[name]!, step.weights[name]!)).toBeLessThan(1e-6);
          expect(greatestDifference(state[firstMomentName(name)]!, step.m[name]!)).toBeLessThan(1e-6);
          expect(greatestDifference(state[secondMomentName(name)]!, step.v[name]!)).toBeLessThan(1e-6);
        }
      });
    },
  );

  test.each([NaN, Infinity, -Infinity, 3e38])(
    'a gradient that holds %d changes no bit of any weight or moment, and says so',
    (bad) => {
      const weights = { a: tf.tensor1d([1, 2, 3]), b: tf.tensor2d([[0.5, -0.5]]) };
      const scalars = { learningRate: 0.1, ...biasCorrections(settings, 2) };
      const good = { a: tf.tensor1d([0.1, 0.2, 0.3]), b: tf.tensor2d([[1, 2]]) };
      const before = {
        ...freshState(weights),
        ...adamwUpdates({ state: freshState(weights), gradients: good, scalars, settings }).updates,
      };
      const result = adamwUpdates({
        state: before,
        gradients: { a: tf.tensor1d([0, bad, 1]), b: tf.tensor2d([[1, 2]]) },
        scalars,
        settings: { ...settings, maximumGradientNorm: 1 },
      });
      expect(result.finite.dataSync()[0]).toBe(0);
      expect(bytesOf({ ...before, ...result.updates })).toEqual(bytesOf(before));
    },
  );

  test('gradients accumulated over micro-steps give the update of their sum, and are cleared after it', () => {
    const weights = { a: tf.tensor1d([1, 2, 3]) };
    const zero = { 'accumulated/a': tf.zeros([3]) };
    const parts = [
      [1, 2, 3],
      [-0.5, 0.25, 1],
      [0.125, 4, 0],
    ].map((values) => ({ a: tf.tensor1d(values) }));
    let state: Record<string, tf.Tensor> = { ...freshState(weights), ...zero };
    for (const part of parts.slice(0, -1)) state = { ...state, ...accumulatedUpdates(state, part) };
    const sum = withAccumulated(state, parts.at(-1)!);
    expect([...sum['a']!.dataSync()]).toEqual([0.625, 6.25, 4]);
    state = { ...state, ...clearedUpdates(sum) };
    expect(bytesOf({ a: state['accumulated/a']! })).toEqual(bytesOf({ a: tf.zeros([3]) }));
  });

  test('a gradient without its moments is a defect and is named', () => {
    const scalars = { learningRate: 1, ...biasCorrections(settings, 1) };
    const gradients = { a: tf.scalar(1) };
    expect(() => adamwUpdates({ state: { a: tf.scalar(1) }, gradients, scalars, settings })).toThrow('adamw.m/a');
  });
});

describe('weight decay', () => {
  test('matrices and embeddings decay by default, vectors do not', () => {
    const decay = { value: 0.1 };
    expect(decayOf('model.layers.0.self_attn.q_proj.weight', [4, 4], decay)).toBe(0.1);
    expect(decayOf('model.embed_tokens.weight', [9, 4], decay)).toBe(0.1);
    expect(decayOf('model.layers.0.self_attn.q_proj.bias', [4], decay)).toBe(0);
    expect(decayOf('model.norm.weight', [4], decay)).toBe(0);
  });

  test('the first rule whose pattern matches the whole name counts', () => {
    const rules = [
      { names: 'model.embed_tokens.weight', value: 0 },
      { names: 'model.layers.*.mlp.*', value: 0.2 },
      { names: '*', value: 0.3 },
    ];
    const decay = { value: 0.1, rules };
    expect(decayOf('model.embed_tokens.weight', [9, 4], decay)).toBe(0);
    expect(decayOf('model.layers.11.mlp.up_proj.weight', [4, 4], decay)).toBe(0.2);
    expect(decayOf('model.norm.weight', [4], decay)).toBe(0.3);
    expect(decayOf('modelXnorm.weight', [4], { value: 0.1, rules: [{ names: 'model.norm.*', value: 1 }] })).toBe(0);
  });
});
