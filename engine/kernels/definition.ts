/** What one entry of the kernel table says. */
import { tensorflowType, type Graph, type GraphOutput } from '../runners/graph.js';
import type { Attributes, KernelInputs, Operation } from '../tracing/program.js';
import type { DataType, TensorSpec } from '../tracing/tensor-spec.js';

/** Where an entry finds what it needs to write itself into a graph. */
export interface Emission {
  readonly graph: Graph;
  readonly operation: Operation;
  /** The graph's value for an input, by tfjs's name for it (the first of several spellings that is there). */
  readonly of: (...names: readonly string[]) => GraphOutput;
}

export interface KernelDefinition {
  /** tfjs expects a list of results, be it of one. */
  readonly list?: true;
  /**
   * Shapes and element types of the results.
   * @param kernel its name, for `checkTypes`: element types that a runner has no kernel for are refused while a program is traced
   */
  readonly infer: (inputs: KernelInputs, attributes: Attributes, kernel: string) => readonly TensorSpec[];
  /** The results as TensorFlow computes them, one for each that `infer` names. */
  readonly emit: (emission: Emission) => readonly GraphOutput[];
}

/** The element types of most kernels that compute. */
export const numbers: readonly DataType[] = ['float32', 'int32'];

/** The type attribute of indices, axes and shapes. */
export const index32 = { type: tensorflowType.int32 };
