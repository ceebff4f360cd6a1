import { expectedTensors } from '../../../../engine/files/model-tensors.js';
import { hiddenStates, type Block, type DecoderInputs } from '../../../../engine/models/decoder.js';
import { initialWeight } from '../../../../engine/models/initialise.js';
import type { Weights } from '../../../../engine/models/layer-weights.js';
import { prepareBackend } from '../../../../engine/runners/kernels-backend.js';
import { tf } from '../../../../engine/tf.js';
import { configurations } from '../../../support/configurations.js';

const config = { ...configurations.qwen3, layers: 3 };

beforeAll(() => prepareBackend('cpu'));

const weightsOf = (): Weights =>
  Object.fromEntries(
    [...expectedTensors(config)].map(([name, shape]) => [
      name,
      tf.tensor(initialWeight(config, name, { seed: 1, standardDeviation: 0.3 }), [...shape]),
    ]),
  );

const inputs = (): DecoderInputs => ({
  ids_BT: tf.tensor2d([3, 4, 5, 6, 7, 0], [1, 6], 'int32'),
  positions_BT: tf.tensor2d([0, 1, 2, 0, 1, 0], [1, 6], 'int32'),
  segments_BT: tf.tensor2d([1, 1, 1, 2, 2, 0], [1, 6], 'int32'),
});

test('what is put around layers sees each of them once, in order, and can change nothing by only calling it', () => {
  const seen: string[] = [];
  const watched: Block = (name, layer) => (hidden) => {
    seen.push(name);
    return layer(hidden);
  };
  const [plain, wrapped] = [undefined, watched].map((block) =>
    tf.tidy(() => [...hiddenStates(config, weightsOf(), inputs(), block).dataSync()]),
  );
  expect(wrapped).toEqual(plain);
  expect(seen).toEqual(['model.layers.0', 'model.layers.1', 'model.layers.2']);
});

test('rows of padding alone are numbers', () => {
  const values = tf.tidy(() => {
    const zeros = (): tf.Tensor2D => tf.zeros([2, 4], 'int32');
    return hiddenStates(config, weightsOf(), { ids_BT: zeros(), positions_BT: zeros(), segments_BT: zeros() });
  });
  expect(values.dataSync().every(Number.isFinite)).toBe(true);
  values.dispose();
});

test('a missing tensor is refused by name', () => {
  const { 'model.layers.1.self_attn.k_norm.weight': missing, ...others } = weightsOf();
  expect(missing).toBeDefined();
  expect(() => tf.tidy(() => hiddenStates(config, others, inputs()))).toThrow(
    expect.objectContaining({
      code: 'model-weights-mismatch',
      message: expect.stringContaining('model.layers.1.self_attn.k_norm.weight'),
    }),
  );
});
