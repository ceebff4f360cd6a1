/**
 * Reading and writing the variables of a session. TensorFlow optimises its graph again for every new set of fetches, so
 * variables move in fixed groups of limited size, and a group has one set for reading and one for writing.
 */
import { NightstillError } from '../../config/errors.js';
import type { Numbers } from '../tracing/program.js';
import { bytesOf, type TensorSpec } from '../tracing/tensor-spec.js';
import type { TensorSpecs } from '../tracing/trace.js';
import { graphShape, typed, type Graph, type GraphNode, type GraphOutput } from './graph.js';
import type { NativeLibrary } from './native.js';
import { checkNumbers, knownVariable } from './numbers.js';
import type { NamedNumbers } from './runner.js';

const groupBytes = 64 * 1024 * 1024;

interface Group {
  readonly names: readonly string[];
  /** The fetch of a run that writes the whole group. */
  readonly written: string;
  /** The fetch of a run that fills the whole group with zeros. */
  readonly cleared: string;
}

export interface StateAccess {
  readonly groups: readonly Group[];
  /** Names in the graph by names of variables. */
  readonly feeds: ReadonlyMap<string, string>;
  readonly fetches: ReadonlyMap<string, string>;
}

/** Adds the nodes that read, write and clear every variable. */
export function addStateAccess(
  graph: Graph,
  state: TensorSpecs,
  handles: ReadonlyMap<string, GraphOutput>,
): StateAccess {
  const feeds = new Map<string, string>();
  const fetches = new Map<string, string>();
  const zero = new Map<string, GraphOutput>();
  const access = (name: string, spec: TensorSpec, index: number): { written: GraphNode; cleared: GraphNode } => {
    const handle = handles.get(name);
    if (handle === undefined) throw new NightstillError('unexpected', `the graph has no ${name}`);
    const T = typed(spec.dtype);
    const read = graph.output('ReadVariableOp', [handle], { dtype: T });
    fetches.set(name, graph.node('Identity', [read], { T }, { name: `read${index}` }).name);
    const shape = { shape: graphShape(spec.shape) };
    const value = graph.node('Placeholder', [], { dtype: T, shape }, { name: `write${index}` });
    feeds.set(name, value.name);
    // A placeholder with a default: a constant would be folded into one of full size.
    const nothing =
      zero.get(spec.dtype) ??
      graph.output('PlaceholderWithDefault', [graph.scalar(0, spec.dtype)], {
        dtype: T,
        shape: { shape: graphShape([]) },
      });
    zero.set(spec.dtype, nothing);
    const zeros = graph.output('BroadcastTo', [nothing, graph.integers(...spec.shape)], { T, Tidx: typed('int32') });
    const assign = (from: GraphOutput): GraphNode => graph.node('AssignVariableOp', [handle, from], { dtype: T });
    return { written: assign({ node: value, index: 0 }), cleared: assign(zeros) };
  };
  const finished = (name: string, control: readonly GraphNode[]): string =>
    graph.node('Identity', [graph.integer(0)], { T: typed('int32') }, { control, name }).name;
  let count = 0;
  const groups = groupsOf(state).map((names, index) => {
    const nodes = names.map((name) => access(name, knownVariable(state, name), count++));
    return {
      names,
      written: finished(
        `written${index}`,
        nodes.map(({ written }) => written),
      ),
      cleared: finished(
        `cleared${index}`,
        nodes.map(({ cleared }) => cleared),
      ),
    };
  });
  return { groups, feeds, fetches };
}

function groupsOf(state: TensorSpecs): string[][] {
  const groups: string[][] = [];
  let bytes = groupBytes;
  for (const [name, spec] of Object.entries(state)) {
    if (bytes + bytesOf(spec) > groupBytes) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(name);
    bytes += bytesOf(spec);
  }
  return groups;
}

export class SessionState {
  constructor(
    readonly library: NativeLibrary,
    readonly session: number,
    readonly specs: TensorSpecs,
    readonly access: StateAccess,
  ) {}

  clear(): void {
    for (const { cleared } of this.access.groups) this.library.run(this.session, [], [cleared]);
  }

  read(names: readonly string[]): Record<string, Numbers> {
    for (const name of names) this.#spec(name);
    const wanted = new Set(names);
    const found = new Map<string, Numbers>();
    for (const group of this.#groupsWith(wanted)) {
      const fetches = group.names.map((name) => this.access.fetches.get(name) ?? '');
      const values = this.library.run(this.session, [], fetches);
      group.names.forEach((name, index) => {
        const numbers = values[index];
        if (wanted.has(name) && numbers !== undefined) found.set(name, numbers);
      });
    }
    return Object.fromEntries(names.map((name) => [name, found.get(name) ?? new Float32Array()]));
  }

  write(values: NamedNumbers): void {
    for (const [name, numbers] of Object.entries(values)) checkNumbers(`variable "${name}"`, this.#spec(name), numbers);
    for (const group of this.#groupsWith(new Set(Object.keys(values)))) {
      const missing = group.names.filter((name) => !(name in values));
      const kept = missing.length === 0 ? {} : this.read(missing);
      const feeds = group.names.map((name) => {
        const spec = this.#spec(name);
        const numbers = values[name] ?? kept[name];
        return { name: this.access.feeds.get(name) ?? '', spec, values: checkNumbers(name, spec, numbers) };
      });
      this.library.run(this.session, feeds, [group.written]);
    }
  }

  #groupsWith(names: ReadonlySet<string>): readonly Group[] {
    return this.access.groups.filter((group) => group.names.some((name) => names.has(name)));
  }

  #spec(name: string): TensorSpec {
    return knownVariable(this.specs, name);
  }
}
