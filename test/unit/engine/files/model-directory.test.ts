import { cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openModelDirectory, writeModelDirectory } from '../../../../engine/files/model-directory.js';
import {
  parseGenerationConfig,
  readGenerationConfig,
  unheededSettings,
} from '../../../../engine/files/generation-config.js';
import { openSafetensors } from '../../../../engine/files/safetensors.js';
import { float32Tensor, writeSafetensors, type TensorToWrite } from '../../../../engine/files/safetensors-writer.js';
import { modelFixtures } from '../../../support/npy.js';
import { temporaryDirectory } from '../../../support/temporary.js';

const models = ['qwen2-gqa-tied', 'llama3-ropescaled', 'qwen3-qknorm'];
const generationConfig = parseGenerationConfig({ eos_token_id: [1, 2], do_sample: true, top_k: 20, x: 1 }, 'test');

/** A copy of a model whose tensors were changed by hand. */
async function altered(model: string, change: (tensors: TensorToWrite[]) => TensorToWrite[]): Promise<string> {
  const path = join(temporaryDirectory(), model);
  cpSync(join(modelFixtures, model), path, { recursive: true });
  const source = await openSafetensors(join(path, 'model.safetensors'));
  const tensors: TensorToWrite[] = [];
  for (const name of source.names) {
    const bytes = await source.read(name);
    const { dtype, shape } = source.describe(name);
    tensors.push({ name, dtype, shape, data: () => bytes });
  }
  await source.close();
  await writeSafetensors(join(path, 'model.safetensors'), change(tensors));
  return path;
}

const zeros = (name: string, shape: number[]): TensorToWrite =>
  float32Tensor(name, shape, () => new Float32Array(shape.reduce((product, size) => product * size, 1)));

describe('a model directory', () => {
  it.each(models)('is loaded, saved and loaded with every byte of every tensor the same: %s', async (model) => {
    const from = join(modelFixtures, model);
    const first = await openModelDirectory(from);
    const path = join(temporaryDirectory(), 'copy');
    await writeModelDirectory(path, {
      config: first.config,
      values: first.tensors.readFloat32,
      tokenizerFrom: from,
      generationConfig,
      maximumShardBytes: 100_000,
    });
    const second = await openModelDirectory(path);
    expect(second.config).toEqual(first.config);
    expect(second.generationConfig).toEqual(generationConfig);
    expect(second.tokenizerFiles).toEqual(['tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja']);
    expect(second.tensorNames).toEqual(first.tensorNames);
    expect(new Set(second.tensors.names)).toEqual(new Set(second.tensorNames));
    for (const name of second.tensorNames) {
      expect(second.tensors.describe(name)).toEqual(first.tensors.describe(name));
      expect(await second.tensors.read(name)).toEqual(await first.tensors.read(name));
    }
    expect(readdirSync(path)).toContain('model.safetensors.index.json');
    await first.close();
    await second.close();
  });

  it('is not written without the tokenizer that it was to have', async () => {
    const { config, tensors, close } = await openModelDirectory(join(modelFixtures, 'qwen3-qknorm'));
    const [parent, tokenizerFrom] = [temporaryDirectory(), temporaryDirectory()];
    const model = { config, values: tensors.readFloat32, tokenizerFrom };
    await expect(writeModelDirectory(join(parent, 'x'), model)).rejects.toMatchObject({ code: 'model-file-missing' });
    expect(readdirSync(parent)).toEqual([]);
    await close();
  });

  it('is written in bfloat16, as its config then says', async () => {
    const source = await openModelDirectory(join(modelFixtures, 'qwen3-qknorm'));
    const path = join(temporaryDirectory(), 'half');
    await writeModelDirectory(path, { config: source.config, values: source.tensors.readFloat32, format: 'bfloat16' });
    await source.close();
    const half = await openModelDirectory(path);
    expect(half.tensors.describe('model.norm.weight').dtype).toBe('BF16');
    expect(JSON.parse(readFileSync(join(path, 'config.json'), 'utf8'))).toMatchObject({ torch_dtype: 'bfloat16' });
    expect(half.generationConfig).toBeUndefined();
    await half.close();
  });

  it('overwrites nothing, and leaves nothing when it cannot be finished', async () => {
    const parent = temporaryDirectory();
    const { config, tensors, close } = await openModelDirectory(join(modelFixtures, 'qwen3-qknorm'));
    const failing = { config, values: () => Promise.reject(new Error('no more')) };
    await expect(writeModelDirectory(join(parent, 'x'), failing)).rejects.toThrow('no more');
    const short = { config, values: () => new Float32Array(3) };
    await expect(writeModelDirectory(join(parent, 'x'), short)).rejects.toMatchObject({ code: 'safetensors-invalid' });
    expect(readdirSync(parent)).toEqual([]);
    await mkdir(join(parent, 'empty'));
    await writeModelDirectory(join(parent, 'empty'), { config, values: tensors.readFloat32 });
    for (const taken of ['empty', 'empty/config.json'])
      await expect(writeModelDirectory(join(parent, taken), failing)).rejects.toMatchObject({ code: 'output-exists' });
    await close();
  });

  it.each([
    ['missing', 'qwen2-gqa-tied', (all: TensorToWrite[]) => all.slice(1), '"model.embed_tokens.weight" is missing'],
    [
      'unknown',
      'qwen3-qknorm',
      (all: TensorToWrite[]) => [...all, zeros('model.extra', [1])],
      '"model.extra" is unknown',
    ],
    [
      'of another shape',
      'qwen3-qknorm',
      (all: TensorToWrite[]) => [
        ...all.filter(({ name }) => name !== 'model.norm.weight'),
        zeros('model.norm.weight', [31]),
      ],
      '"model.norm.weight" is [31], not [32]',
    ],
    [
      'of whole numbers',
      'qwen3-qknorm',
      (all: TensorToWrite[]) =>
        all.map((tensor) => (tensor.name === 'model.norm.weight' ? { ...tensor, dtype: 'I32' as const } : tensor)),
      '"model.norm.weight" is I32',
    ],
    [
      'an untied head that is missing',
      'llama3-ropescaled',
      (all: TensorToWrite[]) => all.filter(({ name }) => name !== 'lm_head.weight'),
      '"lm_head.weight" is missing',
    ],
    [
      'a tied head of its own',
      'qwen3-qknorm',
      (all: TensorToWrite[]) => [...all, zeros('lm_head.weight', [1024, 32])],
      'differ',
    ],
  ])('is refused when a tensor is %s', async (_, model, change, named) => {
    await expect(openModelDirectory(await altered(model, change))).rejects.toMatchObject({
      code: 'model-weights-mismatch',
      message: expect.stringContaining(named) as string,
    });
  });

  it('may hold a tied head that equals the embeddings, and tables that follow from the config', async () => {
    const path = await altered('qwen3-qknorm', (all) => {
      const embeddings = all.find(({ name }) => name === 'model.embed_tokens.weight');
      if (embeddings === undefined) throw new Error('no embeddings');
      return [
        ...all,
        { ...embeddings, name: 'lm_head.weight' },
        zeros('model.layers.0.self_attn.rotary_emb.inv_freq', [8]),
      ];
    });
    const { tensorNames, close } = await openModelDirectory(path);
    expect(tensorNames).not.toContain('lm_head.weight');
    await close();
  });

  it('is missing what it lacks', async () => {
    const path = await altered('qwen3-qknorm', (all) => all);
    rmSync(join(path, 'model.safetensors'));
    await expect(openModelDirectory(path)).rejects.toMatchObject({ code: 'model-file-missing' });
    await expect(openModelDirectory(join(path, 'x'))).rejects.toMatchObject({ code: 'model-file-missing' });
  });
});

describe('generation_config.json', () => {
  it('has the defaults of transformers where it is silent, and keeps what it does not know', () => {
    expect(parseGenerationConfig({ eos_token_id: 7, repetition_penalty: 1.1 }, 'x')).toEqual({
      endOfSequence: [7],
      sample: false,
      temperature: 1,
      topK: 50,
      topP: 1,
      others: { repetition_penalty: 1.1 },
    });
    expect(parseGenerationConfig({ max_new_tokens: 5 }, 'x')).toMatchObject({ endOfSequence: [], maximumNewTokens: 5 });
  });

  it('has settings that no generation here heeds: they are told, but not those that do nothing', () => {
    const told = (json: object): readonly string[] => unheededSettings(parseGenerationConfig(json, 'x'));
    const describing = { bos_token_id: 1, pad_token_id: 0, transformers_version: '4.51.0', _from_model_config: true };
    const neutral = { repetition_penalty: 1, no_repeat_ngram_size: 0, suppress_tokens: [], min_p: null };
    expect(told({ eos_token_id: 2, temperature: 0.7, top_k: 20, ...describing, ...neutral })).toEqual([]);
    expect(unheededSettings(undefined)).toEqual([]);
    const penalised = { ...describing, repetition_penalty: 1.05, bad_words_ids: [[3]] };
    expect(told(penalised)).toEqual(['repetition_penalty 1.05', 'bad_words_ids [[3]]']);
    const many = told(Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`x${at}`, 'long '.repeat(1000)])));
    expect([many.length, many[0]?.length, many.at(-1)]).toEqual([17, 301, 'and 24 more']);
  });

  it('is refused when a field is out of range', async () => {
    expect(() => parseGenerationConfig({ top_p: 2 }, 'x')).toThrow(
      expect.objectContaining({ code: 'model-config-invalid' }) as Error,
    );
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'g.json'), '[');
    await expect(readGenerationConfig(join(directory, 'g.json'))).rejects.toMatchObject({
      code: 'model-config-invalid',
    });
    await expect(readGenerationConfig(directory)).rejects.toMatchObject({ code: 'model-file-missing' });
    expect(await readGenerationConfig(join(directory, 'none'))).toBeUndefined();
  });
});
