import { initialWeight } from '../../../../engine/models/initialise.js';
import { expectedTensors } from '../../../../engine/files/model-tensors.js';
import { configurations } from '../../../support/configurations.js';

const large = { ...configurations.qwen2, vocabularySize: 501, hiddenSize: 101, padding: 7 };

test('matrices are normal of the wanted deviation, biases zero, norms one', () => {
  const values = initialWeight(large, 'model.layers.0.mlp.up_proj.weight', { seed: 1 });
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  const beyondTwo = values.filter((value) => Math.abs(value) > 0.04).length / values.length;
  expect(Math.abs(mean)).toBeLessThan(0.02 * 0.1);
  expect(Math.abs(deviation / 0.02 - 1)).toBeLessThan(0.05);
  expect(Math.abs(beyondTwo - 0.0455)).toBeLessThan(0.015);
  expect([...new Set(initialWeight(large, 'model.layers.1.self_attn.q_proj.bias', { seed: 1 }))]).toEqual([0]);
  expect([...new Set(initialWeight(large, 'model.norm.weight', { seed: 1 }))]).toEqual([1]);
});

test('a wider deviation scales the same numbers', () => {
  const [name, seed] = ['model.embed_tokens.weight', 3];
  const [narrow, wide] = [0.02, 0.04].map((standardDeviation) =>
    initialWeight(large, name, { seed, standardDeviation }),
  );
  expect(wide?.every((value, index) => value === 2 * (narrow?.[index] ?? NaN))).toBe(true);
});

test('the embedding of the padding token is zero, and no other', () => {
  const values = initialWeight(large, 'model.embed_tokens.weight', { seed: 1 });
  const zeroRows = Array.from({ length: large.vocabularySize }, (_, row) => row).filter((row) =>
    values.subarray(row * large.hiddenSize, (row + 1) * large.hiddenSize).every((value) => value === 0),
  );
  expect(zeroRows).toEqual([large.padding]);
});

test('a tensor depends on seed and name alone, and no two tensors begin alike', () => {
  const config = configurations.llama;
  const names = [...expectedTensors(config).keys()].filter((name) => !name.includes('norm'));
  const beginning = (name: string, seed: number) => initialWeight(config, name, { seed }).subarray(0, 4).join();
  const forwards = names.map((name) => beginning(name, 5));
  const backwards = [...names].reverse().map((name) => beginning(name, 5));
  expect(backwards.reverse()).toEqual(forwards);
  expect(new Set([...forwards, ...names.map((name) => beginning(name, 6))]).size).toBe(2 * names.length);
});

test('the numbers of a seed never change', () => {
  const values = initialWeight(configurations.llama, 'lm_head.weight', { seed: 42 });
  expect([...values.subarray(0, 3)]).toMatchInlineSnapshot(`
    [
      -0.004333170130848885,
      0.003223309526219964,
      -0.03958827629685402,
    ]
  `);
});

test('a tensor that the configuration does not have is refused by name', () => {
  const asked = () => initialWeight(configurations.qwen2, 'lm_head.weight', { seed: 1 });
  expect(asked).toThrow(expect.objectContaining({ code: 'model-weights-mismatch' }));
});
