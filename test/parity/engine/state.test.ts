/** State of a session: read and written in parts, by rows, and loaded with little more memory than it takes. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { compile, type Session } from '../../../engine/compile.js';
import { tf } from '../../../engine/tf.js';
import type { ModelConfig } from '../../../engine/files/model-config.js';
import { writeModelDirectory } from '../../../engine/files/model-directory.js';
import { expectedTensors } from '../../../engine/files/model-tensors.js';
import type { Numbers } from '../../../engine/tracing/program.js';
import type { TensorSpec } from '../../../engine/tracing/tensor-spec.js';
import { configurations } from '../../support/configurations.js';
import { temporaryDirectory } from '../../support/temporary.js';
import { runChild } from './children/run-child.js';
import { nativeRunner, runnersUnderTest } from './runners-under-test.js';

const mebibyte = 1024 * 1024;

const large: ModelConfig = {
  ...configurations.llama,
  vocabularySize: 32_000,
  hiddenSize: 768,
  intermediateSize: 2048,
  layers: 12,
  heads: 12,
  keyValueHeads: 12,
  headSize: 64,
  tiedEmbeddings: true,
};

const state: Readonly<Record<string, TensorSpec>> = {
  'small/a': { shape: [3], dtype: 'float32' },
  'small/ids': { shape: [2, 2], dtype: 'int32' },
  scalar: { shape: [], dtype: 'float32' },
  // Large enough to move by rows, with a length that no chunk divides.
  embedding: { shape: [3001, 1000], dtype: 'float32' },
  'embedding/ids': { shape: [1025, 1027], dtype: 'int32' },
  deep: { shape: [5, 4, 60_000], dtype: 'float32' },
};

const lengthOf = (name: string): number => state[name]!.shape.reduce((size, length) => size * length, 1);
const counting = (name: string, from = 0): Numbers => {
  const count = (_: unknown, index: number) => index + from;
  return state[name]!.dtype === 'int32'
    ? Int32Array.from({ length: lengthOf(name) }, count)
    : Float32Array.from({ length: lengthOf(name) }, count);
};
/** Jest compares arrays of millions slowly. */
const same = (found: Numbers | undefined, expected: Numbers): boolean =>
  found !== undefined &&
  found.constructor === expected.constructor &&
  Buffer.compare(bytes(found), bytes(expected)) === 0;
const bytes = ({ buffer, byteOffset, byteLength }: Numbers): Buffer => Buffer.from(buffer, byteOffset, byteLength);

describe.each(runnersUnderTest.filter(([name]) => name !== 'XLA'))('state on %s', (_name, makeRunner) => {
  const open: Session<never>[] = [];
  const session = async (): Promise<Session<never>> => {
    const made = await compile<never>({ runner: await makeRunner(), state, programs: {} });
    open.push(made);
    return made;
  };
  afterEach(() => {
    for (const one of open.splice(0)) one.dispose();
  });

  test('begins as zeros', async () => {
    const fresh = (await session()).read(Object.keys(state));
    expect(
      Object.entries(fresh).map(([name, numbers]) => [name, numbers.length, numbers.some((one) => one !== 0)]),
    ).toEqual(Object.keys(state).map((name) => [name, lengthOf(name), false]));
  });

  test('is written and read in any selection; the rest keeps its content', async () => {
    const one = await session();
    one.write({ 'small/a': Float32Array.of(1, 2, 3), embedding: counting('embedding') });
    one.write({ 'small/ids': Int32Array.of(2 ** 30, -5, 6, 7), scalar: Float32Array.of(0.5) });
    expect(one.read(['scalar', 'small/a', 'small/ids'])).toEqual({
      scalar: Float32Array.of(0.5),
      'small/a': Float32Array.of(1, 2, 3),
      'small/ids': Int32Array.of(2 ** 30, -5, 6, 7),
    });
    expect(same(one.read(['embedding'])['embedding'], counting('embedding'))).toBe(true);
    expect(same(one.read(['deep'])['deep'], new Float32Array(lengthOf('deep')))).toBe(true);
    expect(one.read([])).toEqual({});
  });

  test('is a copy of what was written, and what is read is a copy of it', async () => {
    const one = await session();
    const given = Float32Array.of(1, 2, 3);
    one.write({ 'small/a': given });
    given.fill(9);
    const found = one.read(['small/a'])['small/a'];
    expect(found).toEqual(Float32Array.of(1, 2, 3));
    found?.fill(9);
    expect(one.read(['small/a'])['small/a']).toEqual(Float32Array.of(1, 2, 3));
  });

  test.each(['embedding', 'embedding/ids', 'deep', 'small/a', 'small/ids'])('moves by rows: %s', async (name) => {
    const one = await session();
    const all = counting(name);
    const [length = 0] = state[name]!.shape;
    const width = all.length / length;
    const half = Math.ceil(length / 2);
    one.writeRows(name, half, all.subarray(half * width));
    one.writeRows(name, 0, all.subarray(0, half * width));
    expect(same(one.read([name])[name], all)).toBe(true);
    expect(same(one.readRows(name, 1, length - 1), all.subarray(width))).toBe(true);
    one.writeRows(name, 1, counting(name, 7).subarray(0, width));
    expect(same(one.readRows(name, 1, 1), counting(name, 7).subarray(0, width))).toBe(true);
    expect(same(one.readRows(name, 0, 1), all.subarray(0, width))).toBe(true);
    expect(one.readRows(name, 1, 0).length).toBe(0);
  });

  test('rows that a variable does not have are refused', async () => {
    const one = await session();
    const refused = expect.objectContaining({ code: 'program-invalid' });
    const row = new Float32Array(1000);
    for (const attempt of [
      () => one.readRows('embedding', 3000, 2),
      () => one.readRows('embedding', -1, 1),
      () => one.readRows('embedding', 0.5, 1),
      () => one.readRows('scalar', 0, 1),
      () => one.readRows('nothing', 0, 1),
      () => one.writeRows('embedding', 3001, row),
      () => one.writeRows('embedding', 0, row.subarray(1)),
      () => one.writeRows('embedding', 0, new Int32Array(1000)),
    ])
      expect(attempt).toThrow(refused);
  });

  test('is loaded from a source that answers with the rows that it is asked for', async () => {
    const one = await session();
    await one.load(Object.keys(state), (name, begin, count) => {
      const width = lengthOf(name) / (state[name]!.shape[0] ?? 1);
      return counting(name, 5).subarray(begin * width, (begin + count) * width);
    });
    const found = one.read(Object.keys(state));
    expect(Object.keys(state).filter((name) => !same(found[name], counting(name, 5)))).toEqual([]);
  });

  test('is loaded from a source that fills the array that it is given, of the size that is asked for', async () => {
    const one = await session();
    await one.load(Object.keys(state), (name, begin, count, into) => {
      const width = state[name]!.shape.length === 0 ? 1 : lengthOf(name) / state[name]!.shape[0]!;
      const values = counting(name, 5).subarray(begin * width, (begin + count) * width);
      into?.set(values);
      return into?.length === values.length ? into : values;
    });
    const found = one.read(Object.keys(state));
    expect(Object.keys(state).filter((name) => !same(found[name], counting(name, 5)))).toEqual([]);
  });

  test('is loaded from a source, each variable once, one at a time; an array that does not fit ends it', async () => {
    const one = await session();
    const asked: string[] = [];
    let waiting = 0;
    const source = async (name: string): Promise<Numbers> => {
      waiting += 1;
      await Promise.resolve();
      asked.push(waiting === 1 ? name : 'two at once');
      waiting -= 1;
      return counting(name, 3);
    };
    const names = Object.keys(state).filter((name) => name !== 'scalar');
    await one.load(names, source);
    expect([...asked].sort()).toEqual([...names].sort());
    const found = one.read(Object.keys(state));
    expect(names.filter((name) => !same(found[name], counting(name, 3)))).toEqual([]);
    expect(found['scalar']).toEqual(Float32Array.of(0));
    await expect(one.load(['small/a'], () => new Float32Array(4))).rejects.toThrow('float32[3], found Float32Array(4)');
    await expect(one.load(['other'], source)).rejects.toThrow('found "other"');
  });
});

describe('a model directory of 100 million parameters', () => {
  const directory = join(temporaryDirectory(), 'model');
  beforeAll(async () => {
    await writeModelDirectory(directory, {
      config: large,
      values: (name) => {
        const length = (expectedTensors(large).get(name) ?? []).reduce((size, side) => size * side, 1);
        // Each row another number, so that a row in the wrong place is seen.
        return new Float32Array(length).map((_, index) => ((index % 9973) - 5000) / 2 ** 20);
      },
    });
  });
  afterAll(() => rm(directory, { recursive: true }));

  test.each(['trainer', 'generator'])(
    'is opened and loaded with a peak below 1.2 times its bytes by a %s',
    async (kind) => {
      const { modelBytes, peakBytes } = await runChild<{ modelBytes: number; peakBytes: number }>('load-directory', [
        kind,
        directory,
      ]);
      expect(modelBytes).toBeGreaterThan(390 * mebibyte);
      expect(peakBytes / modelBytes).toBeLessThan(1.2);
    },
  );
});

test('reading and writing rows of a large variable takes the memory of the rows, before and after a program wrote to it', async () => {
  const { variableBytes, overBytes } = await runChild<{ variableBytes: number; overBytes: number }>('rows-large', []);
  expect(variableBytes).toBe(256 * mebibyte);
  expect(overBytes).toBeLessThan(64 * mebibyte);
});

test('a runner whose library is missing is unavailable, and says where it looked', async () => {
  const { tensorflowRunner } = await import('../../../engine/runners/tensorflow.js');
  expect(() => tensorflowRunner({ packageDirectory: '/nowhere', cacheDirectory: '/nowhere' })).toThrow(
    expect.objectContaining({ code: 'engine-unavailable', message: expect.stringContaining('/nowhere') }),
  );
  expect((await nativeRunner()).library.version).toMatch(/^\d+\.\d+/);
});

test('memory that TensorFlow does not get is told from what else it fails with', async () => {
  const side = 2 ** 23; // their product takes 256 TiB: more than there are addresses
  const inputs = {
    column: { shape: [side, 1], dtype: 'float32' },
    row: { shape: [1, side], dtype: 'float32' },
  } as const;
  const session = await compile({
    runner: await nativeRunner(),
    state: {},
    programs: {
      product: { inputs, run: (_, { column, row }) => ({ outputs: { sum: tf.matMul(column!, row!).relu().sum() } }) },
    },
  });
  const ones = new Float32Array(side).fill(1);
  expect(() => session.run('product', { column: ones, row: ones })).toThrow(
    expect.objectContaining({ code: 'out-of-memory', message: expect.stringContaining('[8388608,8388608]') }),
  );
  session.dispose();
});
