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
import { withoutRandomness } from './randomness.js';
import type { DataType, TensorSpec } from './tensor-spec.js';

const recordingOrThrow = (): Recording => {
  const current = currentRecording();
  if (current === undefined) throw escaped();
  return current;
};

const escaped = (): NightstillError =>
  new NightstillError(
    'trace-reads-value',
    `expected a tensor to be used within the trace that made it, found that ${callerLine()} uses one of a trace that has ended`,
  );

const readError = (): NightstillError =>
  currentRecording() === undefined
    ? escaped()
    : new NightstillError(
        'trace-reads-value',
        `expected a function of tensors alone, found that ${callerLine()} reads the value of one while it is traced`,
      );

const randomError = (): NightstillError =>
  new NightstillError(
    'trace-reads-value',
    `expected a function of tensors alone, found that ${callerLine()} draws random numbers while it is traced, which would be ` +
      'the same in every call: pass random numbers as inputs',
  );

class TracingBackend extends tf.KernelBackend {
  /** How many tensors share a value, as tfjs counts them: without it its own count of buffers would never fall. */
  readonly #references = new Map<object, number>();

  adopt(value: Value): Value {
    this.#references.set(value, (this.#references.get(value) ?? 0) + 1);
    return value;
  }
  override write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): object {
    return this.adopt(recordConstant(values, { shape, dtype: dataType(dtype) }));
  }
  /** The value of a tensor; one that another backend holds becomes a constant, and stays where it is. */
  resolve({ dataId, shape, dtype }: tf.TensorInfo): Value {
    const recording = recordingOrThrow();
    if (recording.owns(dataId)) return dataId;
    if (this.#references.has(dataId)) throw escaped();
    return recording.captured(dataId, () =>
      recordConstant(tf.engine().readSync(dataId), { shape, dtype: dataType(dtype) }),
    );
  }
  override readSync(): never {
    throw readError();
  }
  /** Never settles: a rejection might find nobody who waits for it, and the trace fails anyway when its function returns. */
  override read(): Promise<never> {
    recordingOrThrow().fail(readError());
    return new Promise(() => undefined);
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
  if (dtype === 'float32' && values instanceof Float32Array) return values.slice();
  const numbers = Array.from(values, Number);
  if (dtype === 'float32') return Float32Array.from(numbers);
  return dtype === 'int32' ? Int32Array.from(numbers) : Uint8Array.from(numbers, (number) => (number === 0 ? 0 : 1));
}

/** A tensor that stands for an input or a state variable of the recording under way. */
export function tensorOf(value: Value): tf.Tensor {
  recordingOrThrow().own(value);
  return tf
    .engine()
    .makeTensorFromTensorInfo({ dataId: backend.adopt(value), shape: [...value.shape], dtype: value.dtype }, backend);
}

export const valueOf = (tensor: tf.TensorInfo): Value => backend.resolve(tensor);

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
  const outputs = definition.infer(values, attributes, kernel).map((spec): Value => ({ ...spec }));
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
      const value = backend.adopt(backend.resolve(x));
      return { dataId: value, shape: [...value.shape], dtype: value.dtype };
    },
  });
}

/** Runs `work` with the tracing backend as the current one; synchronous from end to end, so nothing else runs meanwhile. */
export function whileRecording<Result>(recording: Recording, work: () => Result): Result {
  registerTracing();
  if (currentRecording() !== undefined)
    throw new NightstillError(
      'program-invalid',
      `expected a program to be compiled on its own, found that ${callerLine()} compiles another while one is traced`,
    );
  // Undefined until a backend is used, though tfjs types it as a string.
  const before: string | undefined = tf.getBackend();
  const engine = tf.engine();
  setRecording(recording);
  void tf.setBackend(tracingBackendName);
  engine.startScope(tracingBackendName);
  try {
    const result = withoutRandomness(randomError, work);
    if (recording.failure !== undefined) throw recording.failure;
    return result;
  } catch (error) {
    dropTape();
    throw error;
  } finally {
    engine.endScope();
    setRecording(undefined);
    void tf.setBackend(before ?? 'cpu');
  }
}

/** tfjs keeps on its tape what a gradient will need: after an error nobody would take it away. */
function dropTape(): void {
  const { state } = tf.engine();
  if (state.gradientDepth > 0) return;
  const tape: typeof state.activeTape | null | undefined = state.activeTape;
  for (const { saved = [] } of tape ?? []) for (const tensor of saved) tensor.dispose();
  state.activeTape = [];
}
