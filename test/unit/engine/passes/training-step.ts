/** A step of training of a small decoder: forward, backward and AdamW, with its layers marked as blocks. */
import type { ModelConfig } from '../../../../engine/files/model-config.js';
import { expectedTensors } from '../../../../engine/files/model-tensors.js';
import { adamwUpdate } from '../../../../engine/kernels/adamw.js';
import { hiddenStates, logits } from '../../../../engine/models/decoder.js';
import { tf } from '../../../../engine/tf.js';
import { inBlock } from '../../../../engine/tracing/current.js';
import { adamwUpdates, firstMomentName, secondMomentName } from '../../../../engine/training/adamw.js';
import { createRandom } from '../../../../engine/training/random.js';
import { float, type Tried } from './on-and-off.js';
import { sparseCrossEntropy } from '../../../support/losses.js';

const settings = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, decay: { value: 0.1 }, maximumGradientNorm: 1 };

export interface StepSize {
  readonly rows: number;
  readonly tokens: number;
}

const given = (tensor: tf.Tensor | undefined): tf.Tensor => {
  if (tensor === undefined) throw new Error('Expected a tensor.');
  return tensor;
};

export function trainingStep(config: ModelConfig, { rows, tokens }: StepSize): Tried {
  const shapes = [...expectedTensors(config)];
  const names = shapes.map(([name]) => name);
  const state = Object.fromEntries(
    shapes.flatMap(([name, shape]) =>
      [name, firstMomentName(name), secondMomentName(name)].map((key) => [key, float(...shape)] as const),
    ),
  );
  const ids = { shape: [rows, tokens], dtype: 'int32' as const };
  return {
    state,
    inputs: { ids, positions: ids, labels: { shape: [rows * tokens], dtype: 'int32' } },
    run: (weights, inputs) => {
      const matrix = (name: string): tf.Tensor2D => tf.reshape(given(inputs[name]), [rows, tokens]);
      const loss = (...tensors: tf.Tensor[]): tf.Scalar => {
        const named = Object.fromEntries(names.map((name, index) => [name, given(tensors[index])]));
        const tokensOf = { ids_BT: matrix('ids'), positions_BT: matrix('positions') };
        const hidden = hiddenStates(
          config,
          named,
          tokensOf,
          (name, layer) => (entering) => inBlock(name, () => layer(entering)),
        );
        return tf.mean(sparseCrossEntropy(logits(config, named, hidden), given(inputs['labels']).as1D()));
      };
      const { value, grads } = tf.valueAndGrads(loss)(names.map((name) => given(weights[name])));
      const gradients = Object.fromEntries(names.map((name, index) => [name, given(grads[index])]));
      const scalars = {
        learningRate: tf.scalar(1e-2),
        biasCorrection1: tf.scalar(0.1),
        biasCorrection2: tf.scalar(0.05),
      };
      const { updates, gradientNorm } = adamwUpdates({
        state: weights,
        gradients,
        scalars,
        settings,
        step: adamwUpdate,
      });
      return { outputs: { loss: value, gradientNorm }, updates };
    },
  };
}

/** Tokens of one batch, and weights to begin with. */
export function trainingData(config: ModelConfig, { rows, tokens }: StepSize) {
  const random = createRandom(7, 'data');
  const integers = (): Int32Array =>
    Int32Array.from({ length: rows * tokens }, () => random.integer(config.vocabularySize));
  const positions = Int32Array.from({ length: rows * tokens }, (_, index) => index % tokens);
  const weights = [...expectedTensors(config)].map(([name, shape]): [string, Float32Array] => {
    const length = shape.reduce((product, size) => product * size, 1);
    return [name, Float32Array.from({ length }, () => (shape.length === 1 ? 1 : 0.1 * random.normal()))];
  });
  return { feed: { ids: integers(), positions, labels: integers() }, weights: Object.fromEntries(weights) };
}
