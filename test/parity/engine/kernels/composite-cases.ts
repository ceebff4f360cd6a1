/** Kernels of our own: functions of tfjs operations that programs hold as one. */
import { adamwKernel } from '../../../../engine/kernels/adamw.js';
import { barrierKernel } from '../../../../engine/kernels/barrier.js';
import { runComposite } from '../../../../engine/kernels/composite.js';
import { after } from '../../../../engine/kernels/order.js';
import { broadcastingSelectKernel } from '../../../../engine/kernels/select.js';
import { sparseCrossEntropyWithGradient } from '../../../../engine/kernels/sparse-cross-entropy.js';
import { sumOfSquares } from '../../../../engine/kernels/sum-of-squares.js';
import { tf } from '../../../../engine/tf.js';
import type { DataType } from '../../../../engine/tracing/tensor-spec.js';
import { sparseCrossEntropy } from '../../../support/losses.js';
import { allTypes, drawn, ofTypes, type Call, type KernelCase } from './cases.js';
import type { Draw, Input } from './draw.js';

const adamw = (draw: Draw, apply: boolean): Call => {
  const shape = draw.anyShape();
  const step = draw.integer(1, 5);
  const decay = draw.truth() ? 0.1 : 0;
  const scale = draw.uniform();
  const settings = (): Record<string, tf.Tensor> => ({
    learningRate: tf.scalar(0.01),
    biasCorrection1: tf.scalar(1 - 0.9 ** step),
    biasCorrection2: tf.scalar(1 - 0.999 ** step),
    gradientScale: tf.scalar(scale),
  });
  return {
    inputs: [
      ...[1, 2].map(() => draw.input(shape)),
      draw.input(shape, 'float32', [0.1, 2]),
      draw.input(shape),
      { spec: { shape: [], dtype: 'bool' }, numbers: Uint8Array.of(apply ? 1 : 0) },
    ],
    run: (weight, m, v, gradient, applied) =>
      runComposite(
        adamwKernel,
        { weight, m, v, gradient, apply: applied, ...settings() },
        { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay },
      ),
  };
};

/** Some tensors pass, one of them of that type; some are awaited. */
const barrier = (draw: Draw, dtype: DataType): Call => {
  const others = Array.from({ length: draw.integer(0, 2) }, () => draw.input(draw.anyShape(), draw.pick(allTypes)));
  const passing = draw.shuffled([draw.input(draw.anyShape(), dtype), ...others]);
  const awaited = Array.from({ length: draw.integer(1, 2) }, () => draw.input(draw.anyShape()));
  return {
    inputs: [...passing, ...awaited],
    run: (...tensors) => runComposite(barrierKernel, Object.fromEntries(tensors.entries()), { values: passing.length }),
    gradient: false,
  };
};

const labelled = (draw: Draw): [logits: Input, labels: Input] => {
  const [rows, classes] = [draw.integer(draw.shortest, 5), draw.integer(1, 7)];
  return [draw.input([rows, classes]), draw.input([rows], 'int32', [0, classes - 1])];
};

export const compositeCases: readonly KernelCase[] = [
  ...drawn('AdamW', 'of one step', (draw) => adamw(draw, true)),
  ...drawn('AdamW', 'that is left out', (draw) => adamw(draw, false)),
  ...ofTypes(allTypes, 'After', 'hands its tensor on', (draw, dtype) => ({
    inputs: [draw.input(draw.anyShape(), dtype), draw.input(draw.anyShape(), dtype)],
    run: (x, dependency) => after(x, dependency),
    gradient: false,
  })),
  ...ofTypes(allTypes, 'Barrier', 'hands its tensors on', barrier),
  ...ofTypes(allTypes, 'BroadcastingSelect', 'of shapes that broadcast', (draw, dtype) => {
    const shape = draw.anyShape();
    const part = (): number[] => draw.broadcasting(shape);
    return {
      inputs: [draw.input(part(), 'bool'), draw.input(part(), dtype), draw.input(part(), dtype)],
      run: (condition, t, e) => runComposite(broadcastingSelectKernel, { condition, t, e }),
      gradient: false,
    };
  }),
  ...drawn('SparseCrossEntropy', 'with its gradient', (draw) => ({
    inputs: labelled(draw),
    run: (logits, labels) => {
      const { loss_N, gradient_NV } = sparseCrossEntropyWithGradient(logits as tf.Tensor2D, labels as tf.Tensor1D);
      return [loss_N, gradient_NV];
    },
  })),
  ...drawn('SparseCrossEntropy', 'on the tape', (draw) => ({
    inputs: labelled(draw),
    run: (logits, labels) => sparseCrossEntropy(logits as tf.Tensor2D, labels as tf.Tensor1D),
    gradient: true,
  })),
  ...drawn('SumOfSquares', 'of any shape', (draw) => ({
    inputs: [draw.input(draw.anyShape())],
    run: (x) => sumOfSquares(x),
  })),
];
