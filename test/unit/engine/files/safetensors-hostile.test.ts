import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { hasCode } from '../../../../config/errors.js';
import { openSafetensors } from '../../../../engine/files/safetensors.js';
import { modelFixtures } from '../../../support/npy.js';
import { temporaryDirectory } from '../../../support/temporary.js';

const directory = temporaryDirectory();
const path = join(directory, 'x.safetensors');

const file = (header: string | object, dataBytes: number, declared?: bigint): Buffer => {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(declared ?? BigInt(json.byteLength));
  return Buffer.concat([prefix, json, Buffer.alloc(dataBytes)]);
};

/** Opens and reads all: the error, or undefined when all is well. */
async function errorOf(bytes: Uint8Array, at = path): Promise<unknown> {
  writeFileSync(at, bytes);
  try {
    const source = await openSafetensors(at);
    for (const name of source.names) await source.read(name);
    await source.close();
  } catch (error) {
    return error;
  }
  return undefined;
}

const tensor = (begin: number, end: number, shape = [(end - begin) / 4], dtype = 'F32') => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe('a safetensors file from a stranger', () => {
  it('is accepted when all fits: no tensor, or a header with spaces behind it', async () => {
    expect(await errorOf(file('{}', 0))).toBeUndefined();
    expect(await errorOf(file(`${JSON.stringify({ a: tensor(0, 8) })}   `, 8))).toBeUndefined();
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['less than a length', Buffer.alloc(7)],
    ['a length of more than the file', file('{}', 0, 1000n)],
    ['a length of more than is allowed', file('{}', 0, 100_000_001n)],
    ['a length of more than numbers hold', file('{}', 0, 2n ** 64n - 1n)],
    ['a header of nothing', file('', 0)],
    ['no object', file('[]', 0)],
    ['a byte order mark', file('\ufeff{}', 0)],
    ['space before the object', file(' {}', 0)],
    ['no JSON', file('{"a"', 0)],
    ['no UTF-8', Buffer.concat([file('{"', 0, 6n), Buffer.from([0xff, 0x22, 0x3a, 0x7d])])],
    ['deep arrays', file(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 0)],
    ['deep objects', file('{"a":'.repeat(50_000), 0)],
    ['a hole in front', file({ a: tensor(4, 8) }, 8)],
    ['a hole between', file({ a: tensor(0, 4), b: tensor(8, 12) }, 12)],
    ['an overlap', file({ a: tensor(0, 8), b: tensor(4, 12) }, 12)],
    ['the same bytes twice', file({ a: tensor(0, 8), b: tensor(0, 8) }, 8)],
    ['bytes that belong to nobody', file({ a: tensor(0, 8) }, 9)],
    ['offsets behind the end', file({ a: tensor(0, 8) }, 7)],
    ['offsets that run backwards', file({ a: tensor(8, 0, [0]) }, 8)],
    ['a negative offset', file({ a: tensor(-4, 4) }, 4)],
    ['a negative size', file({ a: tensor(0, 8, [-1, -2]) }, 8)],
    ['half a size', file({ a: tensor(0, 8, [0.5, 4]) }, 8)],
    ['too few bytes for its shape', file({ a: tensor(0, 8, [3]) }, 8)],
    ['too many bytes for its shape', file({ a: tensor(0, 8, [1]) }, 8)],
    ['a shape whose product wraps', file({ a: tensor(0, 0, [2 ** 32, 2 ** 32, 4]) }, 0)],
    ['a size beyond whole numbers', file('{"a":{"dtype":"U8","shape":[1e400],"data_offsets":[0,8]}}', 8)],
    [
      'a name twice',
      file(
        '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
        0,
      ),
    ],
    [
      'a name twice in disguise',
      file(
        '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061" :{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
        0,
      ),
    ],
    ['a field twice', file('{"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}', 0)],
    ['a field of its own', file('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"code":"x"}}', 0)],
    ['a tensor that is no object', file('{"a":7}', 0)],
    ['a tensor without a type', file({ a: { shape: [0], data_offsets: [0, 0] } }, 0)],
    ['three offsets', file({ a: { dtype: 'U8', shape: [0], data_offsets: [0, 0, 0] } }, 0)],
    ['metadata that is no text', file({ __metadata__: { a: 7 } }, 0)],
    ['the prototype of objects as a tensor', file('{"__proto__":{"dtype":"U8"}}', 0)],
  ])('is refused when it holds %s', async (_, bytes) => {
    expect(await errorOf(bytes)).toMatchObject({ code: 'safetensors-invalid' });
  });

  it('is refused by the name of a dtype that is not known', async () => {
    const strange = file({ a: tensor(0, 4, [4], 'F8_E4M3') }, 4);
    expect(await errorOf(strange)).toMatchObject({
      code: 'model-unsupported',
      message: expect.stringContaining('F8_E4M3') as string,
    });
  });

  it('gives a code for any damage, or tensors of the sizes it states', async () => {
    const healthy = readFileSync(join(modelFixtures, 'qwen3-qknorm', 'model.safetensors')).subarray(0, 6000);
    const damage = fc.record({
      flips: fc.array(fc.tuple(fc.nat(2700), fc.nat(255)), { maxLength: 4 }),
      length: fc.oneof(fc.constant(healthy.length), fc.nat(healthy.length)),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ flips, length }) => {
        const bytes = Buffer.from(healthy);
        for (const [index, value] of flips) bytes[index] = value;
        const error = await errorOf(bytes.subarray(0, length));
        expect(error === undefined || hasCode(error, 'safetensors-invalid', 'model-unsupported')).toBe(true);
      }),
      { numRuns: 300, seed: 21 },
    );
  });

  it('gives a code for any header', async () => {
    const numberLike = fc.oneof(fc.integer({ min: -2, max: 20 }), fc.double(), fc.maxSafeInteger(), fc.string());
    const entry = fc.record(
      {
        dtype: fc.oneof(fc.constantFrom('F32', 'U8', 'BF16'), fc.string()),
        shape: fc.oneof(fc.array(numberLike, { maxLength: 3 }), fc.jsonValue()),
        data_offsets: fc.oneof(fc.tuple(numberLike, numberLike), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );
    const header = fc.oneof(fc.dictionary(fc.string(), fc.oneof(entry, fc.jsonValue())), fc.jsonValue());
    await fc.assert(
      fc.asyncProperty(header, fc.nat(20), async (value, dataBytes) => {
        const error = await errorOf(file(JSON.stringify(value), dataBytes));
        expect(error === undefined || hasCode(error, 'safetensors-invalid', 'model-unsupported')).toBe(true);
      }),
      { numRuns: 300, seed: 22 },
    );
  });

  it('is refused when it shrinks after it was opened', async () => {
    writeFileSync(path, file({ a: tensor(0, 8) }, 8));
    const source = await openSafetensors(path);
    writeFileSync(path, file({ a: tensor(0, 8) }, 7));
    await expect(source.read('a')).rejects.toMatchObject({ code: 'safetensors-invalid' });
    await source.close();
  });

  it('is missing when there is none, or a directory', async () => {
    await expect(openSafetensors(join(directory, 'none'))).rejects.toMatchObject({ code: 'model-file-missing' });
    await expect(openSafetensors(directory)).rejects.toMatchObject({ code: 'model-file-missing' });
  });
});

describe('an index of shards from a stranger', () => {
  const indexPath = join(directory, 'model.safetensors.index.json');
  const index = (weightMap: unknown): Buffer => Buffer.from(JSON.stringify({ weight_map: weightMap }));

  beforeAll(() => {
    writeFileSync(join(directory, 'one.safetensors'), file({ a: tensor(0, 4), b: tensor(4, 8) }, 8));
    writeFileSync(join(directory, 'two.safetensors'), file({ a: tensor(0, 4) }, 4));
  });

  it('is accepted when it names every tensor of its shards, whatever their names', async () => {
    expect(await errorOf(index({ a: 'one.safetensors', b: 'one.safetensors' }), indexPath)).toBeUndefined();
    const names = Object.fromEntries(
      ['__proto__', 'constructor'].map((name, at) => [name, tensor(4 * at, 4 * at + 4)]),
    );
    writeFileSync(join(directory, 'names.safetensors'), file(names, 8));
    const named = Object.fromEntries(Object.keys(names).map((name) => [name, 'names.safetensors']));
    expect(await errorOf(index(named), indexPath)).toBeUndefined();
  });

  it.each([
    ['no JSON', Buffer.from('{')],
    ['no object', Buffer.from('null')],
    ['no map', Buffer.from('{}')],
    ['an empty map', index({})],
    ['a number for a file', index({ a: 7 })],
    ['a file elsewhere', index({ a: '../one.safetensors' })],
    ['a file of the machine', index({ a: '/etc/one.safetensors' })],
    ['a file in a directory', index({ a: 'x/one.safetensors' })],
    ['a file of another system', index({ a: 'x\\one.safetensors' })],
    ['a hidden file', index({ a: '..safetensors' })],
    ['an end of text', index({ a: 'one.safetensors\0.safetensors' })],
    ['another kind of file', index({ a: 'one.bin' })],
    ['a tensor that its shard lacks', index({ a: 'one.safetensors', c: 'one.safetensors' })],
    ['not all tensors of a shard', index({ a: 'one.safetensors' })],
    ['a tensor that two shards hold', index({ a: 'two.safetensors', b: 'one.safetensors' })],
    ['a tensor twice', Buffer.from('{"weight_map":{"a":"one.safetensors","a":"two.safetensors"}}')],
    ['depth', Buffer.from(`{"weight_map":${'['.repeat(50_000)}`)],
  ])('is refused when it holds %s', async (_, bytes) => {
    expect(await errorOf(bytes, indexPath)).toMatchObject({ code: 'safetensors-invalid' });
  });

  it('names the shard that is missing', async () => {
    expect(await errorOf(index({ a: 'three.safetensors' }), indexPath)).toMatchObject({
      code: 'model-file-missing',
      message: expect.stringContaining('three.safetensors') as string,
    });
  });
});
