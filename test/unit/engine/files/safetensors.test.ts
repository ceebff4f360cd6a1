import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { open, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { elementBytes } from '../../../../engine/files/number-formats.js';
import { openSafetensors } from '../../../../engine/files/safetensors.js';
import {
  float32Tensor,
  writeSafetensors,
  writeSafetensorsShards,
  type TensorToWrite,
} from '../../../../engine/files/safetensors-writer.js';
import { modelFixtures } from '../../../support/npy.js';
import { temporaryDirectory } from '../../../support/temporary.js';

const models = ['qwen2-gqa-tied', 'llama3-ropescaled', 'qwen3-qknorm'];
const inDirectory = (name = 'x.safetensors'): string => join(temporaryDirectory(), name);

/** What was read, to be written again. */
async function copies(path: string): Promise<{ tensors: TensorToWrite[]; metadata: Readonly<Record<string, string>> }> {
  const source = await openSafetensors(path);
  const tensors: TensorToWrite[] = [];
  for (const name of source.names) {
    const { dtype, shape } = source.describe(name);
    const bytes = await source.read(name);
    tensors.push({ name, dtype, shape, data: () => bytes });
  }
  await source.close();
  return { tensors, metadata: source.metadata };
}

describe('a safetensors file', () => {
  it.each(models)(
    'that the reference wrote is byte for byte the same when it is read and written: %s',
    async (model) => {
      const path = join(modelFixtures, model, 'model.safetensors');
      const { tensors, metadata } = await copies(path);
      const again = inDirectory();
      await writeSafetensors(again, tensors.toReversed(), metadata);
      expect(readFileSync(again).equals(readFileSync(path))).toBe(true);
      expect(metadata).toEqual({ format: 'pt' });
    },
  );

  it('holds every format, empty tensors and single numbers, and gives them back', async () => {
    const formats = elementBytes;
    const contents = new Map<string, Uint8Array>();
    const tensors: TensorToWrite[] = [];
    for (const [dtype, size] of Object.entries(formats) as [keyof typeof formats, number][])
      for (const shape of [[], [3, 5], [0, 7], [2, 0]]) {
        const name = dtype === 'U16' && shape.length === 0 ? '__proto__' : `${dtype} ${shape.join('×')} "é\u2028`;
        const bytes = randomBytes(shape.reduce((product, count) => product * count, size));
        contents.set(name, new Uint8Array(bytes));
        tensors.push({ name, dtype, shape, data: () => bytes });
      }
    const path = inDirectory();
    const metadata = Object.fromEntries([
      ['b', '2'],
      ['a', 'ü'],
      ['__proto__', 'c'],
    ]);
    await writeSafetensors(path, tensors, metadata);
    const source = await openSafetensors(path);
    expect(new Map(Object.entries(source.metadata))).toEqual(new Map(Object.entries(metadata)));
    expect(new Set(source.names)).toEqual(new Set(contents.keys()));
    for (const { name, dtype, shape } of tensors) {
      expect(source.describe(name)).toEqual({ dtype, shape, bytes: contents.get(name)?.byteLength });
      expect(await source.read(name)).toEqual(contents.get(name));
    }
    await expect(source.readFloat32(tensors[0]?.name ?? '')).rejects.toMatchObject({ code: 'model-unsupported' });
    await source.close();
  });

  it.each(['F32', 'F16', 'BF16'] as const)('gives %s as float32, whole and by rows', async (format) => {
    const values = Float32Array.from({ length: 12 }, (_, index) => index - 5.5);
    const path = inDirectory();
    await writeSafetensors(path, [
      float32Tensor('before', [1], () => Float32Array.of(9), format),
      float32Tensor('w', [4, 3], () => values, format),
    ]);
    const source = await openSafetensors(path);
    expect(await source.readFloat32('w')).toEqual(values);
    expect(await source.readFloat32Rows('w', 1, 2)).toEqual(values.slice(3, 9));
    expect(await source.readFloat32Rows('w', 4, 0)).toEqual(new Float32Array(0));
    const into = new Float32Array(8);
    expect(await source.readFloat32Rows('w', 1, 2, into.subarray(1, 7))).toEqual(values.slice(3, 9));
    expect(into).toEqual(Float32Array.of(0, ...values.slice(3, 9), 0));
    await expect(source.readFloat32Rows('w', 1, 2, into)).rejects.toThrow('found 8 elements');
    expect(await source.readRows('w', 3, 1)).toEqual((await source.read('w')).slice(-3 * (format === 'F32' ? 4 : 2)));
    for (const [first, rows] of [
      [4, 1],
      [-1, 1],
      [0.5, 1],
      [0, 5],
      [0, -1],
    ] as const)
      await expect(source.readRows('w', first, rows)).rejects.toMatchObject({ code: 'safetensors-invalid' });
    expect(() => source.describe('x')).toThrow(expect.objectContaining({ code: 'safetensors-invalid' }) as Error);
    await source.close();
  });

  it('widens millions of values in the place of the result', async () => {
    const values = Float32Array.from({ length: 2 ** 21 + 3 }, (_, index) => (index % 509) / 4);
    const path = inDirectory();
    await writeSafetensors(path, [float32Tensor('w', [values.length], () => values, 'F16')]);
    const source = await openSafetensors(path);
    expect(Buffer.from((await source.readFloat32('w')).buffer).equals(Buffer.from(values.buffer))).toBe(true);
    await source.close();
  });

  it('may be larger than 2 GiB, and so may one tensor of which rows are read', async () => {
    const path = inDirectory();
    const shape = [2 ** 21 + 1, 2 ** 10];
    const bytes = (2 ** 21 + 1) * 2 ** 10;
    const json = JSON.stringify({
      big: { dtype: 'U8', shape, data_offsets: [0, bytes] },
      last: { dtype: 'I32', shape: [2], data_offsets: [bytes, bytes + 8] },
    });
    const prefix = Buffer.alloc(8);
    prefix.writeBigUInt64LE(BigInt(json.length));
    await writeFile(path, Buffer.concat([prefix, Buffer.from(json)]));
    const start = 8 + json.length;
    await truncate(path, start + bytes + 8);
    const file = await open(path, 'r+');
    await file.write(Buffer.from([1, 2, 3]), 0, 3, start + bytes - 3);
    await file.write(Buffer.from(Int32Array.of(-7, 8).buffer), 0, 8, start + bytes);
    await file.close();
    const source = await openSafetensors(path);
    expect(new Int32Array((await source.read('last')).buffer)).toEqual(Int32Array.of(-7, 8));
    expect((await source.readRows('big', 2 ** 21, 1)).subarray(-4)).toEqual(Uint8Array.of(0, 1, 2, 3));
    await source.close();
  });
});

describe('writing', () => {
  const tensor = (name: string, floats: number): TensorToWrite =>
    float32Tensor(name, [floats], () => new Float32Array(floats).fill(floats));

  it('asks for one tensor at a time, in pieces if it likes', async () => {
    const asked: string[] = [];
    const path = inDirectory();
    const pieces = (name: string): TensorToWrite => ({
      name,
      dtype: 'U8',
      shape: [4],
      async *data() {
        asked.push(name);
        yield Uint8Array.of(1, 2);
        await Promise.resolve();
        yield Uint8Array.of(3, 4);
      },
    });
    await writeSafetensors(path, [pieces('b'), pieces('a')]);
    expect(asked).toEqual(['a', 'b']);
    const source = await openSafetensors(path);
    expect(await source.read('b')).toEqual(Uint8Array.of(1, 2, 3, 4));
    await source.close();
  });

  it('leaves what was there, and nothing else, when a tensor cannot be had or does not fit', async () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'x.safetensors');
    await writeSafetensors(path, [tensor('a', 1)]);
    const before = readFileSync(path);
    const short: TensorToWrite = { name: 'b', dtype: 'F32', shape: [2], data: () => new Uint8Array(7) };
    await expect(writeSafetensors(path, [short])).rejects.toMatchObject({ code: 'safetensors-invalid' });
    const gone: TensorToWrite = { ...short, data: () => Promise.reject(new Error('gone')) };
    await expect(writeSafetensors(path, [gone])).rejects.toThrow('gone');
    expect(readdirSync(directory)).toEqual(['x.safetensors']);
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it.each([
    ['one name twice', [tensor('a', 1), tensor('a', 2)]],
    ['the name of the metadata', [tensor('__metadata__', 1)]],
    ['a shape that is none', [{ ...tensor('a', 1), shape: [-1] }]],
    ['a shape beyond counting', [{ ...tensor('a', 1), shape: [2 ** 50, 2 ** 50] }]],
  ])('refuses %s', async (_, tensors) => {
    await expect(writeSafetensors(inDirectory(), tensors)).rejects.toMatchObject({ code: 'safetensors-invalid' });
  });

  it('splits into shards with an index above a size, and they read as one', async () => {
    const directory = temporaryDirectory();
    const tensors = [tensor('a', 10), tensor('b', 10), tensor('c', 100), tensor('d', 1)];
    const files = await writeSafetensorsShards(directory, tensors, {
      maximumShardBytes: 80,
      metadata: { format: 'pt' },
    });
    expect(files).toEqual([
      'model-00001-of-00003.safetensors',
      'model-00002-of-00003.safetensors',
      'model-00003-of-00003.safetensors',
      'model.safetensors.index.json',
    ]);
    const index: unknown = JSON.parse(readFileSync(join(directory, 'model.safetensors.index.json'), 'utf8'));
    expect(index).toMatchObject({
      metadata: { total_size: 484 },
      weight_map: { a: files[0], b: files[0], c: files[1], d: files[2] },
    });
    const source = await openSafetensors(join(directory, 'model.safetensors.index.json'));
    expect(source.names).toEqual(['a', 'b', 'c', 'd']);
    expect(await source.readFloat32('c')).toEqual(new Float32Array(100).fill(100));
    await source.close();
    expect(await writeSafetensorsShards(temporaryDirectory(), tensors)).toEqual(['model.safetensors']);
  });
});
