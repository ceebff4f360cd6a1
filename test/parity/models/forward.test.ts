import { hiddenStates, logits } from '../../../engine/models/decoder.js';
import { tf } from '../../../engine/tf.js';
import { relativeDifference } from './differences.js';
import { compiledEvaluatorsFor, evaluatorsFor, type TensorFunction } from './evaluators.js';
import { loadModelFixture, modelNamesWithBiases, type ModelFixture, type NamedArrays } from './model-fixtures.js';

const inputsOf = ({ shape, values }: { shape: readonly number[]; values: Int32Array }): NamedArrays => {
  const [, tokens = 0] = shape;
  return {
    ids: { shape, values },
    positions: { shape, values: values.map((_, index) => index % tokens) },
  };
};

const forward =
  ({ config }: ModelFixture): TensorFunction =>
  (weights, inputs) => {
    const [ids_BT, positions_BT] = [inputs['ids'] as tf.Tensor2D, inputs['positions'] as tf.Tensor2D];
    const hidden = hiddenStates(config, weights, { ids_BT, positions_BT });
    return { hidden, logits: logits(config, weights, hidden) };
  };

describe.each(modelNamesWithBiases)('%s', (name) => {
  test.each(evaluatorsFor(name))(
    'hidden states and logits equal those of transformers: $name',
    async ({ evaluate }) => {
      const fixture = await loadModelFixture(name);
      const found = await evaluate(forward(fixture), fixture.weights, inputsOf(fixture.int32('input_ids.npy')));
      const states = fixture.float32('hidden_states.npy').values;
      const last = states.subarray(states.length - (found['hidden']?.values.length ?? 0));
      expect(relativeDifference(found['hidden']?.values ?? [], last)).toBeLessThan(1e-4);
      const expected = fixture.float32('logits.npy');
      expect(relativeDifference(found['logits']?.values ?? [], expected.values)).toBeLessThan(1e-4);
    },
  );

  test.each(compiledEvaluatorsFor(name))('logits stay equal along 1,024 positions: $name', async ({ evaluate }) => {
    const fixture = await loadModelFixture(name);
    const chosen: TensorFunction = (weights, inputs) => {
      const { logits: all } = forward(fixture)(weights, inputs);
      return all === undefined ? {} : { chosen: tf.gather(all, tf.tensor1d([255, 511, 1023], 'int32')) };
    };
    const found = await evaluate(chosen, fixture.weights, inputsOf(fixture.int32('long_ids.npy')));
    const expected = fixture.float32('long_logits.npy').values;
    expect(relativeDifference(found['chosen']?.values ?? [], expected)).toBeLessThan(1e-4);
  });
});
