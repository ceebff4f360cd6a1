/** Model directories in a real S3: the same artifact as from a disk, and no mix of two versions. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  identifyModelDirectory,
  importModelDirectory,
  modelIdentitySchema,
  storeModelDirectory,
} from '../../distillation/index.js';
import { openObjectStore, type ObjectStore } from '../../storage/index.js';
import { modelDirectory } from '../support/model-directories.js';
import { S3Server } from '../support/s3-server.js';
import { claim, stageKeyOf } from '../support/stage.js';

let server: S3Server;
let bucket: ObjectStore;
let store: ObjectStore;
const directory = modelDirectory();

beforeAll(async () => {
  server = await S3Server.start();
  bucket = await openObjectStore(server.url('models'), { forWriting: true });
  store = await openObjectStore(server.url('store'), { forWriting: true });
});

afterAll(async () => {
  await Promise.all([bucket.close(), store.close()]);
  await server.stop();
});

async function upload(prefix: string): Promise<string> {
  for (const name of readdirSync(directory))
    await bucket.put(`${prefix}/${name}`, new Uint8Array(readFileSync(join(directory, name))));
  await bucket.put(`${prefix}/logs/config.json`, Buffer.from('in a folder of its own'));
  await bucket.put(`${prefix}-other/config.json`, Buffer.from('of another model'));
  return server.url(`models/${prefix}`);
}

async function importFrom(url: string, onProgress: (done: number) => void = () => undefined) {
  return importModelDirectory(url, {
    identity: modelIdentitySchema.parse(await identifyModelDirectory(url)),
    store,
    writer: await claim(store, stageKeyOf(url)),
    signal: new AbortController().signal,
    onProgress: ({ done }) => onProgress(done),
  });
}

test('a model under a prefix of a bucket becomes the artifact that it becomes from a disk', async () => {
  const artifact = await importFrom(await upload('good/model'));
  const fromDisk = await storeModelDirectory(pathToFileURL(directory).href, {
    store,
    writer: await claim(store, stageKeyOf('disk')),
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
  expect(artifact.digest).toBe(fromDisk.digest);
});

test('a model whose object is replaced while it is read is refused', async () => {
  const url = await upload('changing');
  let replaced: Promise<unknown> | undefined;
  const importing = importFrom(url, () => {
    replaced ??= bucket.put('changing/tokenizer_config.json', Buffer.from('{}'));
  });
  await expect(importing).rejects.toMatchObject({ code: 'model-changed' });
  await replaced;
});

test('a prefix without a model is missing, and says what is there', async () => {
  await expect(identifyModelDirectory(server.url('models/none'))).rejects.toMatchObject({
    code: 'model-file-missing',
    message: expect.stringContaining('found nothing'),
  });
  await bucket.put('empty/readme.txt', Buffer.from('x'));
  await expect(identifyModelDirectory(server.url('models/empty'))).rejects.toMatchObject({
    code: 'model-file-missing',
    message: expect.stringContaining('none with a config.json'),
  });
});
