/** What is repaired in tfjs's wasm backend equals the cpu backend, and frees what it takes. */
import { prepareBackend } from '../../../../engine/runners/kernels-backend.js';
import { kernelsRunner } from '../../../../engine/runners/kernels.js';
import { compile } from '../../../../engine/compile.js';
import { tf } from '../../../../engine/tf.js';

const numbers = (length: number, factor: number): Float32Array =>
  Float32Array.from({ length }, (_, index) => Math.sin(index * factor + 1));

const tensor = (shape: readonly number[], factor: number): tf.Tensor =>
  tf.tensor(
    numbers(
      shape.reduce((size, one) => size * one, 1),
      factor,
    ),
    [...shape],
  );

/** The same on both backends; each frees all it takes. */
async function onBoth(work: () => tf.Tensor): Promise<[cpu: ArrayLike<number>, wasm: ArrayLike<number>]> {
  const results: ArrayLike<number>[] = [];
  for (const backend of ['cpu', 'wasm'] as const) {
    await prepareBackend(backend);
    const before = tf.memory();
    results.push(tf.tidy(() => work().dataSync().slice()));
    const { numTensors, numDataBuffers } = tf.memory();
    if (numTensors !== before.numTensors || numDataBuffers !== before.numDataBuffers)
      throw new Error(`${backend} holds ${numTensors} tensors and ${numDataBuffers} buffers more`);
  }
  return [results[0]!, results[1]!];
}

const greatest = ([cpu, wasm]: readonly [ArrayLike<number>, ArrayLike<number>]): number =>
  cpu.length === wasm.length ? Math.max(0, ...Array.from(cpu, (value, at) => Math.abs(value - wasm[at]!))) : NaN;

const sizes: [string, number[], number[]][] = [
  ['matrices', [5, 7], [7, 3]],
  ['a batch', [4, 5, 7], [4, 7, 3]],
  ['two batch axes', [2, 3, 5, 7], [2, 3, 7, 3]],
  ['one matrix for a batch', [1, 5, 7], [4, 7, 3]],
  ['a batch of one', [1, 1, 5, 7], [1, 1, 7, 3]],
  ['a row', [1, 7], [7, 1]],
  ['larger matrices', [64, 96], [96, 48]],
];

test.each(sizes)('products of %s, transposed or not', async (_name, a, b) => {
  const swapped = ([...shape]: number[]): number[] => [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!];
  for (const [left, right] of [
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ] as const) {
    const results = await onBoth(() =>
      tf.matMul(tensor(left ? swapped(a) : a, 0.7), tensor(right ? swapped(b) : b, 1.3), left, right),
    );
    expect(greatest(results)).toBeLessThan(1e-5);
  }
});

test('batches that broadcast against each other are products of each pair', async () => {
  await prepareBackend('wasm');
  const [a, b] = [tensor([2, 1, 3, 5], 0.7), tensor([3, 5, 4], 1.3)];
  const product = tf.matMul(a, b);
  expect(product.shape).toEqual([2, 3, 3, 4]);
  const pairs = tf
    .unstack(tf.reshape(a, [2, 3, 5]))
    .flatMap((one) => tf.unstack(b).map((other) => tf.matMul(one, other)));
  expect(greatest([product.dataSync(), tf.stack(pairs).dataSync()])).toBeLessThan(1e-6);
});

test('the numbers of one tensor are a second matrix in every shape that they are given', async () => {
  const results = await onBoth(() => {
    const x = tensor([4, 6], 0.7);
    const shapes: [number, number][] = [
      [4, 6],
      [6, 4],
      [2, 12],
      [4, 6],
    ];
    const products = shapes.map(([inner, columns]) =>
      tf.matMul(tensor([3, inner], 1.3), tf.reshape(x, [inner, columns])),
    );
    return tf.concat(products.map((product) => product.flatten()));
  });
  expect(greatest(results)).toBeLessThan(1e-6);
});

test('sums of segments: some empty, some of many rows, ids outside dropped', async () => {
  const work = (): tf.Tensor => tf.unsortedSegmentSum(tensor([6, 4], 0.3), tf.tensor1d([2, 0, 2, 5, 2, 0], 'int32'), 4);
  expect(greatest(await onBoth(work))).toBeLessThan(1e-6);
});

test('a session on wasm frees everything when it is disposed, and the backend of the caller stays', async () => {
  await prepareBackend('wasm');
  await prepareBackend('cpu');
  const before = tf.memory();
  const session = await compile({
    runner: kernelsRunner({ backend: 'wasm' }),
    state: { w: { shape: [8, 8], dtype: 'float32' } },
    programs: {
      step: {
        inputs: { x: { shape: [4, 8], dtype: 'float32' } },
        run: ({ w }, { x }) => {
          const [slope] = tf.grads((weight: tf.Tensor) => tf.sum(tf.softmax(tf.matMul(x!, weight))))([w!]);
          return { outputs: { y: tf.matMul(x!, w!) }, updates: { w: tf.sub(tf.add(w!, 0.1), slope!) } };
        },
      },
    },
  });
  await tf.setBackend('cpu');
  const held = tf.memory();
  for (let step = 0; step < 20; step++) {
    session.run('step', { x: numbers(32, step) });
    expect(() => session.run('step', { x: numbers(31, step) })).toThrow('found Float32Array(31)');
  }
  expect(tf.getBackend()).toBe('cpu');
  expect([tf.memory().numTensors, tf.memory().numDataBuffers]).toEqual([held.numTensors, held.numDataBuffers]);
  session.dispose();
  expect([tf.memory().numTensors, tf.memory().numDataBuffers]).toEqual([before.numTensors, before.numDataBuffers]);
});

test('the wasm module leaves no listener for uncaught errors behind', async () => {
  await prepareBackend('wasm');
  const listeners = ['uncaughtException', 'unhandledRejection'].flatMap((event) => process.rawListeners(event));
  expect(listeners.filter((listener) => /ExitStatus|throw reason/.test(String(listener)))).toEqual([]);
});
