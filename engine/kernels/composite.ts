/**
 * Composite kernels: functions of tfjs operations that a program holds as one operation. Eagerly, and on the wasm and cpu
 * runners, they run as the function they are; a runner that knows a better way (one native kernel, an update in place) sees
 * what was meant instead of a dozen elementwise calls.
 */
import { tf } from '../tf.js';
import { currentRecording, tracingBackendName } from '../tracing/current.js';
import { attributesForTfjs, attributesOf, type Attributes } from '../tracing/program.js';

export type TensorInputs = Readonly<Record<string, tf.Tensor>>;

/** The function itself; off the tape, so a gradient needs `tf.customGrad` around the call. */
export type Eager = (inputs: TensorInputs, attributes: Attributes) => readonly tf.Tensor[];

export interface Composite {
  readonly name: string;
  readonly eager: Eager;
}

const registered = new Set<string>();

/** Runs a composite kernel, or records it while a function is traced. */
export function runComposite(
  { name, eager }: Composite,
  inputs: TensorInputs,
  attributes: Attributes = {},
): tf.Tensor[] {
  const backendName = currentRecording() === undefined ? tf.getBackend() : tracingBackendName;
  if (backendName !== tracingBackendName) registerOn(backendName, name, eager);
  return tf.engine().runKernel<tf.Tensor[]>(name, { ...inputs }, attributesForTfjs(attributes));
}

export function registerOn(backendName: string, name: string, eager: Eager): void {
  const key = `${backendName} ${name}`;
  if (registered.has(key)) return;
  registered.add(key);
  // A backend may have a better way of its own.
  if (tf.getKernelsForBackend(backendName).some(({ kernelName }) => kernelName === name)) return;
  tf.registerKernel({
    kernelName: name,
    backendName,
    kernelFunc: ({ inputs, attrs }) => tf.tidy(() => [...eager(tensorsOf(inputs), attributesOf(attrs))]),
  });
}

const isTensor = (info: tf.TensorInfo): info is tf.Tensor => info instanceof tf.Tensor;

/** tfjs types the inputs of a kernel as infos; what it passes are the tensors of the call. */
export const tensorOf = (info: tf.TensorInfo): tf.Tensor =>
  isTensor(info) ? info : tf.engine().makeTensorFromTensorInfo(info);

function tensorsOf(inputs: tf.NamedTensorInfoMap): TensorInputs {
  const tensors: Record<string, tf.Tensor> = {};
  for (const [name, input] of Object.entries(inputs)) {
    if (input !== undefined) tensors[name] = tensorOf(input);
  }
  return tensors;
}
