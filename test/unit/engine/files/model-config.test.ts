import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  modelConfigFields,
  parseModelConfig,
  readModelConfig,
  writeModelConfig,
} from '../../../../engine/files/model-config.js';
import { expectedTensors } from '../../../../engine/files/model-tensors.js';
import { modelFixtures } from '../../../support/npy.js';
import { temporaryDirectory } from '../../../support/temporary.js';
import { publishedConfigs } from './published-configs.js';

const fixture = (name: string, file = 'config.json'): Record<string, unknown> =>
  JSON.parse(readFileSync(join(modelFixtures, name, file), 'utf8')) as Record<string, unknown>;

const qwen2 = fixture('qwen2-gqa-tied');
const qwen3 = fixture('qwen3-qknorm');
const llama = fixture('llama3-ropescaled');

const parse = (json: unknown) => parseModelConfig(json, 'config.json');
const refusal = (json: unknown) => {
  try {
    parse(json);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('it was accepted');
};

describe('config.json', () => {
  it('gives what the computation of a Qwen2 needs', () => {
    expect(parse(qwen2)).toEqual({
      family: 'qwen2',
      vocabularySize: 1024,
      hiddenSize: 64,
      intermediateSize: 160,
      layers: 2,
      heads: 4,
      keyValueHeads: 2,
      headSize: 16,
      maximumPositions: 512,
      rmsNormEpsilon: 1e-6,
      tiedEmbeddings: true,
      rope: { theta: 1_000_000 },
      attentionBias: { qkv: true, output: false },
      mlpBias: false,
      endOfSequence: [1023],
      padding: 1021,
    });
  });

  it('gives the frequencies of a scaled Llama and the head size of a Qwen3', () => {
    expect(parse(llama).rope).toEqual({
      theta: 500_000,
      scaling: {
        kind: 'llama3',
        factor: 8,
        lowFrequencyFactor: 1,
        highFrequencyFactor: 4,
        originalMaximumPositions: 32,
      },
    });
    expect(parse(qwen3)).toMatchObject({ headSize: 16, attentionBias: { qkv: false, output: false } });
  });

  it.each(['qwen2-gqa-tied', 'llama3-ropescaled'])('reads the spelling of transformers 4 as that of 5: %s', (name) => {
    expect(parse(fixture(name, 'config.legacy.json'))).toEqual(parse(fixture(name)));
  });

  it('is silent where transformers has defaults, and they are its own', () => {
    expect(parse({ model_type: 'llama' })).toMatchObject({
      vocabularySize: 32_000,
      intermediateSize: 11_008,
      heads: 32,
      keyValueHeads: 32,
      headSize: 128,
      maximumPositions: 2048,
      rope: { theta: 10_000 },
      attentionBias: { qkv: false, output: false },
      beginningOfSequence: 1,
      endOfSequence: [2],
    });
    expect(
      parse({ model_type: 'qwen3', hidden_size: 1024, num_attention_heads: 16, num_key_value_heads: 8 }),
    ).toMatchObject({ headSize: 128, tiedEmbeddings: false, endOfSequence: [] });
    expect(parse({ model_type: 'llama', attention_bias: true, mlp_bias: true })).toMatchObject({
      attentionBias: { qkv: true, output: true },
      mlpBias: true,
    });
    expect(parse({ model_type: 'qwen2', attention_bias: false })).toMatchObject({ attentionBias: { qkv: true } });
  });

  it.each(publishedConfigs)('of %s gives the model that was published', (_, json, parameters, understood) => {
    const config = parse(json);
    const sizes = [...expectedTensors(config).values()].map((shape) => shape.reduce((product, size) => product * size));
    expect(sizes.reduce((total, count) => total + count)).toBe(parameters);
    expect(config).toMatchObject(understood);
  });

  it('keeps several ends of sequence, and knows the older name of a rope type', () => {
    expect(parse({ ...llama, eos_token_id: [1, 2] }).endOfSequence).toEqual([1, 2]);
    const { rope_parameters: _, ...rest } = llama;
    expect(parse({ ...rest, rope_scaling: { type: 'linear', factor: 2 } }).rope).toEqual({
      theta: 10_000,
      scaling: { kind: 'linear', factor: 2 },
    });
  });

  it.each([
    [
      'a sliding window in use',
      { ...qwen2, layer_types: null, use_sliding_window: true, sliding_window: 64, max_window_layers: 1 },
      'sliding_window 64',
    ],
    [
      'a sliding window of the default size',
      { ...qwen2, layer_types: null, use_sliding_window: true, sliding_window: undefined, max_window_layers: 1 },
      'sliding_window 4096',
    ],
    ['a layer with a window', { ...qwen2, layer_types: ['full_attention', 'sliding_attention'] }, 'sliding_attention'],
    ['a window on a llama', { ...llama, sliding_window: 4096 }, 'sliding_window 4096'],
    ['an unknown kind of rope', { ...qwen2, rope_parameters: { rope_type: 'yarn', factor: 4 } }, '"yarn"'],
    ['an unknown rope parameter', { ...qwen2, rope_parameters: { attention_factor: 2 } }, '"attention_factor"'],
    ['rope on a part of a head', { ...qwen2, partial_rotary_factor: 0.5 }, 'partial_rotary_factor 0.5'],
    ['another activation', { ...qwen2, hidden_act: 'gelu' }, '"gelu"'],
    ['dropout', { ...qwen2, attention_dropout: 0.1 }, 'attention_dropout 0.1'],
    ['quantised weights', { ...qwen2, quantization_config: { quant_method: 'gptq' } }, 'quantization_config'],
    ['a field nobody knows', { ...qwen2, logit_scale: 0.5 }, '"logit_scale"'],
    ['another family', { ...qwen2, model_type: 'mistral' }, '"mistral"'],
    ['another head', { ...qwen2, architectures: ['Qwen2ForSequenceClassification'] }, 'Qwen2ForSequenceClassification'],
  ])('refuses %s by name', (_, json, named) => {
    const { code, message } = refusal(json);
    expect(code).toBe('model-unsupported');
    expect(message).toContain(named);
  });

  it('lets pass what does not touch the numbers', () => {
    const described = {
      ...qwen2,
      _name_or_path: 'x',
      temperature: 0.7,
      use_sliding_window: false,
      sliding_window: 4096,
      quantization_config: null,
      logit_scale: null,
    };
    expect(parse(described)).toEqual(parse(qwen2));
  });

  it.each([
    ['is no object', 7],
    ['has no model type', {}],
    ['has a size that is no number', { ...qwen2, hidden_size: '64' }],
    ['has no layers', { ...qwen2, num_hidden_layers: 0 }],
    ['has more layers than anybody can hold', { ...qwen2, num_hidden_layers: 1e9, layer_types: null }],
    ['has sizes beyond 32 bits', { ...qwen2, vocab_size: 2 ** 31 }],
    ['has heads that do not divide its size', { ...qwen2, num_attention_heads: 5 }],
    ['has heads that its keys do not divide', { ...qwen2, num_key_value_heads: 3 }],
    ['has an odd head', { ...qwen2, head_dim: 15 }],
    ['lacks a number of its rope type', { ...llama, rope_parameters: { rope_type: 'llama3', factor: 8 } }],
    ['says two things about rope', { ...llama, rope_scaling: { rope_type: 'linear', factor: 2 } }],
    ['counts its layers twice', { ...qwen2, num_hidden_layers: 3 }],
  ])('is invalid when it %s', (_, json) => {
    expect(refusal(json).code).toBe('model-config-invalid');
  });

  it.each([qwen2, qwen3, llama, { model_type: 'llama', attention_bias: true, mlp_bias: true }])(
    'is written so that it reads the same',
    async (json) => {
      const path = join(temporaryDirectory(), 'config.json');
      await writeModelConfig(path, parse(json), 'bfloat16');
      expect(await readModelConfig(path)).toEqual(parse(json));
      expect(modelConfigFields(parse(json), 'bfloat16')).toMatchObject({ torch_dtype: 'bfloat16', hidden_act: 'silu' });
    },
  );

  it('is written with decimal points where transformers looks for them', async () => {
    const path = join(temporaryDirectory(), 'config.json');
    await writeModelConfig(path, parse(llama), 'float32');
    const text = readFileSync(path, 'utf8');
    for (const line of ['"rope_theta": 500000.0,', '"factor": 8.0,', '"low_freq_factor": 1.0,', '"vocab_size": 1024,'])
      expect(text).toContain(line);
  });

  it('names the file when it is missing or no JSON', async () => {
    const path = join(temporaryDirectory(), 'config.json');
    await expect(readModelConfig(path)).rejects.toMatchObject({ code: 'model-file-missing' });
    await writeFile(path, '{');
    await expect(readModelConfig(path)).rejects.toMatchObject({
      code: 'model-config-invalid',
      message: expect.stringContaining(path) as string,
    });
  });
});
