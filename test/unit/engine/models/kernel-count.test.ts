import type { ModelConfig } from '../../../../engine/files/model-config.js';
import { hiddenStates } from '../../../../engine/models/decoder.js';
import { expectedTensors } from '../../../../engine/files/model-tensors.js';
import { tf } from '../../../../engine/tf.js';
import { trace } from '../../../../engine/tracing/trace.js';
import { configurations } from '../../../support/configurations.js';

const shape: [number, number] = [2, 6];

/** Operations that a forward and backward pass records before any rewriting, constants apart. */
function recorded(config: ModelConfig): number {
  const shapes = expectedTensors({ ...config, tiedEmbeddings: true }); // the head makes logits, which are not asked for
  const names = [...shapes.keys()];
  const state = Object.fromEntries(
    names.map((name) => [name, { shape: shapes.get(name) ?? [], dtype: 'float32' as const }]),
  );
  const ids = { shape, dtype: 'int32' as const };
  const program = trace('count', state, { ids, segments: ids }, (weights, inputs) => {
    const matrix = (name: string) => tf.reshape<tf.Rank.R2>(inputs[name] ?? [], shape);
    const loss = (...tensors: tf.Tensor[]): tf.Scalar => {
      const given = Object.fromEntries(tensors.map((tensor, index) => [names[index] ?? '', tensor]));
      const [ids_BT, segments_BT] = [matrix('ids'), matrix('segments')];
      return tf.sum(hiddenStates(config, given, { ids_BT, positions_BT: ids_BT, segments_BT }));
    };
    const { grads } = tf.valueAndGrads(loss)(names.map((name) => weights[name] ?? tf.scalar(0)));
    return { outputs: Object.fromEntries(grads.map((gradient, index) => [`${index}`, gradient])) };
  });
  return program.operations.filter(({ kernel }) => kernel !== 'Constant').length;
}

test.each([
  { family: 'llama', most: 102 },
  { family: 'qwen2', most: 106 },
  { family: 'qwen3', most: 123 },
] as const)('a layer of $family is at most $most kernels, forward and backward', ({ family, most }) => {
  const [one, two] = [1, 2].map((layers) => recorded({ ...configurations[family], layers }));
  expect((two ?? NaN) - (one ?? NaN)).toBeLessThanOrEqual(most);
});
