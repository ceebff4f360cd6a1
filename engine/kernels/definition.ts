/** What one entry of the kernel table says. */
import { tensorflowType, type Graph, type GraphOutput } from '../runners/graph.js';
import type { Attributes, KernelInputs, Operation } from '../tracing/program.js';
import type { TensorSpec } from '../tracing/tensor-spec.js';

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
  /** Shapes and element types of the results. */
  readonly infer: (inputs: KernelInputs, attributes: Attributes) => readonly TensorSpec[];
  /** The results as TensorFlow computes them, one for each that `infer` names. */
  readonly emit: (emission: Emission) => readonly GraphOutput[];
}

/** The type attribute of indices, axes and shapes. */
export const index32 = { type: tensorflowType.int32 };
