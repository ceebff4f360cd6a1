import {
  checkParameters,
  parameterCount,
  parameterShapes,
  trainingFlopsPerToken,
} from '../../../../engine/models/parameters.js';
import { configurations } from './configurations.js';

const qwen05 = {
  ...configurations.qwen2,
  vocabularySize: 151_936,
  hiddenSize: 896,
  intermediateSize: 4864,
  layers: 24,
  heads: 14,
  headSize: 64,
};

test('the count of Qwen2.5-0.5B is the published one', () => {
  expect(parameterCount(qwen05)).toBe(494_032_768);
});

test('a training step costs six operations per multiplied number, and attention by the length of a row', () => {
  const multiplied = 494_032_768 - 24 * (2 * 896 + 896 + 2 * 128) - 896; // all but norms and biases; the tied head multiplies
  expect(trainingFlopsPerToken(qwen05, 1024)).toBe(6 * multiplied + 12 * 24 * 14 * 64 * 1024);
});

test('an embedding that is only looked up costs nothing', () => {
  const [tied, untied] = [true, false].map((tiedEmbeddings) => trainingFlopsPerToken({ ...qwen05, tiedEmbeddings }, 8));
  expect(untied).toBe(tied);
});

test('biases and norms follow the family', () => {
  const names = (family: keyof typeof configurations) => Object.keys(parameterShapes(configurations[family]));
  expect(names('qwen2').filter((name) => name.endsWith('.bias'))).toHaveLength(6);
  expect(names('qwen3').filter((name) => /[qk]_norm/.test(name))).toHaveLength(4);
  expect(names('llama').at(-1)).toBe('lm_head.weight');
  const biased = { ...configurations.llama, mlpBias: true, attentionBias: { qkv: true, output: true } };
  expect(Object.keys(parameterShapes(biased)).filter((name) => name.endsWith('.bias'))).toHaveLength(14);
});

test('missing, unknown and differently shaped tensors are named, all in one message', () => {
  const config = configurations.llama;
  const { 'model.norm.weight': _, ...others } = parameterShapes(config);
  const found = { ...others, 'lm_head.weight': [32, 15], 'model.layers.9.mlp.up_proj.weight': [1] };
  expect(() => checkParameters(config, found)).toThrow(
    expect.objectContaining({
      code: 'model-weights-mismatch',
      message: expect.stringMatching(
        /missing: model\.norm\.weight; unknown: model\.layers\.9.*lm_head\.weight \[32, 15\] instead of \[32, 16\]/,
      ),
    }),
  );
});

test('copies of tied embeddings and rotary tables of old files pass', () => {
  const config = configurations.qwen2;
  const found = {
    ...parameterShapes(config),
    'lm_head.weight': [32, 16],
    'model.layers.0.self_attn.rotary_emb.inv_freq': [2],
  };
  expect(() => checkParameters(config, found)).not.toThrow();
  expect(() =>
    checkParameters(configurations.llama, { ...parameterShapes(configurations.llama), 'model.layers.0.x': [2] }),
  ).toThrow('unknown: model.layers.0.x');
});
