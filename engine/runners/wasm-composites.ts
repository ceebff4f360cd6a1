/**
 * Composite kernels on wasm as loops over its memory: as compositions each would be ten passes and as many tensors. Sums and
 * products run in JavaScript's double precision and are rounded once, when they are stored.
 */
import { adamwKernel } from '../kernels/adamw.js';
import { tensorOf, type Composite } from '../kernels/composite.js';
import { broadcastingSelectKernel } from '../kernels/select.js';
import { sparseCrossEntropyKernel } from '../kernels/sparse-cross-entropy.js';
import { tf } from '../tf.js';
import { attributesOf, type Attributes, type Numbers } from '../tracing/program.js';
import { broadcast, numberOf } from '../tracing/shapes.js';
import { sizeOf } from '../tracing/tensor-spec.js';
import { isWasmMemory, type WasmMemory } from './wasm-backend.js';

type Infos = Readonly<Record<string, tf.TensorInfo>>;
type Loop = (backend: WasmMemory, inputs: Infos, attributes: Attributes) => tf.TensorInfo[];

export function registerWasmComposites(): void {
  register(adamwKernel, adamw);
  register(sparseCrossEntropyKernel, sparseCrossEntropy);
  register(broadcastingSelectKernel, select);
}

function register({ name }: Composite, loop: Loop): void {
  tf.registerKernel({
    kernelName: name,
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs, backend }) => {
      if (!isWasmMemory(backend)) throw new TypeError('expected the wasm backend');
      return loop(backend, definedOf(inputs), attributesOf(attrs));
    },
  });
}

const definedOf = (inputs: tf.NamedTensorInfoMap): Infos =>
  Object.fromEntries(Object.entries(inputs).flatMap(([name, info]) => (info === undefined ? [] : [[name, info]])));

function named(inputs: Infos, name: string): tf.TensorInfo {
  const info = inputs[name];
  if (info === undefined) throw new TypeError(`expected an input ${name}`);
  return info;
}

const scalarOf = (inputs: Infos, name: string): number => tensorOf(named(inputs, name)).dataSync()[0] ?? Number.NaN;

/** Views are taken after all results were made: wasm's memory may move when it grows. */
const viewOf = (backend: WasmMemory, info: tf.TensorInfo): Numbers => {
  const view = backend.typedArrayFromHeap(info);
  if (view instanceof Float32Array || view instanceof Int32Array || view instanceof Uint8Array) return view;
  throw new TypeError(`expected float32, int32 or bool, found ${info.dtype}`);
};

/** As `adamwStep` defines it. */
const adamw: Loop = (backend, inputs, attributes) => {
  const before = ['weight', 'm', 'v'].map((name) => named(inputs, name));
  const results = before.map(({ shape, dtype }) => backend.makeOutput([...shape], dtype));
  const apply = scalarOf(inputs, 'apply') !== 0;
  const [beta1, beta2] = [numberOf(attributes, 'beta1'), numberOf(attributes, 'beta2')];
  const [rate, scale] = [scalarOf(inputs, 'learningRate'), scalarOf(inputs, 'gradientScale')];
  const stepSize = rate / scalarOf(inputs, 'biasCorrection1');
  const root = Math.sqrt(scalarOf(inputs, 'biasCorrection2'));
  const [epsilon, keep] = [numberOf(attributes, 'epsilon'), 1 - rate * numberOf(attributes, 'decay')];
  const [w, m, v] = before.map((info) => viewOf(backend, info));
  const [newW, newM, newV] = results.map((info) => viewOf(backend, info));
  const g = viewOf(backend, named(inputs, 'gradient'));
  if (!w || !m || !v || !newW || !newM || !newV) throw new TypeError('expected weight and moments');
  if (!apply) {
    newW.set(w);
    newM.set(m);
    newV.set(v);
    return results;
  }
  for (let index = 0; index < w.length; index++) {
    const gradient = (g[index] ?? 0) * scale;
    const first = (m[index] ?? 0) * beta1 + gradient * (1 - beta1);
    const second = (v[index] ?? 0) * beta2 + gradient * gradient * (1 - beta2);
    newM[index] = first;
    newV[index] = second;
    newW[index] = (w[index] ?? 0) * keep - (stepSize * first) / (Math.sqrt(second) / root + epsilon);
  }
  return results;
};

/** Softmax by the backend's own kernel; its greatest value is 1 / Σ exp(x − max), which the loss needs. */
const sparseCrossEntropy: Loop = (backend, inputs) => {
  const logits = tensorOf(named(inputs, 'logits'));
  const [rows = 0, classes = 0] = logits.shape;
  const loss = backend.makeOutput([rows], 'float32');
  const gradient = tf.softmax(logits);
  const [x, p] = [viewOf(backend, logits), viewOf(backend, gradient)];
  const [labels, losses] = [viewOf(backend, named(inputs, 'labels')), viewOf(backend, loss)];
  for (let row = 0; row < rows; row++) {
    const start = row * classes;
    const label = labels[row] ?? -1;
    if (label < 0 || label >= classes) {
      // Beyond the row lies its neighbour's gradient.
      losses[row] = Number.NaN;
      p.fill(Number.NaN, start, start + classes);
      continue;
    }
    let greatest = start;
    for (let index = start + 1; index < start + classes; index++)
      if ((x[index] ?? 0) > (x[greatest] ?? 0)) greatest = index;
    const chosen = start + label;
    losses[row] = (x[greatest] ?? 0) - (x[chosen] ?? 0) - Math.log(p[greatest] ?? 0);
    p[chosen] = (p[chosen] ?? 0) - 1;
  }
  return [loss, gradient];
};

const select: Loop = (backend, inputs) => {
  const sources = ['condition', 't', 'e'].map((name) => named(inputs, name));
  const shape = broadcast(...sources.map((source) => source.shape));
  const [, then] = sources;
  const out = backend.makeOutput(shape, then?.dtype ?? 'float32');
  const [condition, t, e] = sources.map((source) => viewOf(backend, source));
  const to = viewOf(backend, out);
  if (!condition || !t || !e) throw new TypeError('expected a condition and two branches');
  const strides = sources.map((source) => stridesIn(shape, source.shape));
  const last = shape.at(-1) ?? 1;
  const steps = strides.map((stride) => stride.at(-1) ?? 0);
  const rows = sizeOf(shape) / Math.max(1, last);
  for (let row = 0; row < rows; row++) {
    const [c = 0, one = 0, other = 0] = strides.map((stride) => offsetOf(row, shape, stride));
    const [stepC = 0, stepT = 0, stepE = 0] = steps;
    for (let column = 0; column < last; column++)
      to[row * last + column] =
        ((condition[c + column * stepC] ?? 0) !== 0 ? t[one + column * stepT] : e[other + column * stepE]) ?? 0;
  }
  return [out];
};

/** How far apart neighbours along each axis of the result lie in a tensor that is broadcast to it. */
function stridesIn(shape: readonly number[], of: readonly number[]): number[] {
  const missing = shape.length - of.length;
  return shape.map((_, axis) =>
    axis < missing || of[axis - missing] === 1 ? 0 : sizeOf(of.slice(axis - missing + 1)),
  );
}

/** Where a row of the result (all axes but the last) begins in a tensor of those strides. */
function offsetOf(row: number, shape: readonly number[], strides: readonly number[]): number {
  let [offset, rest] = [0, row];
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    const length = shape[axis] ?? 1;
    offset += (rest % length) * (strides[axis] ?? 0);
    rest = Math.floor(rest / length);
  }
  return offset;
}
