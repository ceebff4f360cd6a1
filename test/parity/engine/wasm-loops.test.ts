/** The loops over wasm's memory compute what tfjs's cpu backend computes, for every rank and for numbers that are none. */
import { adamwKernel } from '../../../engine/kernels/adamw.js';
import { runComposite } from '../../../engine/kernels/composite.js';
import { broadcastingSelectKernel } from '../../../engine/kernels/select.js';
import { sparseCrossEntropyKernel } from '../../../engine/kernels/sparse-cross-entropy.js';
import { prepareBackend } from '../../../engine/runners/kernels-backend.js';
import { tf } from '../../../engine/tf.js';

type Results = readonly { readonly shape: readonly number[]; readonly dtype: string; readonly numbers: number[] }[];

/** What a function of tensors computes on a backend. */
async function on(backend: 'cpu' | 'wasm', compute: () => readonly tf.Tensor[]): Promise<Results> {
  await prepareBackend(backend);
  await tf.setBackend(backend);
  return tf.tidy(() =>
    compute().map((tensor) => ({ shape: tensor.shape, dtype: tensor.dtype, numbers: [...tensor.dataSync()] })),
  );
}

const bothWays = async (compute: () => readonly tf.Tensor[]): Promise<[wasm: Results, cpu: Results]> => [
  await on('wasm', compute),
  await on('cpu', compute),
];

/** Whole numbers from 0 to below `bound`, from a seed (Park and Miller's generator). */
function drawing(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state * 48271) % 2147483647;
    return state % bound;
  };
}

const counting = (shape: number[], dtype: 'float32' | 'int32' | 'bool', from = -4): tf.Tensor => {
  const numbers = Array.from({ length: tf.util.sizeFromShape(shape) }, (_, index) =>
    dtype === 'float32' && index % 5 === 3 ? Number.NaN : index + from,
  );
  return dtype === 'bool'
    ? tf.tensor(
        Uint8Array.from(numbers, (number) => number & 1),
        shape,
        dtype,
      )
    : tf.tensor(numbers, shape, dtype);
};

test.each([1, 2, 3, 4, 5])('slices and splits of rank %d are those of cpu', async (rank) => {
  const draw = drawing(rank + 1);
  for (const dtype of ['float32', 'int32', 'bool'] as const) {
    for (let trial = 0; trial < 8; trial++) {
      const shape = Array.from({ length: rank }, () => draw(4) + (trial === 0 ? 0 : 1));
      const begin = shape.map((length) => draw(length + 1));
      const size = shape.map((length, axis) => draw(length - begin[axis]! + 1));
      const axis = draw(rank);
      const part = draw(shape[axis]! + 1);
      const [wasm, cpu] = await bothWays(() => {
        const x = counting(shape, dtype);
        const parts = tf.split(x, [part, shape[axis]! - part], axis);
        return [
          tf.slice(x, begin, size),
          tf.slice(
            x,
            begin.map(() => 0),
            shape,
          ),
          ...parts,
        ];
      });
      expect({ shape, begin, size, wasm }).toEqual({ shape, begin, size, wasm: cpu });
    }
  }
});

test.each([
  ['all scalars', [], [], []],
  ['a column over rows', [3, 1], [3, 4], [4]],
  ['a scalar mask', [], [2, 3], [2, 1]],
  ['inner axes of one', [2, 1, 3], [1, 4, 1], [3]],
  ['nothing', [0], [0], [0]],
  ['rows of nothing', [2, 1], [2, 0], [1]],
])('a choice between branches is that of cpu: %s', async (_, condition, t, e) => {
  for (const dtype of ['float32', 'int32', 'bool'] as const) {
    const [wasm, cpu] = await bothWays(() =>
      runComposite(broadcastingSelectKernel, {
        condition: counting(condition, 'bool'),
        t: counting(t, dtype),
        e: counting(e, dtype, 7),
      }),
    );
    expect(wasm).toEqual(cpu);
  }
});

const { NaN: none, POSITIVE_INFINITY: infinite, NEGATIVE_INFINITY: least } = Number;

test.each([
  ['not a number first', [none, 1, 2]],
  ['not a number last', [0, 1, none]],
  ['masked classes', [least, 1, least]],
  ['a label that is masked', [1, least, 3]],
  ['an infinite logit', [0, infinite, 1]],
  ['nothing but masks', [least, least, least]],
  ['large logits', [1e30, -1e30, 3]],
])('the loss of %s is that of cpu, and so is its neighbour', async (_, row) => {
  const [wasm, cpu] = await bothWays(() =>
    runComposite(sparseCrossEntropyKernel, {
      logits: tf.tensor2d([row, [1, 2, 4]]),
      labels: tf.tensor1d([1, 2], 'int32'),
    }),
  );
  wasm.forEach(({ shape, dtype, numbers }, index) => {
    expect([shape, dtype]).toEqual([cpu[index]!.shape, cpu[index]!.dtype]);
    cpu[index]!.numbers.forEach((expected, at) => {
      if (Number.isFinite(expected)) expect(numbers[at]).toBeCloseTo(expected, 5);
      else expect(numbers[at]).toBe(expected);
    });
  });
});

test.each([-1, 3, 2 ** 30])(
  'a label that is no class, %d, makes its row no number and leaves others alone',
  async (label) => {
    const losses =
      (labels: number[]): (() => tf.Tensor[]) =>
      () =>
        runComposite(sparseCrossEntropyKernel, {
          logits: tf.tensor2d([
            [1, 2, 4],
            [0, 1, 2],
            [3, 1, 0],
          ]),
          labels: tf.tensor1d(labels, 'int32'),
        });
    const [loss, gradient] = await on('wasm', losses([0, label, 2]));
    const [validLoss, validGradient] = await on('wasm', losses([0, 1, 2]));
    expect(loss!.numbers).toEqual([validLoss!.numbers[0], none, validLoss!.numbers[2]]);
    const { numbers } = validGradient!;
    expect(gradient!.numbers).toEqual([...numbers.slice(0, 3), none, none, none, ...numbers.slice(6)]);
  },
);

test.each([true, false])('AdamW of gradients that are no numbers is that of cpu, applied: %p', async (apply) => {
  const [wasm, cpu] = await bothWays(() =>
    runComposite(
      adamwKernel,
      {
        weight: tf.tensor1d([1, -0, 2, none, 3]),
        m: tf.tensor1d([0, -0, 1, 2, 0.5]),
        v: tf.tensor1d([0, 0, 1, 2, 0.25]),
        gradient: tf.tensor1d([none, 0, infinite, 1, 0.5]),
        learningRate: tf.scalar(0.1),
        biasCorrection1: tf.scalar(0.1),
        biasCorrection2: tf.scalar(0.01),
        gradientScale: tf.scalar(0.5),
        apply: tf.scalar(apply, 'bool'),
      },
      { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, decay: 0.1 },
    ),
  );
  const rounded = (results: Results) =>
    results.map(({ numbers }) => numbers.map((number) => Number(number.toPrecision(5))));
  expect(rounded(wasm)).toEqual(rounded(cpu));
  if (!apply) expect(wasm[0]!.numbers).toEqual([1, -0, 2, none, 3]);
});
