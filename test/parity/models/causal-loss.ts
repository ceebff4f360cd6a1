/** The loss whose gradients are compared: cross-entropy of given labels under given weights, summed over tokens. */
import type { ModelConfig } from '../../../engine/files/model-config.js';
import { hiddenStates, logits } from '../../../engine/models/decoder.js';
import { tf } from '../../../engine/tf.js';
import type { TensorFunction } from './evaluators.js';
import type { NamedArrays } from './model-fixtures.js';
import { sparseCrossEntropy } from '../../support/losses.js';

/** The loss, the logits, and the gradient of every weight under its name. */
export const lossAndGradients =
  (config: ModelConfig): TensorFunction =>
  (weights, inputs) => {
    const names = Object.keys(weights);
    const input = (name: string): tf.Tensor => {
      const tensor = inputs[name];
      if (tensor === undefined) throw new TypeError(`Expected an input ${name}.`);
      return tensor;
    };
    const [rows = 0, tokens = 0] = input('ids').shape;
    const matrix = (name: string) => input(name).as2D(rows, tokens);
    let seen: tf.Tensor | undefined;
    const { value, grads } = tf.valueAndGrads((...tensors: tf.Tensor[]) => {
      const given = Object.fromEntries(tensors.map((tensor, index) => [names[index] ?? '', tensor]));
      const hidden = hiddenStates(config, given, {
        ids_BT: matrix('ids'),
        positions_BT: matrix('positions'),
        segments_BT: matrix('segments'),
      });
      const logits_NV = logits(config, given, hidden);
      seen = tf.keep(logits_NV.clone());
      const losses_N = sparseCrossEntropy(logits_NV, input('labels').as1D());
      return tf.sum(tf.mul(losses_N, input('weights'))).asScalar();
    })(names.map((name) => weights[name] ?? tf.scalar(0)));
    const kept = seen?.clone();
    seen?.dispose();
    const gradients = names.map((name, index): [string, tf.Tensor] => [name, grads[index] ?? tf.scalar(NaN)]);
    return { loss: value, ...(kept !== undefined && { logits: kept }), ...Object.fromEntries(gradients) };
  };

/**
 * Rows of segments, one after another, padded to `tokens` with segment 0. Each token but the last of a segment predicts the
 * next with weight 1.
 */
export function packedInputs(rows: readonly (readonly (readonly number[])[])[], tokens: number): NamedArrays {
  const size = rows.length * tokens;
  const fields = { ids: 0, positions: 0, segments: 0, labels: 0 };
  const arrays = Object.fromEntries(Object.keys(fields).map((name) => [name, new Int32Array(size)]));
  const weights = new Float32Array(size);
  const set = (name: keyof typeof fields, place: number, value: number) => {
    const array = arrays[name];
    if (array !== undefined) array[place] = value;
  };
  rows.forEach((segments, row) => {
    let place = row * tokens;
    segments.forEach((ids, index) => {
      ids.forEach((id, position) => {
        set('ids', place, id);
        set('positions', place, position);
        set('segments', place, index + 1);
        set('labels', place, ids[position + 1] ?? 0);
        weights[place++] = position + 1 < ids.length ? 1 : 0;
      });
    });
  });
  const matrix = (name: keyof typeof fields) => ({ shape: [rows.length, tokens], values: arrays[name] ?? weights });
  const vector = (values: Float32Array | Int32Array) => ({ shape: [size], values });
  return {
    ids: matrix('ids'),
    positions: matrix('positions'),
    segments: matrix('segments'),
    labels: vector(arrays['labels'] ?? weights),
    weights: vector(weights),
  };
}
