/** Writes the operations of one program into a graph. */
import { NightstillError } from '../../config/errors.js';
import { emitInPlace } from '../kernels/adamw.js';
import type { Emission } from '../kernels/definition.js';
import { kernelTable } from '../kernel-table.js';
import { resultsOf, usesOf, type Operation, type Program, type Update, type Value } from '../tracing/program.js';
import { typed, type Graph, type GraphNode, type GraphOutput } from './graph.js';
import { updatesToCopy } from './shared-memory.js';
import { inPlaceUpdates } from './in-place.js';

/** Where the program's inputs and the handles of its variables are in the graph. */
export interface Surroundings {
  readonly inputs: ReadonlyMap<string, GraphOutput>;
  readonly handles: ReadonlyMap<string, GraphOutput>;
  /** Within a function for XLA, which gives every variable memory of its own and knows no copies. */
  readonly xla?: true;
}

export interface Emitted {
  readonly outputs: ReadonlyMap<string, GraphOutput>;
  /** The nodes that change variables. */
  readonly effects: readonly GraphNode[];
}

export function emitProgram(graph: Graph, program: Program, { inputs, handles, xla }: Surroundings): Emitted {
  const emitted = new Map<Value, GraphOutput>();
  const find = (value: Value | undefined, user: string): GraphOutput => {
    const output = value === undefined ? undefined : emitted.get(value);
    if (output === undefined) throw new NightstillError('unexpected', `${user} uses a value that nothing computes`);
    return output;
  };
  for (const [name, value] of program.inputs) emitted.set(value, known(inputs, name));
  const inPlace = inPlaceUpdates(program);
  const replacing = new Set(inPlace.map(({ operation }) => operation));
  const replaced = new Set(inPlace.flatMap(({ variables }) => Object.values(variables)));
  const reads = readVariables(graph, program, handles, emitted);
  for (const operation of program.operations) {
    if (!replacing.has(operation)) emitOperation(graph, operation, emitted, find);
  }
  const usedElsewhere = valuesUsed(program, replacing);
  const effects = inPlace.flatMap(({ operation, variables: { weight, m, v } }) => {
    const read = [weight, m, v].filter((name) => usedElsewhere.has(program.state.get(name)));
    return emitInPlace(
      emissionOf(graph, operation, find),
      { weight: known(handles, weight), m: known(handles, m), v: known(handles, v) },
      read.flatMap((name) => reads.get(name) ?? []),
    );
  });
  const copied = xla === true ? new Set<string>() : updatesToCopy(program);
  for (const [name, update] of program.updates) {
    if (replaced.has(name)) continue;
    const own = (value: Value): GraphOutput =>
      copied.has(name) ? graph.output('DeepCopy', [find(value, name)], { T: typed(value.dtype) }) : find(value, name);
    effects.push(emitUpdate(graph, known(handles, name), update, own, reads.get(name)));
  }
  const outputs = [...program.outputs].map(([name, value]): [string, GraphOutput] => [name, find(value, name)]);
  return { outputs: new Map(outputs), effects };
}

function known(map: ReadonlyMap<string, GraphOutput>, name: string): GraphOutput {
  const output = map.get(name);
  if (output === undefined) throw new NightstillError('unexpected', `the graph has no ${name}`);
  return output;
}

/** What the program uses, leaving out the operations in `but`. */
const valuesUsed = (program: Program, but: ReadonlySet<Operation> = new Set()): ReadonlySet<Value | undefined> =>
  new Set([...program.operations.filter((operation) => !but.has(operation)).flatMap(usesOf), ...resultsOf(program)]);

function readVariables(
  graph: Graph,
  program: Program,
  handles: ReadonlyMap<string, GraphOutput>,
  emitted: Map<Value, GraphOutput>,
): Map<string, GraphNode> {
  const used = valuesUsed(program);
  const reads = new Map<string, GraphNode>();
  for (const [name, value] of program.state) {
    if (!used.has(value)) continue;
    const node = graph.node('ReadVariableOp', [known(handles, name)], { dtype: typed(value.dtype) });
    reads.set(name, node);
    emitted.set(value, { node, index: 0 });
  }
  return reads;
}

type Find = (value: Value | undefined, user: string) => GraphOutput;

const emissionOf = (graph: Graph, operation: Operation, find: Find): Emission => ({
  graph,
  operation,
  of: (...names) => {
    const name = names.find((candidate) => candidate in operation.inputs);
    return find(operation.inputs[name ?? ''], operation.kernel);
  },
});

function emitOperation(graph: Graph, operation: Operation, emitted: Map<Value, GraphOutput>, find: Find): void {
  const definition = kernelTable[operation.kernel];
  if (definition === undefined) throw new NightstillError('kernel-unsupported', `no entry for ${operation.kernel}`);
  const results = definition.emit(emissionOf(graph, operation, find));
  operation.outputs.forEach((value, index) => {
    const result = results[index];
    if (result === undefined) throw new NightstillError('unexpected', `${operation.kernel} emits too few results`);
    emitted.set(value, result);
  });
}

/** @param read where the program reads the variable: no update overtakes it */
function emitUpdate(
  graph: Graph,
  handle: GraphOutput,
  update: Update,
  find: (value: Value) => GraphOutput,
  read: GraphNode | undefined,
): GraphNode {
  const options = read === undefined ? {} : { control: [read] };
  if (update.kind === 'whole') {
    return graph.node('AssignVariableOp', [handle, find(update.value)], { dtype: typed(update.value.dtype) }, options);
  }
  const types = { dtype: typed(update.values.dtype), Tindices: typed('int32') };
  return graph.node('ResourceScatterUpdate', [handle, find(update.indices), find(update.values)], types, options);
}
