import { mkdtemp, readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keepSavedModel } from '../../../../engine/runners/saved-model-cache.js';

const bytes = Uint8Array.from({ length: 1000 }, (_, index) => index);
let cache = '';

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'nightstill-'));
});
afterEach(() => rm(cache, { recursive: true }));

test('equal programs have one directory, others another', async () => {
  const one = await keepSavedModel(cache, bytes);
  expect(await keepSavedModel(cache, bytes.slice())).toBe(one);
  expect(await keepSavedModel(cache, bytes.slice(1))).not.toBe(one);
  expect(await readFile(join(one, 'saved_model.pb'))).toEqual(Buffer.from(bytes));
});

test('a program that is asked for again is seen to be in use', async () => {
  const directory = await keepSavedModel(cache, bytes);
  const longAgo = new Date(0);
  await utimes(directory, longAgo, longAgo);
  await keepSavedModel(cache, bytes);
  expect((await stat(directory)).mtimeMs).toBeGreaterThan(Date.now() - 60_000);
});

test('many at once leave one whole file and nothing beside it', async () => {
  const directories = await Promise.all(Array.from({ length: 20 }, () => keepSavedModel(cache, bytes)));
  expect(new Set(directories).size).toBe(1);
  expect(await readdir(join(cache, 'programs'))).toHaveLength(1);
  expect(await readdir(directories[0]!)).toEqual(['saved_model.pb']);
});

test('a file that was cut or changed is written anew', async () => {
  const path = join(await keepSavedModel(cache, bytes), 'saved_model.pb');
  for (const damaged of [bytes.slice(0, 500), bytes.map((byte) => byte ^ 1), new Uint8Array()]) {
    await writeFile(path, damaged);
    await keepSavedModel(cache, bytes);
    expect(await readFile(path)).toEqual(Buffer.from(bytes));
  }
});

test('a cache that cannot be written fails with its path', async () => {
  const file = join(cache, 'a-file');
  await writeFile(file, '');
  await expect(keepSavedModel(file, bytes)).rejects.toMatchObject({
    code: 'engine-failed',
    message: expect.stringContaining(file),
  });
});
