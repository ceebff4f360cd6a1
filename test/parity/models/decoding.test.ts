import { cacheRows, decodeStep, prefill, type KeysAndValues } from '../../../engine/models/decoding.js';
import { hiddenStates, logits } from '../../../engine/models/decoder.js';
import { tf } from '../../../engine/tf.js';
import { relativeDifference } from './differences.js';
import { evaluators, type TensorFunction, type Tensors } from './evaluators.js';
import { loadModelFixture, modelNames, type ModelFixture, type NamedArrays } from './model-fixtures.js';

const [bucket, capacity, slots] = [8, 24, 2];

const input = (inputs: Tensors, name: string): tf.Tensor => {
  const tensor = inputs[name];
  if (tensor === undefined) throw new TypeError(`Expected ${name}.`);
  return tensor;
};

const rowsOfCache = ({ config }: ModelFixture) => slots * config.keyValueHeads * capacity;

const full =
  ({ config }: ModelFixture): TensorFunction =>
  (weights, inputs) => {
    const [rows = 0, tokens = 0] = input(inputs, 'ids').shape;
    const [ids_BT, positions_BT] = [
      input(inputs, 'ids').as2D(rows, tokens),
      input(inputs, 'positions').as2D(rows, tokens),
    ];
    return { logits: logits(config, weights, hiddenStates(config, weights, { ids_BT, positions_BT })) };
  };

const flattened = (layers: readonly KeysAndValues[], headSize: number) =>
  layers.flatMap(({ keys_BKTE, values_BKTE }, index): [string, tf.Tensor][] => [
    [`keys.${index}`, tf.reshape(keys_BKTE, [-1, headSize])],
    [`values.${index}`, tf.reshape(values_BKTE, [-1, headSize])],
  ]);

const prefilling =
  ({ config }: ModelFixture): TensorFunction =>
  (weights, inputs) => {
    const positions_BT = tf.reshape<tf.Rank.R2>(tf.range(0, bucket, 1, 'int32'), [1, bucket]);
    const ids_BT = input(inputs, 'ids').as2D(1, bucket);
    const found = prefill(config, weights, { ids_BT, positions_BT }, input(inputs, 'last').as1D());
    return { logits: found.logits_BV, ...Object.fromEntries(flattened(found.layers, config.headSize)) };
  };

const stepping =
  ({ config }: ModelFixture): TensorFunction =>
  (weights, inputs) => {
    const caches = Array.from({ length: config.layers }, (_, index) => ({
      keys: input(inputs, `keys.${index}`),
      values: input(inputs, `values.${index}`),
    }));
    const [ids_B, positions_B] = [input(inputs, 'ids').as1D(), input(inputs, 'positions').as1D()];
    const { logits_BV, layers } = decodeStep(config, weights, { ids_B, positions_B }, caches);
    const rows = layers.flatMap(({ keys, values }, index): [string, tf.Tensor][] => [
      [`keys.${index}`, keys],
      [`values.${index}`, values],
    ]);
    return { logits: logits_BV, ...Object.fromEntries(rows) };
  };

/** Caches of two slots as an owner of a cache would keep them, filled with what a former text may have left. */
class Caches {
  readonly arrays: Record<string, { shape: number[]; values: Float32Array }> = {};

  constructor(readonly fixture: ModelFixture) {
    const { headSize, layers } = fixture.config;
    for (let layer = 0; layer < layers; layer++)
      for (const kind of ['keys', 'values']) {
        const shape = [rowsOfCache(fixture), headSize];
        this.arrays[`${kind}.${layer}`] = { shape, values: new Float32Array((shape[0] ?? 0) * headSize).fill(50) };
      }
  }
  write(found: NamedArrays, places: Parameters<typeof cacheRows>[2]): void {
    const { headSize } = this.fixture.config;
    const rows = cacheRows(this.fixture.config, capacity, places);
    for (const [name, { values }] of Object.entries(this.arrays))
      rows.forEach((row, index) => {
        const from = found[name]?.values.subarray(index * headSize, (index + 1) * headSize) ?? [];
        values.set(from, row * headSize);
      });
  }
}

const greatest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((best, value, index, all) => (value > (all[best] ?? -Infinity) ? index : best), 0);

const integers = (values: readonly number[], shape = [values.length]) => ({ shape, values: Int32Array.from(values) });

describe.each(modelNames)('%s', (name) => {
  test.each(evaluators)(
    'greedy decoding with a cache finds the tokens of transformers: $name',
    async ({ evaluate }) => {
      const fixture = await loadModelFixture(name);
      const { config, weights } = fixture;
      const expected = [...fixture.int32('greedy.npy').values];
      const slot = 1; // the other one stays empty
      const prompt = expected.slice(0, 5);
      const caches = new Caches(fixture);
      const padded = [...prompt, ...Array<number>(bucket - prompt.length).fill(0)];
      const started = await evaluate(prefilling(fixture), weights, {
        ids: integers(padded, [1, bucket]),
        last: integers([prompt.length - 1]),
      });
      caches.write(started, [{ slot, positions: Array.from({ length: bucket }, (_, position) => position) }]);
      const whole = await evaluate(full(fixture), weights, {
        ids: integers(expected, [1, expected.length]),
        positions: integers(
          expected.map((_, index) => index),
          [1, expected.length],
        ),
      });
      const reference = (position: number) =>
        whole['logits']?.values.subarray(position * config.vocabularySize, (position + 1) * config.vocabularySize) ??
        [];
      expect(relativeDifference(started['logits']?.values ?? [], reference(prompt.length - 1))).toBeLessThan(1e-4);
      for (let position = prompt.length; position < expected.length; position++) {
        const step = await evaluate(stepping(fixture), weights, {
          ids: integers([0, expected[position] ?? 0]),
          positions: integers([0, position]),
          ...caches.arrays,
        });
        const places = [0, position].map((place, index) => ({ slot: index, positions: [place] }));
        caches.write(step, places);
        const found = step['logits']?.values.subarray(slot * config.vocabularySize) ?? [];
        expect(relativeDifference(found, reference(position))).toBeLessThan(1e-4);
        // The prompt of the reference has 8 tokens; what follows is its greedy continuation.
        if (position >= 7 && position + 1 < expected.length) expect(greatest(found)).toBe(expected[position + 1]);
      }
    },
  );
});
