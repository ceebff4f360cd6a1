/**
 * TensorFlow's C API as the addon of tfjs-node offers it: tensors by handle, and sessions of SavedModels. Loaded by path:
 * set-up compiles the addon into a directory of its own. Handles are never collected: each is deleted here.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { NightstillError } from '../../config/errors.js';
import type { Numbers } from '../tracing/program.js';
import type { TensorSpec } from '../tracing/tensor-spec.js';
import { tensorflowType } from './graph.js';

/** The part of the addon that is used. */
interface Addon {
  createTensor(shape: readonly number[], dtype: number, values: Numbers): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): Numbers;
  loadSavedModel(directory: string, tags: string): number;
  deleteSavedModel(id: number): void;
  runSavedModel(
    id: number,
    inputs: readonly number[],
    inputNames: string,
    outputNames: string,
  ): readonly { readonly id: number }[];
  getNumOfTensors(): number;
  isUsingGpuDevice(): boolean;
  readonly TF_Version: string;
}

const isAddon = (value: unknown): value is Addon =>
  typeof value === 'object' && value !== null && 'runSavedModel' in value && 'TF_Version' in value;

/** One fed tensor of a call. */
export interface Feed {
  readonly name: string;
  readonly spec: TensorSpec;
  readonly values: Numbers;
}

/** A feed that is TensorFlow's already: its array may be collected. To be released, whatever becomes of the call. */
export interface HeldFeed {
  readonly name: string;
  readonly handle: number;
}

export class NativeLibrary {
  readonly #addon: Addon;

  /**
   * @param packageDirectory of `@tensorflow/tfjs-node-gpu` with its addon built, as set-up leaves it
   * @throws engine-unavailable when it cannot be loaded
   */
  constructor(packageDirectory: string) {
    try {
      const addon: unknown = createRequire(import.meta.url)(join(packageDirectory, 'lib/napi-v8/tfjs_binding.node'));
      if (!isAddon(addon)) throw new TypeError('the module found there is another one');
      this.#addon = addon;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new NightstillError(
        'engine-unavailable',
        `expected the TensorFlow addon in ${packageDirectory}, found: ${why}`,
        { cause },
      );
    }
  }

  get version(): string {
    return this.#addon.TF_Version;
  }

  get usesGpu(): boolean {
    return this.#addon.isUsingGpuDevice();
  }

  /** Handles alive in this process: equal before and after a step, or something leaks. */
  get handles(): number {
    return this.#addon.getNumOfTensors();
  }

  /** @throws engine-failed, out-of-memory */
  loadSession(directory: string): number {
    return this.#guard(`load ${directory}`, () => this.#addon.loadSavedModel(directory, 'serve'));
  }

  deleteSession(session: number): void {
    this.#addon.deleteSavedModel(session);
  }

  hold({ name, spec, values }: Feed): HeldFeed {
    return { name, handle: this.#addon.createTensor(spec.shape, tensorflowType[spec.dtype], values) };
  }

  release(held: readonly HeldFeed[]): void {
    for (const { handle } of held) this.#addon.deleteTensor(handle);
  }

  /** @throws engine-failed, out-of-memory, with TensorFlow's message */
  run(session: number, feeds: readonly Feed[], fetches: readonly string[]): Numbers[] {
    const held: HeldFeed[] = [];
    try {
      for (const feed of feeds) held.push(this.hold(feed));
      return this.runHeld(session, held, fetches);
    } finally {
      this.release(held);
    }
  }

  /** As `run`; the feeds stay held. */
  runHeld(session: number, held: readonly HeldFeed[], fetches: readonly string[]): Numbers[] {
    const handles = held.map(({ handle }) => handle);
    const names = held.map(({ name }) => `${name}:0`).join(',');
    const results = this.#guard(`run ${fetches[0] ?? ''}`, () =>
      this.#addon.runSavedModel(session, handles, names, fetches.map((fetch) => `${fetch}:0`).join(',')),
    );
    return this.#collect(results.map(({ id }) => id));
  }

  #collect(ids: readonly number[]): Numbers[] {
    try {
      return ids.map((id) => this.#addon.tensorDataSync(id));
    } finally {
      for (const id of ids) this.#addon.deleteTensor(id);
    }
  }

  #guard<Result>(what: string, work: () => Result): Result {
    try {
      return work();
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      // The addon hands on TensorFlow's message alone: the kind of an error is a word in it.
      const code = /\bOOM\b|RESOURCE_EXHAUSTED|out of memory/i.test(why) ? 'out-of-memory' : 'engine-failed';
      throw new NightstillError(code, `expected TensorFlow to ${what}, found: ${why}`, { cause });
    }
  }
}
