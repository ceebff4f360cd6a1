/** Bad model directories are refused where they are imported: each by its code, and never tried again. */
import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { hasCode } from '../../../config/errors.js';
import { identifyModelDirectory } from '../../../distillation/index.js';
import { openObjectStore, type ObjectStore } from '../../../storage/index.js';
import { changeJson, modelDirectory, shardedDirectory } from '../../support/model-directories.js';
import { importModel } from '../../support/model-imports.js';
import { temporaryDirectory } from '../../support/temporary.js';

let store: ObjectStore;

beforeAll(async () => {
  store = await openObjectStore(pathToFileURL(join(temporaryDirectory(), 'store')).href, { forWriting: true });
});

afterAll(() => store.close());

type Spoil = (directory: string) => void;
const config =
  (changes: Readonly<Record<string, unknown>>): Spoil =>
  (directory) =>
    changeJson(join(directory, 'config.json'), changes);
const without =
  (name: string): Spoil =>
  (directory) =>
    rmSync(join(directory, name));
const holding =
  (name: string, content: string | Buffer): Spoil =>
  (directory) =>
    writeFileSync(join(directory, name), content);
const both =
  (...spoils: readonly Spoil[]): Spoil =>
  (directory) =>
    spoils.forEach((spoil) => spoil(directory));
const shard = 'model-00002-of-';
const nameOf = (directory: string, start: string): string =>
  join(directory, readdirSync(directory).find((name) => name.startsWith(start)) ?? '');

const giantHeader = Buffer.alloc(64);
giantHeader.writeBigUInt64LE(2n ** 40n);

const bad: [string, string, Spoil][] = [
  ['without a config.json', 'model-file-missing', without('config.json')],
  [
    'whose config.json is a directory',
    'model-file-missing',
    both(without('config.json'), (directory) => mkdirSync(join(directory, 'config.json'))),
  ],
  ['whose config.json is no JSON', 'model-config-invalid', holding('config.json', '{"model_type":')],
  ['whose config.json has a text for a number', 'model-config-invalid', config({ hidden_size: 'large' })],
  [
    'of a family that is not known',
    'model-unsupported',
    config({ model_type: 'mamba', architectures: ['MambaForCausalLM'] }),
  ],
  [
    'with a sliding window',
    'model-unsupported',
    config({ use_sliding_window: true, sliding_window: 16, max_window_layers: 0, layer_types: null }),
  ],
  ['that is quantised', 'model-unsupported', config({ quantization_config: { bits: 4 } })],
  ['whose weights are of another vocabulary', 'model-weights-mismatch', config({ vocab_size: 2048 })],
  ['whose weights are of another depth', 'model-weights-mismatch', config({ num_hidden_layers: 9, layer_types: null })],
  [
    'whose tokenizer has more tokens than the model',
    'tokenizer-invalid',
    both(without('model.safetensors'), config({ vocab_size: 100 })),
  ],
  ['with weights and no tokenizer', 'model-file-missing', without('tokenizer.json')],
  ['whose tokenizer is no JSON', 'tokenizer-invalid', holding('tokenizer.json', '<html>not found</html>')],
  ['whose tokenizer is a list', 'tokenizer-invalid', holding('tokenizer.json', '[]')],
  [
    'with weights of PyTorch only',
    'model-file-missing',
    both(without('model.safetensors'), holding('pytorch_model.bin', 'PK')),
  ],
  [
    'whose safetensors end too soon',
    'safetensors-invalid',
    (directory) => truncateSync(join(directory, 'model.safetensors'), 50_000),
  ],
  ['whose safetensors are empty', 'safetensors-invalid', holding('model.safetensors', '')],
  [
    'whose safetensors promise a header of a terabyte',
    'safetensors-invalid',
    holding('model.safetensors', giantHeader),
  ],
  [
    'whose safetensors are a web page',
    'safetensors-invalid',
    holding('model.safetensors', '<!doctype html><title>Sign in</title>'.repeat(20)),
  ],
  [
    'whose safetensors are a pointer of Git LFS',
    'safetensors-invalid',
    holding('model.safetensors', 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 5\n'),
  ],
];

const badShards: [string, string, Spoil][] = [
  ['lack one', 'model-file-missing', (directory) => rmSync(nameOf(directory, shard))],
  ['lack the index', 'model-file-missing', without('model.safetensors.index.json')],
  ['end too soon', 'safetensors-invalid', (directory) => truncateSync(nameOf(directory, shard), 100)],
  [
    'are not those that the index names',
    'safetensors-invalid',
    (directory) => {
      const [one, other] = [nameOf(directory, 'model-00001'), nameOf(directory, shard)];
      renameSync(one, `${one}.x`);
      renameSync(other, one);
      renameSync(`${one}.x`, other);
    },
  ],
  [
    'are sought outside of the directory',
    'safetensors-invalid',
    (directory) =>
      changeJson(join(directory, 'model.safetensors.index.json'), {
        weight_map: { 'model.norm.weight': '../x.safetensors' },
      }),
  ],
];

async function refusalOf(directory: string): Promise<object> {
  const error: unknown = await importModel(store, directory).catch((cause: unknown) => cause);
  if (!hasCode(error)) throw new Error('expected a refusal', { cause: error });
  return error;
}

/** The user is told what to do, about the directory that the user knows, and the call is not made again. */
const refusal = (code: string) => ({
  code,
  fault: 'user',
  retryable: false,
  remedy: expect.stringMatching(/\w+ .*\./) as string,
  message: expect.not.stringContaining('nightstill-model-') as string,
});

describe('a model directory', () => {
  it.each(bad)('%s is refused where it is imported: %s', async (_, code, spoil) => {
    const directory = modelDirectory();
    spoil(directory);
    expect(await refusalOf(directory)).toMatchObject(refusal(code));
  });

  it.each(badShards)('whose shards %s is refused: %s', async (_, code, spoil) => {
    const directory = await shardedDirectory();
    spoil(directory);
    expect(await refusalOf(directory)).toMatchObject(refusal(code));
  });

  it('that is not there, or a file, is missing', async () => {
    const file = join(modelDirectory(), 'config.json');
    for (const path of [file, join(temporaryDirectory(), 'none')])
      expect(await refusalOf(path)).toMatchObject(refusal('model-file-missing'));
  });

  it('that may not be read is missing', async () => {
    const directory = modelDirectory();
    chmodSync(directory, 0o000);
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(65_534);
    const outcome = await identifyModelDirectory(pathToFileURL(directory).href).catch((error: unknown) => error);
    if (isRoot) process.seteuid?.(0);
    chmodSync(directory, 0o700);
    expect(outcome).toMatchObject({ code: 'model-file-missing', message: expect.stringContaining('can be read') });
  });

  it.each(['https://example.org/model', 'model', 's3://bucket', 'file://host/model'])(
    'is never %s: a fault of the plan',
    async (url) => {
      await expect(identifyModelDirectory(url)).rejects.toMatchObject({ code: 'plan-invalid' });
    },
  );
});
