import { lossAndGradients, packedInputs } from './causal-loss.js';
import { normOf, relativeDifference } from './differences.js';
import { evaluatorsFor } from './evaluators.js';
import { loadModelFixture, modelNamesWithBiases, type NamedArrays } from './model-fixtures.js';

const valuesOf = (arrays: NamedArrays, name: string): ArrayLike<number> => arrays[name]?.values ?? [];

describe.each(modelNamesWithBiases)('%s', (name) => {
  test.each(evaluatorsFor(name))('loss and gradients equal those of torch: $name', async ({ evaluate }) => {
    const { config, weights, int32, reference } = await loadModelFixture(name);
    const { shape, values } = int32('input_ids.npy');
    const [rows = 0, tokens = 0] = shape;
    const ids = Array.from({ length: rows }, (_, row) => [[...values.subarray(row * tokens, (row + 1) * tokens)]]);
    const found = await evaluate(lossAndGradients(config), weights, packedInputs(ids, tokens));
    const count = rows * (tokens - 1); // the reference is a mean
    expect(Math.abs((valuesOf(found, 'loss')[0] ?? NaN) / count / reference.loss - 1)).toBeLessThan(1e-5);
    expect(Object.keys(reference.grads).sort()).toEqual(Object.keys(weights).sort());
    for (const [tensor, { norm, head }] of Object.entries(reference.grads)) {
      const gradient = Array.from(valuesOf(found, tensor), (value) => value / count);
      expect([tensor, Math.abs(normOf(gradient) / norm - 1) < 1e-5]).toEqual([tensor, true]);
      const difference = Math.max(...head.map((value, index) => Math.abs(value - (gradient[index] ?? NaN))));
      expect([tensor, difference < 1e-5 * norm]).toEqual([tensor, true]);
    }
  });

  test.each(evaluatorsFor(name))('a packed segment gives what it gives alone: $name', async ({ evaluate }) => {
    const { config, weights, packed } = await loadModelFixture(name);
    const [first = [], second = []] = packed.segments;
    const compute = lossAndGradients(config);
    const [padded, longer, alone] = [40, first.length + second.length + 4, second.length];
    const together = await evaluate(compute, weights, packedInputs([[first, second]], longer));
    const parts = [
      await evaluate(compute, weights, packedInputs([[first]], padded)),
      await evaluate(compute, weights, packedInputs([[second]], alone)),
    ];
    const rowsOf = (arrays: NamedArrays, begin: number, end: number) =>
      Array.from(valuesOf(arrays, 'logits')).slice(begin * config.vocabularySize, end * config.vocabularySize);
    const ends = [first.length, first.length + second.length];
    parts.forEach((part, index) => {
      const length = packed.segments[index]?.length ?? 0;
      const [end = 0, own] = [ends[index], rowsOf(part, 0, length)];
      expect(relativeDifference(rowsOf(together, end - length, end), own)).toBeLessThan(1e-5);
      const expected = (packed.logits[index] ?? []).flat();
      expect(relativeDifference(rowsOf(together, end - 2, end), expected)).toBeLessThan(1e-5);
    });
    for (const tensor of ['loss', ...Object.keys(weights)]) {
      const sum = Array.from(valuesOf(together, tensor), (_, index) =>
        parts.reduce((total, part) => total + (valuesOf(part, tensor)[index] ?? NaN), 0),
      );
      expect([tensor, relativeDifference(valuesOf(together, tensor), sum) < 1e-5]).toEqual([tensor, true]);
    }
    expect(Array.from(valuesOf(together, 'logits')).every(Number.isFinite)).toBe(true);
  });
});
