import { decodeStep, placePrompts, prefill, type LayerCache } from '../../../engine/models/decoding.js';
import { hiddenStates, logits } from '../../../engine/models/decoder.js';
import { tf } from '../../../engine/tf.js';
import { relativeDifference } from './differences.js';
import { evaluatorsFor, type TensorFunction, type Tensors } from './evaluators.js';
import { loadModelFixture, modelNamesWithBiases, type ModelFixture, type NamedArrays } from './model-fixtures.js';

const [bucket, capacity, slots] = [8, 24, 2];

const input = (inputs: Tensors, name: string): tf.Tensor => {
  const tensor = inputs[name];
  if (tensor === undefined) throw new TypeError(`Expected ${name}.`);
  return tensor;
};

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

const names = ({ config }: ModelFixture): string[] =>
  Array.from({ length: config.layers }, (_, layer) => [`keys.${layer}`, `values.${layer}`]).flat();

const cachesIn = ({ config }: ModelFixture, inputs: Tensors): LayerCache[] => {
  const rows = (name: string) => input(inputs, name).as2D(slots * config.keyValueHeads * capacity, config.headSize);
  return Array.from({ length: config.layers }, (_, layer) => ({
    keys: rows(`keys.${layer}`),
    values: rows(`values.${layer}`),
  }));
};

const named = (caches: readonly LayerCache[]): Tensors =>
  Object.fromEntries(
    caches.flatMap(({ keys, values }, layer) => [
      [`keys.${layer}`, keys],
      [`values.${layer}`, values],
    ]),
  );

const prefilling =
  (fixture: ModelFixture): TensorFunction =>
  (weights, inputs) => {
    const positions_BT = tf.reshape<tf.Rank.R2>(tf.range(0, bucket, 1, 'int32'), [1, bucket]);
    const ids_BT = input(inputs, 'ids').as2D(1, bucket);
    const found = prefill(fixture.config, weights, { ids_BT, positions_BT }, input(inputs, 'last').as1D());
    const slot = input(inputs, 'slot').as1D();
    const caches = cachesIn(fixture, inputs).map((cache, layer) => {
      const prompt = found.layers[layer];
      if (prompt === undefined) throw new TypeError(`Expected layer ${layer}.`);
      return placePrompts(cache, prompt, slot, capacity);
    });
    return { logits: found.logits_BV, ...named(caches) };
  };

const stepping =
  (fixture: ModelFixture): TensorFunction =>
  (weights, inputs) => {
    const [ids_B, positions_B] = [input(inputs, 'ids').as1D(), input(inputs, 'positions').as1D()];
    const { logits_BV, caches } = decodeStep(
      fixture.config,
      weights,
      { ids_B, positions_B },
      cachesIn(fixture, inputs),
    );
    return { logits: logits_BV, ...named(caches) };
  };

/** Caches of two slots, filled with what a former text may have left. */
const usedCaches = (fixture: ModelFixture): NamedArrays => {
  const { keyValueHeads, headSize } = fixture.config;
  const shape = [slots * keyValueHeads * capacity, headSize];
  const values = new Float32Array((shape[0] ?? 0) * headSize).fill(50);
  return Object.fromEntries(names(fixture).map((name) => [name, { shape, values }]));
};

const greatest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((best, value, index, all) => (value > (all[best] ?? -Infinity) ? index : best), 0);

const integers = (values: readonly number[], shape = [values.length]) => ({ shape, values: Int32Array.from(values) });

describe.each(modelNamesWithBiases)('%s', (name) => {
  test.each(evaluatorsFor(name))(
    'greedy decoding with a cache finds the tokens of transformers: $name',
    async ({ evaluate, prepare }) => {
      const fixture = await loadModelFixture(name);
      const { config, weights } = fixture;
      const expected = [...fixture.int32('greedy.npy').values];
      const slot = 1; // the other one stays empty
      const prompt = expected.slice(0, 5);
      const padded = [...prompt, ...Array<number>(bucket - prompt.length).fill(0)];
      const started = await evaluate(prefilling(fixture), weights, {
        ids: integers(padded, [1, bucket]),
        last: integers([prompt.length - 1]),
        slot: integers([slot]),
        ...usedCaches(fixture),
      });
      const { logits: first, ...placed } = started;
      let caches: NamedArrays = placed;
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
      expect(relativeDifference(first?.values ?? [], reference(prompt.length - 1))).toBeLessThan(1e-4);
      const inputsAt = (position: number): NamedArrays => ({
        ids: integers([0, expected[position] ?? 0]),
        positions: integers([0, position]),
        ...caches,
      });
      const step = await prepare(stepping(fixture), weights, inputsAt(prompt.length));
      for (let position = prompt.length; position < expected.length; position++) {
        const { logits: stepped, ...next } = step.run(inputsAt(position));
        caches = next;
        const found = stepped?.values.subarray(slot * config.vocabularySize) ?? [];
        expect(relativeDifference(found, reference(position))).toBeLessThan(1e-4);
        // The prompt of the reference has 8 tokens; what follows is its greedy continuation.
        if (position >= 7 && position + 1 < expected.length) expect(greatest(found)).toBe(expected[position + 1]);
      }
      step.dispose();
    },
  );
});
