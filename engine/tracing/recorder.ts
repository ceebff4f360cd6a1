/**
 * A tfjs backend whose kernels record instead of compute. While it is the current backend, any tfjs code (gradients
 * included) leaves behind the operations of a program. Reading a value is an error that names the line that asked: a program
 * cannot depend on what it computes.
 */
import { NightstillError } from '../../config/errors.js';
import { kernelTable } from '../kernel-table.js';
import { tf } from '../tf.js';
import { callerLine } from './caller.js';
import { currentRecording, setRecording, tracingBackendName, type Recording } from './current.js';
import { attributesOf, type Numbers, type Value } from './program.js';
import { type DataType, type TensorSpec } from './tensor-spec.js';

const recordingOrThrow = (): Recording => {
  const current = currentRecording();
  if (current === undefined) throw new NightstillError('unexpected', 'a tensor of a trace was used after it had ended');
  return current;
};

const isValue = (dataId: object): dataId is Value => 'shape' in dataId && 'dtype' in dataId;

class TracingBackend extends tf.KernelBackend {
  /** How many tensors share a value, as tfjs counts them: without it its own count of buffers would never fall. */
  readonly #references = new Map<object, number>();
  readonly #moved = new WeakMap<object, Value>();

  adopt(value: Value): Value {
    this.#references.set(value, (this.#references.get(value) ?? 0) + 1);
    return value;
  }
  override write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): object {
    return this.adopt(recordConstant(values, { shape, dtype: dataType(dtype) }));
  }
  /** A tensor of another backend that the traced function uses: its values become a constant. */
  override move(dataId: object, values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): void {
    this.#moved.set(dataId, recordConstant(values, { shape, dtype: dataType(dtype) }));
    this.#references.set(dataId, 1);
  }
  resolve(dataId: object): Value {
    const value = this.#moved.get(dataId) ?? dataId;
    if (!isValue(value)) throw new NightstillError('unexpected', 'expected a tensor of this trace');
    return value;
  }
  override readSync(): never {
    throw new NightstillError(
      'trace-reads-value',
      `expected a function of tensors alone, found that ${callerLine()} reads the value of one while it is traced`,
    );
  }
  override read(): Promise<never> {
    return this.readSync();
  }
  override incRef(dataId: object): void {
    this.#references.set(dataId, this.refCount(dataId) + 1);
  }
  decRef(dataId: object): void {
    this.#references.set(dataId, this.refCount(dataId) - 1);
  }
  override refCount(dataId: object): number {
    return this.#references.get(dataId) ?? 0;
  }
  override disposeData(dataId: object): boolean {
    this.decRef(dataId);
    if (this.refCount(dataId) > 0) return false;
    this.#references.delete(dataId);
    return true;
  }
  override numDataIds(): number {
    return this.#references.size;
  }
  override memory(): { unreliable: boolean } {
    return { unreliable: true };
  }
  override epsilon(): number {
    return 1e-7;
  }
  override floatPrecision(): 32 {
    return 32;
  }
  override timerAvailable(): boolean {
    return false;
  }
  override dispose(): void {
    this.#references.clear();
  }
}

const backend = new TracingBackend();

function dataType(dtype: tf.DataType): DataType {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype;
  throw new NightstillError(
    'kernel-unsupported',
    `expected a tensor of float32, int32 or bool, found ${dtype}, made by ${callerLine()}`,
  );
}

function recordConstant(values: tf.backend_util.BackendValues, spec: TensorSpec): Value {
  const value: Value = { ...spec };
  recordingOrThrow().record({
    kernel: 'Constant',
    inputs: {},
    attributes: {},
    outputs: [value],
    constant: numbersOf(values, spec.dtype),
  });
  return value;
}

function numbersOf(values: tf.backend_util.BackendValues, dtype: DataType): Numbers {
  const numbers = Array.from(values, Number);
  if (dtype === 'float32') return Float32Array.from(numbers);
  return dtype === 'int32' ? Int32Array.from(numbers) : Uint8Array.from(numbers);
}

/** A tensor that stands for a value of the recording. */
export const tensorOf = (value: Value): tf.Tensor =>
  tf
    .engine()
    .makeTensorFromTensorInfo({ dataId: backend.adopt(value), shape: [...value.shape], dtype: value.dtype }, backend);

export const valueOf = (tensor: tf.TensorInfo): Value => backend.resolve(tensor.dataId);

interface KernelCall {
  readonly inputs: Readonly<Record<string, tf.TensorInfo>>;
  readonly attrs?: object;
}

function recordKernel(kernel: string, { inputs, attrs }: KernelCall): tf.TensorInfo | tf.TensorInfo[] {
  const definition = kernelTable[kernel];
  if (definition === undefined) throw unsupported(kernel);
  const values: Record<string, Value> = {};
  for (const [name, input] of Object.entries(inputs)) {
    if (input !== null && input !== undefined) values[name] = valueOf(input);
  }
  const attributes = attributesOf(attrs);
  const outputs = definition.infer(values, attributes).map((spec): Value => ({ ...spec }));
  recordingOrThrow().record({ kernel, inputs: values, attributes, outputs });
  const infos = outputs.map((value) => ({
    dataId: backend.adopt(value),
    shape: [...value.shape],
    dtype: value.dtype,
  }));
  const [only] = infos;
  return definition.list === true || only === undefined ? infos : only;
}

const unsupported = (kernel: string): NightstillError =>
  new NightstillError(
    'kernel-unsupported',
    `expected kernels that programs can hold, found "${kernel}", asked for by ${callerLine()}; ` +
      `supported: ${Object.keys(kernelTable).sort().join(', ')}`,
    { details: { kernel } },
  );

let registered = false;

/** Registers the backend with tfjs, once: its kernels are the table's, and all others refuse by name. */
function registerTracing(): void {
  if (registered) return;
  registered = true;
  tf.registerBackend(tracingBackendName, () => backend, 0);
  const known = new Set(tf.getKernelsForBackend('cpu').map(({ kernelName }) => kernelName));
  for (const kernelName of new Set([...known, ...Object.keys(kernelTable)])) {
    tf.registerKernel({
      kernelName,
      backendName: tracingBackendName,
      kernelFunc: ({ inputs, attrs }) =>
        recordKernel(kernelName, { inputs: inputs as KernelCall['inputs'], attrs: attrs ?? {} }),
    });
  }
  // A clone shares its value, as on every backend.
  tf.unregisterKernel('Identity', tracingBackendName);
  tf.registerKernel({
    kernelName: 'Identity',
    backendName: tracingBackendName,
    kernelFunc: ({ inputs }) => {
      const { x } = inputs;
      if (x === undefined) throw new NightstillError('unexpected', 'expected Identity to have an input x');
      backend.incRef(x.dataId);
      return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
    },
  });
}

/** Runs `work` with the tracing backend as the current one; synchronous from end to end, so nothing else runs meanwhile. */
export function whileRecording<Result>(recording: Recording, work: () => Result): Result {
  registerTracing();
  if (currentRecording() !== undefined) throw new NightstillError('unexpected', 'a trace cannot begin inside another');
  // Undefined as long as no backend was used, whatever its type says.
  const before: string | undefined = tf.getBackend();
  setRecording(recording);
  void tf.setBackend(tracingBackendName);
  try {
    return tf.engine().tidy(work as () => tf.TensorContainer) as Result;
  } finally {
    setRecording(undefined);
    void tf.setBackend(before ?? 'cpu');
  }
}
