/**
 * Runs programs in TensorFlow: all of them, with their shared variables, become one SavedModel in a cache directory, and a
 * call is one run of its session. State stays inside the session between calls.
 */
import type { TensorSpecs } from '../tracing/trace.js';
import { emitProgram } from './emit.js';
import { Graph, graphShape, tensorflowType, typed, type GraphOutput } from './graph.js';
import { NativeLibrary } from './native.js';
import { checkNumbers } from './numbers.js';
import type { Executable, NamedNumbers, RunnableProgram, Runner } from './runner.js';
import { keepSavedModel } from './saved-model-cache.js';
import { argumentNode, encodeSavedModel, type GraphFunction } from './saved-model.js';
import { SessionState, addStateAccess, type StateAccess } from './session-state.js';

export interface TensorflowOptions {
  /** Of `@tensorflow/tfjs-node-gpu` with its addon built, as set-up leaves it. */
  readonly packageDirectory: string;
  /** Where compiled programs are kept, keyed by content. Safe to delete at any time. */
  readonly cacheDirectory: string;
}

/**
 * Settings of the whole process (threads, XLA's cache, the level of TensorFlow's log) are environment variables that must be
 * there before it starts: `processSettings()`.
 * @throws engine-unavailable when the addon cannot be loaded
 */
export function tensorflowRunner({
  packageDirectory,
  cacheDirectory,
}: TensorflowOptions): Runner & { readonly library: NativeLibrary } {
  const library = new NativeLibrary(packageDirectory);
  return {
    name: `tensorflow ${library.version}`,
    library,
    async load(state, programs) {
      const { bytes, entries, access } = buildModel(state, programs);
      const directory = await keepSavedModel(cacheDirectory, bytes);
      return new TensorflowExecutable(library, library.loadSession(directory), entries, state, access);
    },
  };
}

/** How one program is called: names in the graph by names in the program. */
interface Entry {
  readonly program: RunnableProgram['program'];
  readonly inputs: ReadonlyMap<string, string>;
  readonly outputs: ReadonlyMap<string, string>;
  /** Fetched when the program has no outputs. */
  readonly done: string;
}

interface Model {
  readonly bytes: Uint8Array;
  readonly entries: ReadonlyMap<string, Entry>;
  readonly access: StateAccess;
}

function buildModel(state: TensorSpecs, programs: readonly RunnableProgram[]): Model {
  const graph = new Graph();
  const functions: GraphFunction[] = [];
  const handles = new Map(
    Object.entries(state).map(([name, { shape, dtype }], index): [string, GraphOutput] => {
      const attributes = {
        dtype: typed(dtype),
        shape: { shape: graphShape(shape) },
        shared_name: { s: Buffer.from(`state/${index}`) },
        container: { s: Buffer.alloc(0) },
      };
      return [name, { node: graph.node('VarHandleOp', [], attributes, { name: `state/${index}` }), index: 0 }];
    }),
  );
  const entries = programs.map((runnable, index): [string, Entry] => [
    runnable.program.name,
    addProgram(graph, functions, runnable, handles, `program${index}`),
  ]);
  const access = addStateAccess(graph, state, handles);
  return { bytes: encodeSavedModel(graph.nodes, functions), entries: new Map(entries), access };
}

function addProgram(
  graph: Graph,
  functions: GraphFunction[],
  runnable: RunnableProgram,
  handles: ReadonlyMap<string, GraphOutput>,
  prefix: string,
): Entry {
  const { program } = runnable;
  const placeholders = [...program.inputs].map(([name, { shape, dtype }], index): [string, GraphOutput] => {
    const attributes = { dtype: typed(dtype), shape: { shape: graphShape(shape) } };
    return [name, { node: graph.node('Placeholder', [], attributes, { name: `${prefix}/input${index}` }), index: 0 }];
  });
  const inputs = new Map(placeholders);
  const { outputs, effects } = runnable.xla
    ? callAsFunction(graph, functions, runnable, { inputs, handles }, prefix)
    : emitProgram(graph.part(prefix, runnable.precision), program, { inputs, handles });
  const control = { control: effects };
  const named = [...outputs].map(([name, output], index): [string, string] => {
    const T = typed(program.outputs.get(name)?.dtype ?? 'float32');
    return [name, graph.node('Identity', [output], { T }, { ...control, name: `${prefix}/output${index}` }).name];
  });
  const done = graph.node(
    'Identity',
    [graph.integer(0)],
    { T: typed('int32') },
    { ...control, name: `${prefix}/done` },
  );
  const inputNames = placeholders.map(([name, { node }]): [string, string] => [name, node.name]);
  return { program, inputs: new Map(inputNames), outputs: new Map(named), done: done.name };
}

/** The program as a function that XLA must compile whole, and a node that calls it. */
function callAsFunction(
  graph: Graph,
  functions: GraphFunction[],
  { program, precision }: RunnableProgram,
  outer: { readonly inputs: ReadonlyMap<string, GraphOutput>; readonly handles: ReadonlyMap<string, GraphOutput> },
  prefix: string,
): ReturnType<typeof emitProgram> {
  const body = new Graph(precision);
  const inputs = [...program.inputs].map(([name, { dtype }], index) => ({
    name,
    node: argumentNode(`input${index}`, tensorflowType[dtype]),
  }));
  const handles = [...program.state.keys()].map((name, index) => ({
    name,
    node: argumentNode(`state${index}`, tensorflowType.resource),
  }));
  const output = ({ name, node }: (typeof inputs)[number]): [string, GraphOutput] => [name, { node, index: 0 }];
  const { outputs, effects } = emitProgram(body, program, {
    inputs: new Map(inputs.map(output)),
    handles: new Map(handles.map(output)),
  });
  const results = [...outputs].map(([name, value], index) => ({
    name: `output${index}`,
    type: tensorflowType[program.outputs.get(name)?.dtype ?? 'float32'],
    value,
  }));
  const typesOf = (nodes: typeof inputs): (typeof tensorflowType)[keyof typeof tensorflowType][] =>
    nodes.map(({ node: { attributes } }) =>
      attributes['T'] !== undefined && 'type' in attributes['T'] ? attributes['T'].type : tensorflowType.float32,
    );
  const all = [...inputs, ...handles];
  functions.push({
    name: `${prefix}_function`,
    arguments: all.map(({ node }, index) => ({ name: node.name, type: typesOf(all)[index] ?? tensorflowType.float32 })),
    results,
    nodes: body.nodes,
    effects,
  });
  const called = [...program.inputs.keys()]
    .map((name) => outer.inputs.get(name))
    .concat([...program.state.keys()].map((name) => outer.handles.get(name)));
  const call = graph.node(
    'StatefulPartitionedCall',
    called.filter((value) => value !== undefined),
    {
      Tin: { list: { type: typesOf(all) } },
      Tout: { list: { type: results.map(({ type }) => type) } },
      f: { func: { name: `${prefix}_function` } },
      _XlaMustCompile: { b: true },
    },
    { name: `${prefix}/call` },
  );
  return { outputs: new Map([...outputs.keys()].map((name, index) => [name, { node: call, index }])), effects: [call] };
}

class TensorflowExecutable implements Executable {
  readonly #state: SessionState;
  #disposed = false;

  constructor(
    readonly library: NativeLibrary,
    readonly session: number,
    readonly entries: ReadonlyMap<string, Entry>,
    state: TensorSpecs,
    access: StateAccess,
  ) {
    this.#state = new SessionState(library, session, state, access);
    this.#state.clear();
  }

  run(name: string, inputs: NamedNumbers): ReturnType<Executable['run']> {
    const entry = this.entries.get(name);
    if (entry === undefined) throw new TypeError(`no program ${name}`);
    const feeds = [...entry.program.inputs].map(([input, spec]) => ({
      name: entry.inputs.get(input) ?? '',
      spec,
      values: checkNumbers(`input "${input}" of program "${name}"`, spec, inputs[input]),
    }));
    const names = [...entry.outputs];
    const fetches = names.length === 0 ? [entry.done] : names.map(([, node]) => node);
    const results = this.library.run(this.session, feeds, fetches);
    return Object.fromEntries(names.map(([output], index) => [output, results[index] ?? new Float32Array()]));
  }

  read(names: readonly string[]): ReturnType<Executable['read']> {
    return this.#state.read(names);
  }

  write(values: NamedNumbers): void {
    this.#state.write(values);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.library.deleteSession(this.session);
  }
}
