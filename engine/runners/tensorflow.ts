/**
 * Runs programs in TensorFlow: all of them, with their shared variables, become one SavedModel in a cache directory, and a
 * call is one run of its session. State stays inside the session between calls.
 */
import { availableParallelism } from 'node:os';
import type { Numbers } from '../tracing/program.js';
import { describeDevice } from './device.js';
import { buildModel, type Entry } from './model.js';
import { libraryBuild } from './library-build.js';
import { NativeLibrary } from './native.js';
import { checkInputs, knownProgram } from './numbers.js';
import { numericFlags, type Variables } from './numeric-flags.js';
import { describeJavaScript, describeProcessor } from './processor.js';
import type { Executable, NamedNumbers, NumbersSource, Runner } from './runner.js';
import { keepSavedModel } from './saved-model-cache.js';
import { SessionState } from './session-state.js';
import type { Group } from './state-access.js';

export interface TensorflowOptions {
  /** Of `@tensorflow/tfjs-node-gpu` with its addon built, as set-up leaves it. */
  readonly packageDirectory: string;
  /** Where compiled programs, keyed by content, and the digests of libraries are kept. Safe to delete at any time. */
  readonly cacheDirectory: string;
  /** The threads that this process was started with (`processSettings`). Default: all, as TensorFlow takes them. */
  readonly threads?: number;
  /** The environment of this process: flags in it change results, and it says which devices are seen. Default: nothing set. */
  readonly variables?: Variables;
}

/**
 * Settings of the whole process (threads, XLA's cache, the level of TensorFlow's log) are environment variables that must be
 * there before it starts: `processSettings()`.
 * @throws engine-unavailable when the addon cannot be loaded
 */
export function tensorflowRunner({
  packageDirectory,
  cacheDirectory,
  threads = availableParallelism(),
  variables = {},
}: TensorflowOptions): Runner & { readonly library: NativeLibrary } {
  const library = new NativeLibrary(packageDirectory);
  const { version, usesGpu } = library;
  const build = libraryBuild(packageDirectory, cacheDirectory);
  return {
    name: `tensorflow ${version}`,
    fingerprint: fingerprintOf({ version, usesGpu, build }, threads, variables),
    library,
    async load(state, programs) {
      const { bytes, entries, groups } = buildModel(state, programs);
      const directory = await keepSavedModel(cacheDirectory, bytes);
      return new TensorflowExecutable(library, library.loadSession(directory), entries, groups);
    },
  };
}

interface LoadedLibrary extends Pick<NativeLibrary, 'version' | 'usesGpu'> {
  /** `libraryBuild` of its package. */
  readonly build: string;
}

/** @param driver where the driver of NVIDIA tells of its devices */
export const fingerprintOf = (
  { version, build, usesGpu }: LoadedLibrary,
  threads: number,
  variables: Variables,
  driver?: string,
): Runner['fingerprint'] => ({
  runner: 'tensorflow',
  tensorflow: version,
  build,
  gpu: usesGpu,
  threads,
  processor: describeProcessor(),
  v8: describeJavaScript(),
  ...(usesGpu && describeDevice(variables['CUDA_VISIBLE_DEVICES'], driver)),
  ...numericFlags(variables),
});

class TensorflowExecutable implements Executable {
  readonly #state: SessionState;
  #disposed = false;

  constructor(
    readonly library: NativeLibrary,
    readonly session: number,
    readonly entries: ReadonlyMap<string, Entry>,
    groups: readonly Group[],
  ) {
    this.#state = new SessionState(library, session, groups);
  }

  run(name: string, inputs: NamedNumbers): Record<string, Numbers> {
    const entry = knownProgram(this.entries, name);
    const numbers = checkInputs(entry.program, inputs);
    const feeds = [...entry.program.inputs].flatMap(([input, spec], index) => {
      const [node, values] = [entry.inputs.get(input), numbers[index]];
      return node === undefined || values === undefined ? [] : [{ name: node, spec, values }];
    });
    this.#state.fill();
    const names = [...entry.outputs];
    const fetches = names.length === 0 ? [entry.done] : names.map(([, node]) => node);
    const results = this.library.run(this.session, feeds, fetches);
    return Object.fromEntries(names.map(([output], index) => [output, results[index] ?? new Float32Array()]));
  }

  read(names: readonly string[]): Record<string, Numbers> {
    return this.#state.read(names);
  }

  write(values: NamedNumbers): void {
    this.#state.write(values);
  }

  readRows(name: string, begin: number, count: number): Numbers {
    return this.#state.readRows(name, begin, count);
  }

  writeRows(name: string, begin: number, values: Numbers): void {
    this.#state.writeRows(name, begin, values);
  }

  load(names: readonly string[], source: NumbersSource): Promise<void> {
    return this.#state.load(names, source);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.library.deleteSession(this.session);
  }
}
