import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { readGenerationConfig, writeGenerationConfig } from '../../../../engine/files/generation-config.js';
import { readModelConfig, type ModelConfig } from '../../../../engine/files/model-config.js';
import { expectedTensors } from '../../../../engine/files/model-tensors.js';
import { hostileJson } from '../../../support/hostile-json.js';
import { judged } from '../../../support/judged.js';
import { modelFixtures } from '../../../support/npy.js';
import { temporaryDirectory } from '../../../support/temporary.js';

const directory = temporaryDirectory();
const configOf = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(modelFixtures, name, 'config.json'), 'utf8')) as Record<string, unknown>;
const models = ['qwen2-gqa-tied', 'qwen3-qknorm', 'llama-biased', 'llama3-ropescaled'];

function checkConfig(config: ModelConfig): void {
  const { heads, keyValueHeads, headSize, rope } = config;
  const { scaling } = rope;
  const sizes = [
    config.vocabularySize,
    config.hiddenSize,
    config.intermediateSize,
    config.layers,
    heads,
    keyValueHeads,
    headSize,
    config.maximumPositions,
    ...(scaling?.kind === 'llama3' ? [scaling.originalMaximumPositions] : []),
  ];
  for (const size of sizes) expect(Number.isSafeInteger(size) && size > 0 && size < 2 ** 31).toBe(true);
  expect([headSize % 2, heads % keyValueHeads]).toEqual([0, 0]);
  const factors =
    scaling?.kind === 'llama3' ? [scaling.lowFrequencyFactor, scaling.highFrequencyFactor, scaling.factor] : [];
  for (const number of [config.rmsNormEpsilon, rope.theta, scaling?.factor ?? 1, ...factors])
    expect(Number.isFinite(number) && number > 0).toBe(true);
  for (const id of [...config.endOfSequence, config.beginningOfSequence ?? 0, config.padding ?? 0])
    expect(Number.isSafeInteger(id) && id >= 0).toBe(true);
  for (const shape of expectedTensors(config).values()) expect(shape.every(Number.isSafeInteger)).toBe(true);
}

const judgeConfig = (bytes: Uint8Array) => {
  const path = join(directory, 'config.json');
  writeFileSync(path, bytes);
  return judged({
    names: [path],
    codes: ['model-config-invalid', 'model-unsupported'],
    act: () => readModelConfig(path),
    check: checkConfig,
  });
};

const judgeGeneration = (bytes: Uint8Array) => {
  const path = join(directory, 'generation_config.json');
  writeFileSync(path, bytes);
  return judged({
    names: [path],
    codes: ['model-config-invalid'],
    act: async () => {
      const config = await readGenerationConfig(path);
      // A model that is written again takes its settings along.
      if (config !== undefined) await writeGenerationConfig(join(directory, 'again.json'), config);
      return config;
    },
    check: (config) => {
      expect(config).toMatchObject({ sample: expect.any(Boolean) as boolean });
      for (const number of [config?.temperature, config?.topK, config?.topP, config?.maximumNewTokens ?? 1])
        expect(Number.isFinite(number) && Number(number) >= 0).toBe(true);
    },
  });
};

describe('a config.json from a stranger', () => {
  const sound = configOf('qwen3-qknorm');
  const withField = (name: string, value: string): Buffer =>
    Buffer.from(JSON.stringify({ ...sound, [name]: undefined }).replace(/\}$/, `,${JSON.stringify(name)}:${value}}`));

  it.each([
    ['nothing', Buffer.alloc(0), 'model-config-invalid'],
    ['a byte order mark', Buffer.from(`\ufeff${JSON.stringify(sound)}`), 'model-config-invalid'],
    ['bytes that are no text', Buffer.concat([withField('x', 'null'), Buffer.from([0xff])]), 'model-config-invalid'],
    [
      'no text within a string',
      Buffer.from(withField('x', '"?"').map((byte) => (byte === 63 ? 255 : byte))),
      'model-config-invalid',
    ],
    ['no object', Buffer.from('[]'), 'model-config-invalid'],
    ['a field of great depth', withField('x', `${'['.repeat(50_000)}${']'.repeat(50_000)}`), 'model-config-invalid'],
    ['an unknown field of a million entries', withField('x', `[${'0,'.repeat(1e6)}0]`), 'model-unsupported'],
    ['a long name', withField('x'.repeat(100_000), '1'), 'model-unsupported'],
    ['a long text', withField('x', `"${'x'.repeat(100_000)}"`), 'model-unsupported'],
    ['a million layer types', withField('layer_types', `[${'"full_attention",'.repeat(1e6)}"x"]`), 'model-unsupported'],
    ['the prototype of objects', withField('__proto__', '{"vocab_size":1}'), 'accepted'],
    [
      'a field twice, of which the last counts',
      Buffer.from(`{"vocab_size":-1,${JSON.stringify(sound).slice(1)}`),
      'accepted',
    ],
  ])('that holds %s is judged', async (_, bytes, verdict) => {
    expect(await judgeConfig(bytes)).toBe(verdict);
  });

  it.each(['model_type', 'hidden_act', 'rope_scaling', 'architectures'])(
    'is refused shortly for a long %s',
    async (name) => {
      const long = 'x'.repeat(100_000);
      const value = { rope_scaling: { rope_type: long }, architectures: [long] }[name] ?? long;
      const bytes = Buffer.from(JSON.stringify({ ...sound, rope_parameters: null, [name]: value }));
      expect(await judgeConfig(bytes)).toBe('model-unsupported');
    },
  );

  it.each(models)('is a model that can be computed, or has a code, however %s is changed', async (name) => {
    await fc.assert(
      fc.asyncProperty(hostileJson(configOf(name)), async (bytes) => {
        await judgeConfig(bytes);
      }),
      { numRuns: 300, seed: 41 },
    );
  });
});

describe('a generation_config.json from a stranger', () => {
  it('gives settings that can be sampled with and written again, or has a code', async () => {
    const sound = {
      bos_token_id: 1,
      do_sample: true,
      eos_token_id: [2, 3],
      temperature: 0.7,
      top_k: 20,
      top_p: 0.8,
      max_new_tokens: 64,
      repetition_penalty: 1.1,
      transformers_version: '4.51.0',
      watermark: { a: [1] },
    };
    await fc.assert(
      fc.asyncProperty(hostileJson(sound), async (bytes) => {
        await judgeGeneration(bytes);
      }),
      { numRuns: 500, seed: 42 },
    );
  });
});
