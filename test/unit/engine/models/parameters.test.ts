import { parameterCount } from '../../../../engine/files/model-tensors.js';
import { trainingFlopsPerToken } from '../../../../engine/models/parameters.js';
import { configurations } from '../../../support/configurations.js';

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
