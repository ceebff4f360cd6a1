/** Models in and out of a real store: the same files again, and a bad one refused where it is imported. */
import { appendFileSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  fetchModel,
  identifyModelDirectory,
  importModelDirectory,
  modelIdentitySchema,
  readModelFacts,
  storeModelDirectory,
} from '../../../distillation/index.js';
import { openObjectStore, readArtifact, type ArtifactRef, type ObjectStore } from '../../../storage/index.js';
import { changeJson, modelDirectory, shardedDirectory } from '../../support/model-directories.js';
import { importModel, newStage, type ModelAttempt } from '../../support/model-imports.js';
import { claim } from '../../support/stage.js';
import { temporaryDirectory } from '../../support/temporary.js';

let store: ObjectStore;

beforeAll(async () => {
  store = await openObjectStore(pathToFileURL(join(temporaryDirectory(), 'store')).href, { forWriting: true });
});

afterAll(() => store.close());

const importFrom = (directory: string, attempt?: ModelAttempt) => importModel(store, directory, attempt);

const contentOf = (directory: string) =>
  new Map(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name)).toString('latin1')]));

describe('a model', () => {
  it.each([
    ['of one file', () => modelDirectory()],
    ['of shards', () => shardedDirectory()],
    [
      'without weights and tokenizer, as training from random ones begins',
      () => {
        const directory = modelDirectory();
        for (const name of readdirSync(directory)) if (name !== 'config.json') rmSync(join(directory, name));
        return directory;
      },
    ],
    [
      'of links, as a cache of Hugging Face lays it',
      () => {
        const [real, directory] = [modelDirectory(), temporaryDirectory()];
        for (const name of readdirSync(real)) symlinkSync(join(real, name), join(directory, name));
        return directory;
      },
    ],
  ])('%s is the same files again where it is fetched', async (_, make) => {
    const directory = await make();
    writeFileSync(join(directory, 'README.md'), 'not of the model');
    const artifact = await importFrom(directory);
    rmSync(join(directory, 'README.md'));
    expect(contentOf(await fetchModel(store, artifact, temporaryDirectory()))).toEqual(contentOf(directory));
    expect((await storeOnce(directory)).digest).toBe(artifact.digest);
  });

  it('says what it is without being fetched', async () => {
    const [small, large] = [await importFrom(modelDirectory()), await importFrom(modelDirectory('llama3-ropescaled'))];
    expect(await readModelFacts(store, small)).toEqual({
      family: 'qwen3',
      parameters: expect.any(Number),
      vocabularySize: 1024,
      weights: true,
      tokenizerDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(await readModelFacts(store, large)).toMatchObject({ family: 'llama' });
  });

  it('with another tokenizer is told apart by the digest of it', async () => {
    const directory = modelDirectory();
    const own = await readModelFacts(store, await importFrom(directory));
    const path = join(directory, 'tokenizer.json');
    const { model } = JSON.parse(readFileSync(path, 'utf8'));
    changeJson(path, { model: { ...model, merges: model.merges.slice(0, -1) } });
    const other = await readModelFacts(store, await importFrom(directory));
    expect(other.tokenizerDigest).not.toBe(own.tokenizerDigest);
    changeJson(path, { model, padding: null });
    expect((await readModelFacts(store, await importFrom(directory))).tokenizerDigest).toBe(own.tokenizerDigest);
  });

  it('goes on from its checkpoint, in the middle of a file too, to the same artifact', async () => {
    const directory = modelDirectory();
    writeFileSync(join(directory, 'merges.txt'), Buffer.alloc(40 * 1024 * 1024, 'a b\n'));
    const { digest } = await importFrom(directory);
    const stageKey = newStage();
    const stopAt = 33 * 1024 * 1024;
    await expect(
      importFrom(directory, {
        stageKey,
        onProgress: (done, abort) => done > stopAt && abort.abort(new Error('asked to stop')),
      }),
    ).rejects.toThrow('asked to stop');
    const put: number[] = [];
    const again = await importFrom(directory, { stageKey, onProgress: (done) => done > 0 && put.push(done) });
    expect(again.digest).toBe(digest);
    expect(Math.min(...put)).toBeGreaterThan(stopAt);
  });

  it.each([
    ['written to', (directory: string) => appendFileSync(join(directory, 'tokenizer_config.json'), ' ')],
    ['given another file', (directory: string) => writeFileSync(join(directory, 'merges.txt'), 'a b')],
    ['cut', (directory: string) => truncateSync(join(directory, 'tokenizer.json'), 10)],
  ])('that is %s while it is read is refused', async (_, change) => {
    const directory = modelDirectory();
    let changed = false;
    const importing = importFrom(directory, {
      onProgress: () => {
        if (!changed) change(directory);
        changed = true;
      },
    });
    await expect(importing).rejects.toMatchObject({ code: 'model-changed', retryable: false });
  });

  it('that is no longer the one that was identified is refused before it is copied', async () => {
    const directory = modelDirectory();
    const url = pathToFileURL(directory).href;
    const identity = modelIdentitySchema.parse(await identifyModelDirectory(url));
    appendFileSync(join(directory, 'config.json'), ' ');
    const request = { identity, store, writer: await claim(store, newStage()), signal: AbortSignal.timeout(60_000) };
    const onProgress = () => undefined;
    await expect(importModelDirectory(url, { ...request, onProgress })).rejects.toMatchObject({
      code: 'model-changed',
    });
  });
});

const storeOnce = async (directory: string): Promise<ArtifactRef> =>
  storeModelDirectory(pathToFileURL(directory).href, {
    store,
    writer: await claim(store, newStage()),
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });

describe('a model in the cache', () => {
  it('is fetched anew when a file of it is gone or of another size, and by many at once', async () => {
    const directory = modelDirectory();
    const artifact = await importFrom(directory);
    const cache = temporaryDirectory();
    const path = await fetchModel(store, artifact, cache);
    for (const damage of [
      () => rmSync(join(path, 'tokenizer.json')),
      () => truncateSync(join(path, 'model.safetensors'), 1000),
      () => rmSync(path, { recursive: true }),
    ]) {
      damage();
      const fetched = await Promise.all([1, 2, 3].map(() => fetchModel(store, artifact, cache)));
      expect(fetched).toEqual([path, path, path]);
      expect(contentOf(path)).toEqual(contentOf(directory));
      expect(readdirSync(cache)).toHaveLength(1);
    }
  });

  it('has no name that leads out of its directory, whatever the artifact says', async () => {
    const artifact = await importFrom(modelDirectory());
    const { parts, meta } = await readArtifact(store, artifact);
    const { facts } = meta as { facts: Record<string, string> };
    const writer = await claim(store, newStage());
    const hostile: (readonly [string, number])[][] = [
      [['../../config.json', parts.length]],
      [['..\\x.safetensors', parts.length]],
      [['/etc/x.safetensors', parts.length]],
      [['.hidden.safetensors', parts.length]],
      [['config.json', 1], ['config.json', parts.length - 1]],
      [['config.json', 1]],
      [['config.json', parts.length + 1]],
    ]; // prettier-ignore
    for (const names of hostile) {
      const files = names.map(([name, count]) => ({ name, parts: count }));
      const wrong = await writer.putArtifact({ kind: 'model', parts, meta: { facts, files } });
      await expect(fetchModel(store, wrong, temporaryDirectory())).rejects.toMatchObject({ code: 'artifact-invalid' });
    }
    const other = await writer.putArtifact({ kind: 'dataset', parts, meta });
    await expect(readModelFacts(store, other)).rejects.toMatchObject({ code: 'artifact-invalid' });
  });

  it('says so when the disk refuses it', async () => {
    const artifact = await importFrom(modelDirectory());
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    await expect(fetchModel(store, artifact, file)).rejects.toMatchObject({ code: 'output-failed' });
  });
});
