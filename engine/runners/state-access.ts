/**
 * The nodes that read, write and clear the variables of a session. TensorFlow copies and optimises its whole graph again for every new
 * set of fetches, which takes a tenth of a second where a model is deep, so variables move in few fixed groups of limited size: a group
 * has one set for reading and one for writing. A variable beyond that size is a group of its own. Large ones can also move by ranges of rows.
 */
import { NightstillError } from '../../config/errors.js';
import { bytesOf, type TensorSpec } from '../tracing/tensor-spec.js';
import type { TensorSpecs } from '../tracing/trace.js';
import { graphShape, typed, type Graph, type GraphNode, type GraphOutput } from './graph.js';

const mebibyte = 1024 * 1024;

/** Rows of a variable, by the names of placeholders and fetches. */
export interface RowAccess {
  /** int32[rank] each: the first element and the number of elements by axis, and the element after the last. */
  readonly begin: string;
  readonly size: string;
  readonly end: string;
  /** Fetch of the rows. */
  readonly read: string;
  /** Placeholder for new rows, and the fetch of a run that puts them in place. */
  readonly values: string;
  readonly written: string;
}

export interface VariableAccess {
  readonly name: string;
  readonly spec: TensorSpec;
  /** Fetch of the whole. */
  readonly read: string;
  /** Placeholder for the whole. */
  readonly value: string;
  /** Where it is large enough to move by rows. */
  readonly rows?: RowAccess;
}

export interface Group {
  readonly variables: readonly VariableAccess[];
  /** The fetch of a run that writes the whole group. */
  readonly written: string;
  /** The fetch of a run that fills the whole group with zeros. */
  readonly cleared: string;
}

/** Adds the nodes that move every variable. */
export function addStateAccess(
  graph: Graph,
  state: TensorSpecs,
  handles: ReadonlyMap<string, GraphOutput>,
): readonly Group[] {
  const builder = new AccessBuilder(graph.part('state', 'float32'));
  return groupsOf(state).map((members) => {
    const variables = members.map(([name, spec]) => {
      const handle = handles.get(name);
      if (handle === undefined) throw new NightstillError('unexpected', `the graph has no ${name}`);
      return builder.variable(name, spec, handle);
    });
    return {
      variables: variables.map(({ access }) => access),
      written: builder.finished(variables.map(({ written }) => written)),
      cleared: builder.finished(variables.map(({ cleared }) => cleared)),
    };
  });
}

/**
 * Variables in the order of the state, as many in a group as the limit allows; a larger one is alone. The moments of weights are grouped
 * apart from the weights, so that weights can be loaded while no moment takes memory yet.
 */
function groupsOf(state: TensorSpecs): [string, TensorSpec][][] {
  const companies = [...new Set(Object.keys(state).map((name) => companyOf(name, state)))];
  const rank = (name: string): number => companies.indexOf(companyOf(name, state));
  const variables = Object.entries(state).sort(([one], [other]) => rank(one) - rank(other));
  const total = variables.reduce((sum, [, spec]) => sum + bytesOf(spec), 0);
  // While it is moved, a group exists twice: it is kept to 1/64 of the state, within 16 and 64 MiB.
  const limit = Math.min(64 * mebibyte, Math.max(16 * mebibyte, total / 64));
  const groups: [string, TensorSpec][][] = [];
  let bytes = Infinity;
  let kind = '';
  for (const variable of variables) {
    const more = bytesOf(variable[1]);
    const next = companyOf(variable[0], state);
    if (bytes + more > limit || next !== kind) {
      groups.push([]);
      [bytes, kind] = [0, next];
    }
    groups.at(-1)?.push(variable);
    bytes += more;
  }
  return groups;
}

/** `adamw` for `adamw.m/weight`, where the state has that `weight`; empty for a weight and for whatever accompanies none. */
function companyOf(name: string, state: TensorSpecs): string {
  const [prefix = ''] = name.split('/', 1);
  return Object.hasOwn(state, name.slice(prefix.length + 1)) ? prefix.replace(/\..*/, '') : '';
}

class AccessBuilder {
  readonly #bounds = new Map<number, readonly [GraphOutput, GraphOutput, GraphOutput]>();

  constructor(readonly graph: Graph) {}

  variable(
    name: string,
    spec: TensorSpec,
    handle: GraphOutput,
  ): { readonly access: VariableAccess; readonly written: GraphNode; readonly cleared: GraphNode } {
    const T = typed(spec.dtype);
    const whole = this.graph.output('ReadVariableOp', [handle], { dtype: T });
    const read = this.graph.node('Identity', [whole], { T });
    const value = this.#placeholder(spec);
    const access = { name, spec, read: read.name, value: value.node.name };
    const byRows = spec.shape.length > 0 && bytesOf(spec) >= 4 * mebibyte;
    return {
      access: byRows ? { ...access, rows: this.#rows(spec, handle, whole) } : access,
      // The variable keeps the memory of what is fed: it must be TensorFlow's own.
      written: this.#assign(handle, value, spec),
      cleared: this.#assign(handle, this.#zeros(spec), spec),
    };
  }

  finished(control: readonly GraphNode[]): string {
    return this.graph.node('Identity', [this.graph.integer(0)], { T: typed('int32') }, { control }).name;
  }

  #assign(handle: GraphOutput, from: GraphOutput, { dtype }: TensorSpec): GraphNode {
    return this.graph.node('AssignVariableOp', [handle, from], { dtype: typed(dtype) });
  }

  #placeholder({ shape, dtype }: TensorSpec): GraphOutput {
    return this.graph.output('Placeholder', [], { dtype: typed(dtype), shape: { shape: graphShape(shape) } });
  }

  /** Made by a stateful operation: other zeros TensorFlow would compute once, keep in memory, and let variables share. */
  #zeros({ shape, dtype }: TensorSpec): GraphOutput {
    const attributes = { dtype: typed(dtype), init: { b: true } };
    return this.graph.output('Empty', [this.graph.integers(...shape)], attributes);
  }

  #rows({ shape, dtype }: TensorSpec, handle: GraphOutput, whole: GraphOutput): RowAccess {
    const rank = shape.length;
    const bounds =
      this.#bounds.get(rank) ??
      ([0, 1, 2].map(() => this.#placeholder({ shape: [rank], dtype: 'int32' })) as [
        GraphOutput,
        GraphOutput,
        GraphOutput,
      ]);
    this.#bounds.set(rank, bounds);
    const [begin, size, end] = bounds;
    const [T, Index] = [typed(dtype), typed('int32')];
    const read = this.graph.node('Slice', [whole, begin, size], { T, Index });
    const values = this.#placeholder({ shape: [-1, ...shape.slice(1)], dtype });
    const strides = this.graph.integers(...shape.map(() => 1));
    const assign = this.graph.node('ResourceStridedSliceAssign', [handle, begin, end, strides, values], { T, Index });
    // In place; but from then on every read of the variable would be a copy.
    const shared = this.graph.node('DisableCopyOnRead', [handle], {}, { control: [assign] });
    return {
      begin: begin.node.name,
      size: size.node.name,
      end: end.node.name,
      read: read.name,
      values: values.node.name,
      written: this.finished([shared]),
    };
  }
}
