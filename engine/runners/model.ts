/** All programs of a session, with their shared variables, as one SavedModel, and the names by which it is called. */
import type { TensorSpecs } from '../tracing/trace.js';
import { emitProgram } from './emit.js';
import { Graph, graphShape, typed, type GraphOutput } from './graph.js';
import type { RunnableProgram } from './runner.js';
import { encodeSavedModel, type GraphFunction } from './saved-model.js';
import { inputsToCopy } from './shared-memory.js';
import { addStateAccess, type Group } from './state-access.js';
import { callCompiled } from './xla-function.js';

/** How one program is called: names in the graph by names in the program. */
export interface Entry {
  readonly program: RunnableProgram['program'];
  readonly inputs: ReadonlyMap<string, string>;
  readonly outputs: ReadonlyMap<string, string>;
  /** Fetched when the program has no outputs. */
  readonly done: string;
}

export interface Model {
  readonly bytes: Uint8Array;
  readonly entries: ReadonlyMap<string, Entry>;
  readonly groups: readonly Group[];
}

export function buildModel(state: TensorSpecs, programs: readonly RunnableProgram[]): Model {
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
  const groups = addStateAccess(graph, state, handles);
  return { bytes: encodeSavedModel(graph.nodes, functions), entries: new Map(entries), groups };
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
  const kept = inputsToCopy(program);
  const inputs = new Map(
    placeholders.map(([name, fed]): [string, GraphOutput] => {
      const T = typed(program.inputs.get(name)?.dtype ?? 'float32');
      return [name, kept.has(name) ? graph.output('DeepCopy', [fed], { T }) : fed];
    }),
  );
  const { outputs, effects } = runnable.xla
    ? callCompiled(graph, functions, runnable, { inputs, handles }, prefix)
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
